"""Networks beside a UNet that see what is around a mask: a ControlNet for inpainting sees the masked picture in pixels,
a BrushNet in latents, with the mask. Which of them a folder holds, its config says.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from diffusers import ControlNetModel
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.brush_net import BrushNet, heard, surroundings
from tutelage.diffusion.latents import signed
from tutelage.diffusion.load import LOADING_FAULTS, weights_hash
from tutelage.diffusion.vision import first_line, network_folder
from tutelage.errors import BadInput

UNSEEN: Final = -1.0
"""What a ControlNet sees inside the mask, beside colours in [0, 1]."""
CONFIG: Final = "config.json"
KINDS: Final[dict[str, Any]] = {kind.__name__: kind for kind in (ControlNetModel, BrushNet)}
"""Class that a folder names → class."""


class Branch(Protocol):
    """A network beside a UNet."""

    def check_fit(self, unet: Any) -> None:
        """Raise a `BadInput` if it was made for another UNet."""

    def shown(self, pictures: Sequence[Image], inside: Tensor, masked: Tensor, mask: Tensor) -> Tensor:
        """What it sees of B fills, (B, ...).

        Args:
            pictures: RGB, of one size.
            inside: (B, 1, H, W), bool: where is painted.
            masked: (B, C, h, w), latents of the pictures without that.
            mask: (B, 1, h, w), the same mask at the latents' size.
        """

    def beside(
        self, unet: Any, seen: Tensor, t: Tensor, given: dict[str, Any], shown: Tensor
    ) -> AbstractContextManager[dict[str, Any]]:
        """While entered, a call of the UNet with `given` and what is yielded hears the branch.

        `seen` are the noisy latents (B, C, h, w), `t` is their timestep, and `shown` has a row for each of them.
        """


class ControlBranch:
    """A ControlNet for inpainting."""

    def __init__(self, network: Any) -> None:
        self.network = network

    def check_fit(self, unet: Any) -> None:
        ours, theirs = self.network.config.block_out_channels, unet.config.block_out_channels
        if list(ours) != list(theirs):
            raise BadInput(f"this ControlNet is for a UNet with channels {list(ours)}, not {list(theirs)}")

    def shown(self, pictures: Sequence[Image], inside: Tensor, masked: Tensor, mask: Tensor) -> Tensor:
        colours = (signed(pictures) + 1) / 2
        return colours.masked_fill(inside, UNSEEN).to(self.network.device, self.network.dtype)

    @contextmanager
    def beside(
        self, unet: Any, seen: Tensor, t: Tensor, given: dict[str, Any], shown: Tensor
    ) -> Iterator[dict[str, Any]]:
        down, middle = self.network(seen, t, controlnet_cond=shown, return_dict=False, **given)
        yield {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


class BrushBranch:
    """A BrushNet."""

    def __init__(self, network: BrushNet) -> None:
        self.network = network

    def check_fit(self, unet: Any) -> None:
        self.network.check_fit(unet)

    def shown(self, pictures: Sequence[Image], inside: Tensor, masked: Tensor, mask: Tensor) -> Tensor:
        return surroundings(masked, mask)

    @contextmanager
    def beside(
        self, unet: Any, seen: Tensor, t: Tensor, given: dict[str, Any], shown: Tensor
    ) -> Iterator[dict[str, Any]]:
        with heard(unet, self.network(seen, t, shown, given)):
            yield {}


@lru_cache(maxsize=1)
def load_branch(name: str, device: torch.device, dtype: torch.dtype) -> Branch:
    """A branch, by folder or Hub id.

    Raises:
        BadInput: there is none, or the folder holds something else.
    """
    folder = network_folder(name)
    kind = KINDS.get(said := _class_of(folder))
    if kind is None:
        raise BadInput(f"{folder} holds {said or 'no network of diffusers'}; a branch is a {' or a '.join(KINDS)}")
    try:
        network: Any = kind.from_pretrained(folder, use_safetensors=True, torch_dtype=dtype)
    except LOADING_FAULTS as error:
        raise BadInput(f"{folder} cannot be loaded as a {said}: {first_line(error)}") from error
    network.requires_grad_(False).eval().to(device)
    return BrushBranch(network) if kind is BrushNet else ControlBranch(network)


@lru_cache(maxsize=1)
def branch_hash(name: str) -> str:
    """Hash of a branch's config and weights.

    Raises:
        BadInput: there is none.
    """
    return weights_hash(network_folder(name))


def _class_of(folder: Path) -> str:
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError):
        return ""
    return str(config.get("_class_name", "")) if isinstance(config, dict) else ""
