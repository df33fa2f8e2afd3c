"""InstructPix2Pix (Brooks et al. 2023): a UNet with more input channels, in which the source picture's latents are.

The new weights start at zero, so that it begins as its base, any text-to-image Stable Diffusion or SDXL. Its folder is
one of diffusers' own InstructPix2Pix pipelines. Stable Diffusion sees the source's latents as the codec gives them, not
scaled; an SDXL with EDM's noise levels is CosXL and sees them scaled.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import (
    EDMEulerScheduler,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image
from torch import Tensor, nn

from tutelage.diffusion.device import pick_device, pick_dtype
from tutelage.diffusion.latents import posterior_mode
from tutelage.diffusion.load import local_folder
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.edit_student import EditStudent
from tutelage.students.folder import load_folder, pipeline_class
from tutelage.students.guided_unet import GuidedUNet
from tutelage.students.settings import EditShape, EditTraining

KINDS: Final[dict[str, Any]] = {
    kind.__name__: kind for kind in (StableDiffusionInstructPix2PixPipeline, StableDiffusionXLInstructPix2PixPipeline)
}
PARTS: Final = ("vae", "text_encoder", "tokenizer", "unet", "scheduler")
COSXL: Final = {
    "sigma_min": 0.002,
    "sigma_max": 120.0,
    "sigma_data": 1.0,
    "prediction_type": "v_prediction",
    "sigma_schedule": "exponential",
}
"""Noise levels of CosXL, as diffusers' documentation gives them."""


class ConcatUNet(nn.Module):
    """A UNet whose input is noisy latents and a source's latents, one upon the other."""

    def __init__(self, unet: Any, cell: int) -> None:
        """`cell` is the side of a latent position in pixels."""
        super().__init__()
        self.unet, self.cell = unet, cell

    def forward(self, sample: Tensor, times: Tensor, text: TextConditions, sources: Tensor) -> Tensor:
        """What the UNet says (B, C, h, w) of B noisy latents at (B,) times, given texts and sources (B, C, h, w)."""
        size = (sample.shape[2] * self.cell, sample.shape[3] * self.cell)
        return self.denoise(sample, times, text.arguments(size), sources)

    def denoise(self, sample: Tensor, times: Tensor, told: dict[str, Any], sources: Tensor) -> Tensor:
        """The same with the UNet's own keyword arguments."""
        seen = torch.cat([sample, sources.to(sample)], dim=1)
        said: Tensor = self.unet(seen, times, **told, return_dict=False)[0]
        return said


class InstructPix2Pix(EditStudent):
    """A base whose UNet has seen the source since its first layer."""

    network: ConcatUNet

    def __init__(self, pipeline: Any, training: EditTraining | None = None) -> None:
        """From a text-to-image pipeline whose UNet has been widened.

        Raises:
            BadInput: its UNet has other channels, or its schedule cannot be learnt at.
        """
        channels, latents = pipeline.unet.config.in_channels, pipeline.vae.config.latent_channels
        if channels != 2 * latents:
            raise BadInput(f"this UNet sees {channels} channels, not {2 * latents}: a picture's latents and a source's")
        super().__init__(pipeline, ConcatUNet(pipeline.unet, pipeline.vae_scale_factor), training)
        self.network.requires_grad_(True)
        if self.training.checkpointing:
            pipeline.unet.enable_gradient_checkpointing()

    @classmethod
    def from_base(
        cls, pipeline: Any, shape: EditShape, training: EditTraining | None = None, *, seed: int = 0
    ) -> "InstructPix2Pix":
        """See `EditStudent`; nothing is drawn, so the seed does not matter."""
        if not isinstance(pipeline, StableDiffusionPipeline | StableDiffusionXLPipeline):
            raise BadInput(f"{type(pipeline).__name__} is neither Stable Diffusion nor SDXL; give a model of these")
        latents = pipeline.vae.config.latent_channels
        if pipeline.unet.config.in_channels != latents:
            raise BadInput(f"this UNet sees {pipeline.unet.config.in_channels} channels; give one that sees {latents}")
        pipeline.unet.conv_in = widened(pipeline.unet.conv_in, latents)
        pipeline.unet.register_to_config(in_channels=2 * latents)
        if shape.schedule == "edm":
            pipeline.scheduler = EDMEulerScheduler(**COSXL)
        return cls(pipeline, training)

    @classmethod
    def load(
        cls, model: str | Path, device: str = "auto", dtype: str = "auto", training: EditTraining | None = None
    ) -> "InstructPix2Pix":
        where, folder = pick_device(device), local_folder(model)
        kind = pipeline_class(folder)
        if kind not in KINDS:
            raise BadInput(f"{folder} is a {kind}, no InstructPix2Pix; train one from it")
        found = load_folder(KINDS[kind], folder, where, pick_dtype(dtype, where))
        with quiet_libraries():
            base = _base(found)
        base.set_progress_bar_config(disable=True)
        return cls(base, training)

    def whole(self) -> Any:
        parts = {name: self.pipeline.components[name] for name in PARTS}
        if not self._is_sdxl:
            none = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
            return StableDiffusionInstructPix2PixPipeline(**parts, **none)
        parts |= {name: self.pipeline.components[name] for name in ("text_encoder_2", "tokenizer_2")}
        zeros = bool(self.pipeline.config.force_zeros_for_empty_prompt)
        flags = {"force_zeros_for_empty_prompt": zeros, "add_watermarker": False, "is_cosxl_edit": self.is_cosxl}
        made = StableDiffusionXLInstructPix2PixPipeline(**parts, **flags)
        made.register_to_config(is_cosxl_edit=self.is_cosxl)  # read on loading, but not written by the pipeline
        return made

    def guided(self) -> GuidedUNet:
        return GuidedUNet(self.network)

    def encode_sources(self, pictures: Sequence[Image.Image]) -> Tensor:
        vae = self.pipeline.vae
        latents = posterior_mode(vae, pictures)
        return latents * vae.config.scaling_factor if self.is_cosxl else latents

    @property
    def is_cosxl(self) -> bool:
        """Whether sources are scaled, as diffusers' `is_cosxl_edit` says."""
        return self._is_sdxl and "sigma_data" in self.pipeline.scheduler.config

    @property
    def _is_sdxl(self) -> bool:
        return isinstance(self.pipeline, StableDiffusionXLPipeline)


def widened(layer: Any, channels: int) -> nn.Conv2d:
    """A convolution with more input channels, after those it has; their weights are zero."""
    shape = (layer.out_channels, layer.kernel_size, layer.stride, layer.padding)
    new: Any = nn.Conv2d(layer.in_channels + channels, *shape).to(layer.weight)
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, : layer.in_channels] = layer.weight
        new.bias.copy_(layer.bias)
    return new  # type: ignore[no-any-return]


def _base(found: Any) -> Any:
    """A text-to-image pipeline of the same parts."""
    parts = {name: found.components[name] for name in PARTS}
    if not isinstance(found, StableDiffusionXLInstructPix2PixPipeline):
        none = {"safety_checker": None, "feature_extractor": None}
        return StableDiffusionPipeline(**parts, **none, requires_safety_checker=False)
    parts |= {name: found.components[name] for name in ("text_encoder_2", "tokenizer_2")}
    zeros = bool(found.config.force_zeros_for_empty_prompt)
    return StableDiffusionXLPipeline(**parts, force_zeros_for_empty_prompt=zeros, add_watermarker=False)
