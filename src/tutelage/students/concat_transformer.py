"""Channel concatenation on a DiT: InstructPix2Pix (Brooks et al. 2023) with SD3's transformer in the UNet's place.

The patch embedding has more input channels, in which the source's latents are as the codec's config shifts and scales
them. The new weights start at zero, so that it begins as its base; then all of the transformer learns. Diffusers has a
pipeline for such folders among its community examples; the class here has its name and sees the same.
"""

from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusion3Pipeline
from torch import Tensor, nn

from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.instruct_pix2pix import widened
from tutelage.students.sd3 import EditPipeline, Sd3EditStudent, arguments, base_of, check_kind, load_sd3
from tutelage.students.settings import EditShape, EditTraining


class ConcatTransformer(nn.Module):
    """A transformer whose input is noisy latents and a source's latents, one upon the other."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, sample: Tensor, times: Tensor, text: TextConditions, sources: Tensor) -> Tensor:
        """What it says (B, C, h, w) of B noisy latents at (B,) times, given texts and sources (B, C, h, w)."""
        return self.denoise(sample, times, arguments(text), sources)

    def denoise(self, sample: Tensor, times: Tensor, told: dict[str, Any], sources: Tensor) -> Tensor:
        """The same with the transformer's own keyword arguments; `times` may be one for all."""
        seen = torch.cat([sample, sources.to(sample)], dim=1)
        said: Tensor = self.transformer(
            hidden_states=seen, timestep=times.expand(len(seen)), return_dict=False, **told
        )[0]
        return said


class ConcatStudent(Sd3EditStudent):
    """A base whose transformer has seen the source since its first layer."""

    network: ConcatTransformer

    def __init__(self, pipeline: Any, training: EditTraining | None = None) -> None:
        """From a text-to-image pipeline whose transformer has been widened.

        Raises:
            BadInput: the pipeline is no SD3, or its transformer has other channels.
        """
        check_kind(pipeline)
        channels, latents = pipeline.transformer.config.in_channels, pipeline.vae.config.latent_channels
        if channels != 2 * latents:
            what = "a picture's latents and a source's"
            raise BadInput(f"this transformer sees {channels} channels, not {2 * latents}: {what}")
        super().__init__(pipeline, ConcatTransformer(pipeline.transformer), training)
        self.network.requires_grad_(True)
        if self.training.checkpointing:
            pipeline.transformer.enable_gradient_checkpointing()

    @classmethod
    def from_base(
        cls, pipeline: Any, shape: EditShape, training: EditTraining | None = None, *, seed: int = 0
    ) -> "ConcatStudent":
        """See `EditStudent`; nothing is drawn, so the seed does not matter."""
        check_kind(pipeline)
        transformer, latents = pipeline.transformer, pipeline.vae.config.latent_channels
        if (channels := transformer.config.in_channels) != latents:
            raise BadInput(f"this transformer sees {channels} channels; give one that sees {latents}")
        transformer.pos_embed.proj = widened(transformer.pos_embed.proj, latents)
        transformer.register_to_config(in_channels=2 * latents, out_channels=transformer.out_channels)
        return cls(pipeline, training)

    @classmethod
    def load(
        cls, model: str | Path, device: str = "auto", dtype: str = "auto", training: EditTraining | None = None
    ) -> "ConcatStudent":
        base, _ = load_sd3(StableDiffusion3InstructPix2PixPipeline, model, device, dtype)
        return cls(base, training)

    def whole(self) -> Any:
        return StableDiffusion3InstructPix2PixPipeline(**self.parts())


class StableDiffusion3InstructPix2PixPipeline(EditPipeline, StableDiffusion3Pipeline):  # type: ignore[misc]
    """Edits a picture as told; see `EditPipeline`. Student folders name this class: it has to keep its name."""

    def editor(self) -> ConcatStudent:
        return ConcatStudent(base_of(self))
