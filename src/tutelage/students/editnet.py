"""EditNet (OmniEdit): an editor on a DiT whose control branch works in step with the base; see `edit_net`."""

from pathlib import Path
from typing import Any

from diffusers import DiffusionPipeline

from tutelage.students.edit_net import EditNet, EditTransformer
from tutelage.students.sd3 import ENCODERS, EditPipeline, Sd3EditStudent, base_of, check_kind, load_sd3
from tutelage.students.settings import EditShape, EditTraining


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


class EditNetPipeline(EditPipeline, DiffusionPipeline):  # type: ignore[misc]
    """Edits a picture as told; see `EditPipeline`.

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

    def editor(self) -> EditNetStudent:
        """Made when it is first needed and again when a part of it was replaced."""
        student, parts = self._student, (self.transformer, self.edit_net)
        if student is None or (student.network.transformer, student.network.edit_net) != parts:
            self._student = student = EditNetStudent(base_of(self), self.edit_net)
        return student
