"""Prompts → what the UNets of Stable Diffusion and SDXL and the transformer of SD3 are told by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tutelage.diffusion.quiet import quiet_libraries
from tutelage.errors import BadInput


@dataclass(frozen=True)
class TextConditions:
    """Encoded prompts."""

    hidden: Tensor
    """(B, L, D), one vector a token."""
    pooled: Tensor | None = None
    """(B, P), one vector a prompt; SDXL and SD3 only."""

    def take(self, indices: Sequence[int]) -> "TextConditions":
        """The conditions of some of the prompts, in that order; repeats are allowed."""
        which = list(indices)
        return TextConditions(self.hidden[which], None if self.pooled is None else self.pooled[which])

    def replaced(self, other: "TextConditions", where: Tensor) -> "TextConditions":
        """These rows, or the one row of `other` where `where` (B,) says so."""
        hidden = torch.where(where[:, None, None], other.hidden.to(self.hidden), self.hidden)
        if self.pooled is None or other.pooled is None:
            return TextConditions(hidden)
        return TextConditions(hidden, torch.where(where[:, None], other.pooled.to(self.pooled), self.pooled))

    def to(self, dtype: torch.dtype) -> "TextConditions":
        """The same in another number format."""
        return TextConditions(self.hidden.to(dtype), None if self.pooled is None else self.pooled.to(dtype))

    def arguments(self, size: tuple[int, int]) -> dict[str, Any]:
        """Keyword arguments for the UNet and pictures of `size` = (height, width) pixels, of which nothing was cut."""
        told: dict[str, Any] = {"encoder_hidden_states": self.hidden}
        if self.pooled is not None:
            sizes = torch.tensor([[*size, 0, 0, *size]], dtype=self.pooled.dtype, device=self.pooled.device)
            told["added_cond_kwargs"] = {
                "text_embeds": self.pooled,
                "time_ids": sizes.expand(len(self.pooled), -1),  # original size, crop, target size: SDXL, §2.2
            }
        return told


def encode_text(pipeline: Any, prompts: Sequence[str]) -> TextConditions:
    """Encode prompts as the pipeline itself does; gradients reach the text encoders unless switched off.

    What is beyond the tokenizer's limit is cut off. Where an SD3 has no T5, nothing stands in for its tokens;
    diffusers' own pipeline has 256 of zeros there.

    Raises:
        BadInput: the pipeline is neither Stable Diffusion's nor SDXL's nor SD3's.
    """
    denoiser = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    encoders = [getattr(pipeline, name, None) for name in ("text_encoder", "text_encoder_2")]
    if denoiser is None or encoders == [None, None]:  # SDXL's refiner has the second alone
        raise BadInput(f"{type(pipeline).__name__} is neither Stable Diffusion nor SDXL nor SD3; give a model of these")
    told: dict[str, Any] = {"num_images_per_prompt": 1, "do_classifier_free_guidance": False}
    if "text_encoder_3" in pipeline.components:
        told |= {"prompt_2": None, "prompt_3": None}
        told |= {} if pipeline.text_encoder_3 else {"max_sequence_length": 0}
    with quiet_libraries():  # they remark on every long prompt
        encoded = pipeline.encode_prompt(prompt=list(prompts), device=pipeline.device, **told)
    return TextConditions(encoded[0], encoded[2] if len(encoded) == 4 else None)
