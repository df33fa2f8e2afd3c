"""The base that experts start from, loaded once: Stable Diffusion or SDXL."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import diffusers
import torch
from diffusers.models.attention_processor import AttnProcessor

from tutelage.diffusion.device import pick_device, pick_dtype
from tutelage.diffusion.latents import fitted_size
from tutelage.diffusion.load import load_pipeline, local_folder, weights_hash
from tutelage.diffusion.noise import training_schedule
from tutelage.diffusion.sample import coarsest_cell, picture_size
from tutelage.diffusion.schedule import sampling_schedule
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.teachers.settings import Sampling, Training
from tutelage.teachers.tuning import kept

FEW: Final = 32
"""Latent positions a side up to which attention is plain on a CPU."""
KINDS: Final = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")


@dataclass(frozen=True, kw_only=True)
class Model:
    """A base and all that training and sampling need to know of it."""

    pipeline: Any
    """Its scheduler is the one to sample with."""
    schedule: diffusers.DDPMScheduler
    """The noise levels to train with."""
    weights: str
    """Hash of the folder."""
    precision: torch.dtype
    """What is computed in; weights that are trained stay float32, for bf16 would round small updates away."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def load(
        base: str | Path, device: str, dtype: str, training: Training, sampling: Sampling, *, frozen: bool = False
    ) -> "Model":
        """From a folder or Hub id; a `frozen` UNet is kept in what is computed in, for its weights will not change.

        Raises:
            BadInput: it cannot be loaded, is of another kind, or does not fit the settings.
        """
        precision = pick_dtype(dtype, pick_device(device))
        if precision == torch.float16:
            raise BadInput("fp16 cannot hold the gradients of an expert; give bf16 or fp32")
        folder = local_folder(base)
        pipeline: Any = load_pipeline(folder, device, "fp32")
        if type(pipeline).__name__ not in KINDS or pipeline.unet.config.in_channels > pipeline.unet.config.out_channels:
            raise BadInput(f"{folder} is neither Stable Diffusion nor SDXL for text to image; experts start from these")
        schedule = training_schedule(pipeline.scheduler)
        pipeline.scheduler = sampling_schedule(sampling.scheduler, pipeline.scheduler)
        picture_size(pipeline, sampling.size)
        for part in pipeline.components.values():
            if isinstance(part, torch.nn.Module):
                part.requires_grad_(False).eval()
        plain_attention(pipeline)
        if training.gradient_checkpointing:
            pipeline.unet.enable_gradient_checkpointing()
        if frozen:
            for parameter in pipeline.unet.parameters():
                parameter.data = parameter.data.to(precision)
        return Model(pipeline=pipeline, schedule=schedule, weights=weights_hash(folder), precision=precision)

    @cached_property
    def base(self) -> dict[str, torch.Tensor]:
        """A copy of the UNet's weights, to come back to."""
        return kept(self.pipeline.unet)

    def autocast(self) -> AbstractContextManager[Any]:
        """Compute in `precision`."""
        lower = self.precision == torch.bfloat16
        return torch.autocast(self.pipeline.device.type, torch.bfloat16, enabled=lower)

    def said(self, noisy: torch.Tensor, t: torch.Tensor, text: TextConditions) -> torch.Tensor:
        """What the UNet says (B, C, h, w) of noisy latents (B, C, h, w) at timesteps (B,), in float32."""
        unet, fold = self.pipeline.unet, self.pipeline.vae_scale_factor
        size = (noisy.shape[2] * fold, noisy.shape[3] * fold)
        with self.autocast() if unet.dtype == torch.float32 else nullcontext():
            told = text.to(unet.dtype).arguments(size)
            answer: torch.Tensor = unet(noisy.to(unet.dtype), t, **told).sample
        return answer.float()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For one expert at a time: two that were trained by turns would overwrite each other."""
        if not self.lock.acquire(blocking=False):
            raise RuntimeError("this teacher is teaching; take all of its triplets, or close them, before asking anew")
        try:
            yield
        finally:
            self.lock.release()

    def size_for(self, width: int, height: int) -> tuple[int, int]:
        """The (height, width) in pixels at which a picture is learnt: its own aspect ratio, the base's own area."""
        return fitted_size((height, width), picture_size(self.pipeline, None), coarsest_cell(self.pipeline))


def plain_attention(pipeline: Any) -> None:
    """On a CPU, where there are few positions, attention without fusing is several times faster on the way back."""
    unet = pipeline.unet
    if pipeline.device.type == "cpu" and max(picture_size(pipeline, None)) <= FEW * pipeline.vae_scale_factor:
        unet.set_attn_processor(AttnProcessor())
