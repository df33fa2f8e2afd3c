"""SuTI's apprentice: a text-to-image model that draws a subject it is shown a few pictures of (Chen et al. 2023).

The base's UNet is run again over the demonstrations, and new attention looks at what it makes of them; see
`reference_unet`. Any Stable Diffusion or SDXL pipeline can be the base.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from PIL.Image import Image
from torch import Tensor, nn

from tutelage.diffusion.noise import denoising_target, error_weight, training_schedule
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.base import Batch, References, Request
from tutelage.students.drawing import Plan, draw, no_text
from tutelage.students.examples import Encoder
from tutelage.students.folder import load_parts, save_parts
from tutelage.students.guidance import Guidance
from tutelage.students.guided_unet import GuidedUNet
from tutelage.students.reference_attention import ReferenceAttention, new_layers
from tutelage.students.reference_unet import ReferenceUNet
from tutelage.students.settings import SutiShape, SutiTraining


class Suti:
    """A base and its new layers. It fills `base.Learner`."""

    network: ReferenceUNet
    """All that learns; what `training.learns` leaves out takes no gradients."""
    called: nn.Module
    """What `loss` calls: the network, or what a trainer made of it, such as the answer of accelerate's `prepare`."""

    def __init__(self, pipeline: Any, attention: ReferenceAttention, training: SutiTraining | None = None) -> None:
        """Join a pipeline and new layers; the pipeline's UNet is used as it is, not copied.

        Raises:
            BadInput: the pipeline is neither Stable Diffusion nor SDXL, or the layers were made for another UNet.
        """
        _check_kind(pipeline)
        self.pipeline, self.training = pipeline, training or SutiTraining()
        self.network = ReferenceUNet(pipeline.unet, attention, pipeline.vae_scale_factor)
        self.called = self.network
        self.network.through_references = self.training.through_references
        self.network.requires_grad_(self.training.learns == "everything")
        attention.requires_grad_(True)
        if self.training.checkpointing:
            self.network.checkpoint_activations()

    @staticmethod
    def from_base(pipeline: Any, shape: SutiShape, training: SutiTraining | None = None, *, seed: int = 0) -> "Suti":
        """A student that has learned nothing yet: with demonstrations or without, it says what its base says.

        Raises:
            BadInput: the base is neither Stable Diffusion nor SDXL, or has no place for the new layers.
        """
        _check_kind(pipeline)
        return Suti(pipeline, new_layers(pipeline.unet, shape, seed), training)

    @staticmethod
    def load(
        model: str | Path, device: str = "auto", dtype: str = "auto", training: SutiTraining | None = None
    ) -> "Suti":
        """A student from a folder that `save` wrote, or from the Hub id of such a folder.

        Raises:
            BadInput: the device is absent, or the folder is missing, incomplete, corrupt or of another kind.
        """
        return Suti(*load_parts(model, device, dtype), training)

    def save(self, folder: Path, dtype: str = "fp32") -> None:
        """Write a pipeline folder of diffusers with the new layers in `reference_attention`, whole or not at all.

        Raises:
            BadInput: there is something at `folder`.
        """
        save_parts(self.pipeline, self.network.attention, folder, dtype)

    def encoder(self) -> Encoder:
        """See `base.Learner`."""
        return Encoder(self.pipeline)

    def loss(self, batch: Batch) -> Tensor:
        """Eq. 5: the squared error of what the network says of the noisy targets, in whatever it was trained to say."""
        schedule, t = self._schedule, batch.timesteps
        noisy = schedule.add_noise(batch.latents, batch.noise, t)
        text = batch.text.replaced(self._nothing, batch.drop_text)
        shown = batch.references
        present = shown.present & ~batch.drop_references[:, None]
        said = self.called(noisy, t, text, References(latents=shown.latents, captions=shown.captions, present=present))
        target = denoising_target(schedule, batch.latents, batch.noise, t)
        error = (said.float() - target).square().mean((1, 2, 3))
        value: Tensor = (error * error_weight(schedule, t, self.training.weighting)).mean()
        return value

    def generate(
        self,
        requests: Sequence[Request],
        *,
        steps: int,
        guidance: Guidance,
        size: tuple[int, int] | None = None,
        batch: int = 8,
        negative: str = "",
        cached: bool = True,
    ) -> Iterator[list[Image]]:
        """Draw with the pipeline's scheduler, any of diffusers; see `base.Student.generate`.

        `negative` is what to steer away from. Without `cached`, demonstrations are encoded again at every step: the
        pictures are the same and take longer.
        """
        plan = Plan(steps=steps, guidance=guidance, size=size, batch=batch, negative=negative, cached=cached)
        return draw(self.pipeline, GuidedUNet(self.network), requests, plan)

    @cached_property
    def _schedule(self) -> DDPMScheduler:
        return training_schedule(self.pipeline.scheduler)

    @cached_property
    def _nothing(self) -> TextConditions:
        with torch.autocast(self.pipeline.device.type, enabled=False):  # it is asked for in the middle of a step
            return no_text(self.pipeline)


def _check_kind(pipeline: Any) -> None:
    unet = getattr(pipeline, "unet", None)
    if not isinstance(unet, UNet2DConditionModel) or getattr(pipeline, "text_encoder", None) is None:
        raise BadInput(f"{type(pipeline).__name__} is neither Stable Diffusion nor SDXL; give a model of these")
    if unet.config.addition_embed_type not in (None, "text_time") or unet.config.time_cond_proj_dim is not None:
        raise BadInput("this UNet is told more than texts and sizes; give one of plain Stable Diffusion or SDXL")
