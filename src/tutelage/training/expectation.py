"""What a trained Stable Diffusion expects of noisy latents: a target without the noise of a single picture.

A network that is taught by pictures is to find E[ε − x | x_σ, words], of which each picture is a sample; where noise
prevails, samples differ much more than what the words change. Another network that has found it says it outright, at
the cost of one pass forward (distillation, Hinton et al. 2015; of velocities, Salimans & Ho 2022).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import CLIPTextModel

from tutelage.errors import BadInput
from tutelage.training.brush import frozen_base

NOISY: Final = 0.5
"""σ from which there is more noise than picture. Below, pictures are the better teachers: they are sharp."""


@dataclass(frozen=True)
class Expectation:
    """A frozen Stable Diffusion that says v, of the codec whose latents another network learns."""

    unet: UNet2DConditionModel
    vae: AutoencoderTiny
    text_encoder: CLIPTextModel
    signal: Tensor
    """ᾱ (T,), falling."""

    @staticmethod
    def load(base: str | Path, device: str) -> "Expectation":
        """From a folder or Hub id.

        Raises:
            BadInput: it cannot be loaded, or is no Stable Diffusion that says v.
        """
        pipeline: Any = frozen_base(base, device)
        if pipeline.scheduler.config.prediction_type != "v_prediction":
            raise BadInput(f"{base} does not predict v; give a Stable Diffusion that does, such as toybox-sd")
        if pipeline.device.type == "cpu":  # faster than the fused one there for so few positions
            pipeline.unet.set_attn_processor(AttnProcessor())
        signal = pipeline.scheduler.alphas_cumprod.to(pipeline.device)
        return Expectation(pipeline.unet, pipeline.vae, pipeline.text_encoder, signal)

    @torch.no_grad()
    def velocity(self, seen: Tensor, sigma: Tensor, ids: Tensor) -> Tensor:
        """E[ε − x | x_σ, words] (B, C, h, w), of x_σ = (1 − σ) x + σ ε, σ (B, 1, 1, 1) above 0, and token ids (B, L).

        The same noise is found among the UNet's steps by its ratio to the picture.
        """
        scale = ((1 - sigma).square() + sigma.square()).rsqrt()
        alpha, beta = (1 - sigma) * scale, sigma * scale
        steps = (self.signal - alpha.square().flatten()[:, None]).abs().argmin(1)
        words = self.text_encoder(input_ids=ids).last_hidden_state
        noisy = (seen * scale).to(memory_format=torch.channels_last)
        said = self.unet(noisy, steps, words).sample.float()
        clean = alpha * noisy - beta * said
        velocity: Tensor = (seen - clean) / sigma
        return velocity
