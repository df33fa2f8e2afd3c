"""Answers of null-text inversion with Prompt-to-Prompt (Mokady et al. 2023): a demonstration is inverted and edited."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tutelage.editing.settings import NullText, PromptToPrompt
from tutelage.generators.base import BYTES
from tutelage.generators.networks import GUIDANCE, STEPS, base_hash
from tutelage.run import FREE
from tutelage.triplet import Assignment

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image

    from tutelage.editing.inversion import Inverted

CONTROL: Final = PromptToPrompt(words="refine", cross=0.4, self_attention=0.2)
"""Demonstration and prompt share the words for the subject and differ in all else, so little is held, and not long."""


@dataclass(frozen=True, kw_only=True)
class NullTextEditor:
    """For each prompt the demonstration whose caption is nearest to it; the others are not looked at.

    There is no chance in it: the same demonstration and prompt come to the same picture.
    """

    base: str | Path = "toybox-sd"
    """A shipped name, a folder or a Hub id of a Stable Diffusion or SDXL pipeline."""
    steps: int = STEPS
    null_text: NullText = field(default_factory=lambda: NullText(guidance=GUIDANCE))
    control: PromptToPrompt = CONTROL
    name: str = "null-text"
    device: str = field(default="auto", metadata=FREE)
    timed: ClassVar[bool] = True

    def made_from(self) -> str:
        """Hash of the base's folder."""
        return base_hash(self.base)

    def bytes_kept(self, prompts: int) -> int | None:
        """Noise and an embedding of nothing for each step: one inversion a prompt, if no two share a demonstration."""
        from tutelage.teachers.storage import told_numbers, unet_shape
        from tutelage.toybox.checkpoints import checkpoint

        folder = checkpoint(self.base)
        config = unet_shape(folder).config
        noise = int(config.in_channels * config.sample_size**2)
        return BYTES * prompts * (self.steps * told_numbers(folder) + noise)

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        from tutelage.diffusion.load import load_pipeline
        from tutelage.teachers.closest import closest
        from tutelage.toybox.checkpoints import checkpoint

        pipeline = load_pipeline(checkpoint(self.base), self.device, "fp32")
        inverted: dict[tuple[str, int], Any] = {}
        for question in questions:
            if inverted and next(iter(inverted))[0] != question.cluster.id:
                inverted.clear()
            key = question.cluster.id, closest(pipeline, question)
            if key not in inverted:
                inverted[key] = self._inverted(pipeline, question, key[1])
            yield self._edited(pipeline, inverted[key], question.text)

    def _inverted(self, pipeline: Any, question: Assignment, number: int) -> "Inverted":
        from tutelage.diffusion.latents import fitted_size
        from tutelage.diffusion.pictures import decode
        from tutelage.diffusion.sample import coarsest_cell, picture_size
        from tutelage.editing.denoise import Denoiser
        from tutelage.editing.inversion import invert, null_text

        shown = question.cluster.references[number]
        picture = decode(shown.picture.data, f"a demonstration of {question.cluster.id}")
        size = fitted_size((picture.height, picture.width), picture_size(pipeline, None), coarsest_cell(pipeline))
        denoiser = Denoiser.of(pipeline, size)
        caption = shown.caption or question.cluster.subject
        return null_text(denoiser, invert(denoiser, picture, caption, self.steps), self.null_text)

    def _edited(self, pipeline: Any, inverted: "Inverted", text: str) -> "Image":
        from tutelage.editing.denoise import Denoiser
        from tutelage.editing.inversion import draw_inverted
        from tutelage.editing.prompt_to_prompt import Edit

        height, width = inverted.path.shape[2:]
        fold = pipeline.vae_scale_factor
        edit = Edit(source=inverted.prompt, target=text, seed=0, control=self.control, guidance=self.null_text.guidance)
        return draw_inverted(Denoiser.of(pipeline, (height * fold, width * fold)), inverted, edit)[1]
