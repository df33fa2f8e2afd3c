"""Pictures enlarged by a super-resolution network of transformers, such as Swin2SR."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image, fromarray
from transformers import AutoModelForImageToImage

from tutelage.diffusion.load import weights_hash
from tutelage.diffusion.vision import load_network, network_folder, pixels


@dataclass(frozen=True)
class Enlarger:
    """A network that makes pictures larger by a whole number."""

    network: Any
    processor: Any
    device: torch.device
    times: int
    weights: str
    """Hash of the folder."""

    @staticmethod
    def load(model: str | Path, device: str = "auto") -> "Enlarger":
        """From a folder or Hub id.

        Raises:
            BadInput: there is no such network or device, or it is none of super-resolution.
        """
        folder = network_folder(model)
        network, processor, where = load_network(AutoModelForImageToImage, folder, device)
        return Enlarger(network, processor, where, network.config.upscale, weights_hash(folder))

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Image]) -> list[Image]:
        """RGB pictures, each `times` as high and wide; one after another, for their sizes may differ."""
        return [self._enlarge(picture) for picture in pictures]

    def _enlarge(self, picture: Image) -> Image:
        made = self.network(pixels(self.processor, [picture], self.device)).reconstruction[0]
        height, width = picture.height * self.times, picture.width * self.times
        seen = made[:, :height, :width].clamp(0, 1).mul(255).round()  # the processor fills up to whole windows
        return fromarray(seen.permute(1, 2, 0).to(torch.uint8).cpu().numpy())
