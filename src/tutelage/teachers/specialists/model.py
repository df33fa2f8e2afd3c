"""The base that specialists draw with, loaded once in a process."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from tutelage.diffusion.latents import fitted_size
from tutelage.diffusion.load import load_pipeline, local_folder, weights_hash
from tutelage.diffusion.sample import coarsest_cell, picture_size
from tutelage.errors import BadInput

KINDS: Final = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")


@dataclass(frozen=True)
class Base:
    """A Stable Diffusion or SDXL, frozen."""

    pipeline: Any
    weights: str
    """Hash of the folder."""

    def size_for(self, width: int, height: int) -> tuple[int, int]:
        """The bucket of a picture: (height, width) at its own aspect ratio and the base's own area."""
        return fitted_size((height, width), picture_size(self.pipeline, None), coarsest_cell(self.pipeline))


@lru_cache(maxsize=2)
def load_base(name: str, device: str, dtype: str) -> Base:
    """From a folder or Hub id; inpainting UNets, which see a mask and a masked picture too, are welcome.

    Raises:
        BadInput: it cannot be loaded, or is neither Stable Diffusion nor SDXL.
    """
    folder = local_folder(name)
    pipeline: Any = load_pipeline(folder, device, dtype)
    if type(pipeline).__name__ not in KINDS:
        raise BadInput(f"{folder} is neither Stable Diffusion nor SDXL; specialists draw with these")
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        if network := getattr(pipeline, part, None):
            network.requires_grad_(False).eval()
    return Base(pipeline, weights_hash(folder))
