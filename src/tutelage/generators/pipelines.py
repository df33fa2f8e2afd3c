"""Answers of any pipeline of diffusers that looks at a picture: its class says under which argument."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tutelage.errors import BadInput, did_you_mean
from tutelage.generators.networks import GUIDANCE, STEPS, base_hash, noise
from tutelage.run import FREE
from tutelage.triplet import Assignment

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline as its folder says it is, told the prompt and shown the first demonstration, or all of them."""

    model: str | Path
    """A shipped name, a folder or a Hub id."""
    argument: str
    """What the pipeline calls its picture, such as `image`, `ip_adapter_image` or `input_images`."""
    several: bool = False
    """Give the argument a list of all demonstrations, not the first one."""
    seed: int = 0
    steps: int = STEPS
    guidance: float = GUIDANCE
    name: str = "pipeline"
    device: str = field(default="auto", metadata=FREE)
    timed: ClassVar[bool] = True

    def made_from(self) -> str:
        """Hash of the folder."""
        return base_hash(self.model)

    def bytes_kept(self, prompts: int) -> int | None:
        """Nothing."""
        return 0

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        import torch

        from tutelage.diffusion.load import load_pipeline
        from tutelage.diffusion.quiet import quiet_libraries
        from tutelage.toybox.checkpoints import checkpoint

        pipeline: Any = load_pipeline(checkpoint(self.model), self.device, kind="DiffusionPipeline")
        options = self._options(pipeline)
        for one in questions:
            generator = torch.Generator("cpu").manual_seed(noise(self.seed, one))
            with quiet_libraries():
                made = pipeline(prompt=one.text, generator=generator, **{self.argument: self._shown(one)}, **options)
            yield made.images[0].convert("RGB")

    def _shown(self, question: Assignment) -> "Image | list[Image]":
        from tutelage.diffusion.pictures import decode

        references = question.cluster.references[: None if self.several else 1]
        pictures = [decode(one.picture.data, f"a demonstration of {question.id}") for one in references]
        return pictures if self.several else pictures[0]

    def _options(self, pipeline: Any) -> dict[str, Any]:
        """Steps and guidance, where the pipeline takes them.

        Raises:
            BadInput: it takes no such picture.
        """
        known = inspect.signature(pipeline.__call__).parameters
        if self.argument not in known:
            near = did_you_mean(self.argument, known)
            raise BadInput(f"{type(pipeline).__name__} takes no '{self.argument}'.{near} It takes {', '.join(known)}")
        wanted = {"num_inference_steps": self.steps, "guidance_scale": self.guidance, "output_type": "pil"}
        return {name: value for name, value in wanted.items() if name in known}
