"""EditNet (OmniEdit): an editor on a DiT whose control branch works in step with the base; see `edit_net`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffusers import DiffusionPipeline, ImagePipelineOutput, StableDiffusion3Pipeline
from PIL.Image import Image

from tutelage.diffusion.pictures import png
from tutelage.diffusion.sample import image_seed
from tutelage.students.base import Request
from tutelage.students.edit_net import EditNet, EditTransformer
from tutelage.students.guidance import Guidance, ImageFirst
from tutelage.students.sd3 import ENCODERS, PARTS, Sd3EditStudent, check_kind, load_sd3
from tutelage.students.settings import EditShape, EditTraining
from tutelage.triplet import Picture, Reference


class EditNetStudent(Sd3EditStudent):
    """A base that stays as it is, and a branch that learns."""

    network: EditTransformer

    def __init__(self, pipeline: Any, edit_net: EditNet, training: EditTraining | None = None) -> None:
        """Join a pipeline and a branch.

        Raises:
            BadInput: the pipeline is no SD3, or the branch was made for another one.
        """
        check_kind(pipeline)
        super().__init__(pipeline, EditTransformer(pipeline.transformer, edit_net), training)
        pipeline.transformer.requires_grad_(self.training.base_learns)
        edit_net.requires_grad_(True)
        self.network.checkpointing = self.training.checkpointing

    @classmethod
    def from_base(
        cls, pipeline: Any, shape: EditShape, training: EditTraining | None = None, *, seed: int = 0
    ) -> "EditNetStudent":
        """See `EditStudent`; all that is new is a copy or zero, so the seed does not matter."""
        check_kind(pipeline)
        return cls(pipeline, EditNet.of(pipeline.transformer), training)

    @classmethod
    def load(
        cls, model: str | Path, device: str = "auto", dtype: str = "auto", training: EditTraining | None = None
    ) -> "EditNetStudent":
        base, found = load_sd3(EditNetPipeline, model, device, dtype)
        return cls(base, found.edit_net, training)

    def whole(self) -> Any:
        return EditNetPipeline(**self.parts(), edit_net=self.network.edit_net)


class EditNetPipeline(DiffusionPipeline):  # type: ignore[misc]
    """Edits a picture as told: `EditNetPipeline.from_pretrained(folder)("make it night", picture)`.

    Without tutelage the same folder opens as `StableDiffusion3Pipeline`, which draws from text alone. Student folders
    name this class: it has to keep its name.
    """

    _optional_components = [*ENCODERS]  # noqa: RUF012  # a list, for diffusers adds it to lists

    def __init__(
        self,
        transformer: Any,
        scheduler: Any,
        vae: Any,
        text_encoder: Any,
        tokenizer: Any,
        text_encoder_2: Any,
        tokenizer_2: Any,
        edit_net: EditNet,
        text_encoder_3: Any = None,
        tokenizer_3: Any = None,
    ) -> None:
        super().__init__()
        encoders = {"text_encoder": text_encoder, "text_encoder_2": text_encoder_2, "text_encoder_3": text_encoder_3}
        tokenizers = {"tokenizer": tokenizer, "tokenizer_2": tokenizer_2, "tokenizer_3": tokenizer_3}
        parts = {"transformer": transformer, "scheduler": scheduler, "vae": vae, "edit_net": edit_net}
        self.register_modules(**parts, **encoders, **tokenizers)
        self._student: EditNetStudent | None = None

    def __call__(
        self,
        prompt: str | Sequence[str],
        image: Image,
        *,
        num_inference_steps: int = 28,
        guidance: Guidance | None = None,
        negative_prompt: str = "",
        seed: int = 0,
        batch: int = 8,
    ) -> ImagePipelineOutput:
        """Edit a picture once an instruction. The noise of number i is keyed by (seed, i).

        `guidance` is `ImageFirst()` unless another is given.

        Raises:
            BadInput: a number is out of range.
        """
        shown = (Reference(picture=Picture(data=png(image))),)
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        requests = [Request(text=p, references=shown, seed=image_seed(seed, i)) for i, p in enumerate(prompts)]
        told: dict[str, Any] = {"guidance": guidance or ImageFirst(), "negative": negative_prompt, "batch": batch}
        made = self._editor().generate(requests, steps=num_inference_steps, **told)
        return ImagePipelineOutput(images=[picture for pictures in made for picture in pictures])

    def _editor(self) -> EditNetStudent:
        """Made when it is first needed and again when a part of it was replaced."""
        student, parts = self._student, (self.transformer, self.edit_net)
        if student is None or (student.network.transformer, student.network.edit_net) != parts:
            base = StableDiffusion3Pipeline(**{name: self.components[name] for name in PARTS})
            base.set_progress_bar_config(disable=True)
            self._student = student = EditNetStudent(base, self.edit_net)
        return student
