"""Who edits pictures: the contract, and InstructPix2Pix as diffusers has it; and pictures that were made elsewhere.

To add an editor, write a frozen, keyword-only dataclass that fills `Editor`; `edit_command` names those of the command
line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from tutelage.errors import BadInput
from tutelage.run import FREE

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image

    from tutelage.benches.editing.questions import EditQuestion

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp")
"""Endings that an answer made elsewhere may have."""


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """All that an editor is told of a question."""

    id: str
    source: bytes
    """The picture's file."""
    instruction: str
    before: str = ""
    """Caption of the source, where there is one."""
    after: str = ""
    """Caption of what is wanted, where there is one."""


@dataclass(frozen=True, kw_only=True)
class EditSettings:
    """How strictly to edit; editors without such knobs ignore them."""

    text: float = 7.5
    """Guidance towards the instruction."""
    image: float = 1.5
    """Guidance towards the source (InstructPix2Pix, Eq. 3)."""
    run: int = 0
    """Another run draws other noise."""
    place: str = ""
    """Folder of the answers inside the editor's; empty where a bench asks with one setting only."""


class Editor(Protocol):
    """Something that answers requests with pictures; a frozen dataclass, whose fields are stored beside them."""

    @property
    def name(self) -> str:
        """The row of its figures, and the folder of its pictures."""
        ...

    timed: ClassVar[bool]
    """Whether it makes pictures, so that the seconds it takes say something."""

    def made_from(self) -> str:
        """Hash of what its pictures depend on besides its fields, such as weights; empty if there is nothing.

        Raises:
            BadInput: something is absent.
        """
        ...

    def edit(self, requests: Sequence[EditRequest], settings: EditSettings) -> "Iterator[Image]":
        """Yield an RGB picture for each request, in order, each made when it is asked for.

        A picture depends on the editor, its own request and the settings alone. Its size may differ from the source's.

        Raises:
            BadInput: something is absent or cannot be used; what can be known before the first picture is told before.
        """
        ...


def made_elsewhere(folder: Path, question: str, settings: EditSettings) -> bytes | None:
    """A question's answer in a folder, in any of the usual formats, such as `3_delete/0007.jpg`; None: none is there.

    Raises:
        BadInput: it is there and cannot be read.
    """
    paths = (folder / settings.place / f"{question}{suffix}" for suffix in SUFFIXES)
    path = next((path for path in paths if path.is_file()), None)
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); make it readable") from error


@dataclass(frozen=True, kw_only=True)
class InstructPix2Pix:
    """A folder or Hub id of diffusers' InstructPix2Pix pipeline for Stable Diffusion."""

    model: str | Path
    steps: int = 50
    seed: int = 0
    name: str = "instruct-pix2pix"
    device: str = field(default="auto", metadata=FREE)
    timed: ClassVar[bool] = True

    def made_from(self) -> str:
        """Hash of the folder."""
        from tutelage.diffusion.load import local_folder, weights_hash

        return weights_hash(local_folder(self.model))

    def edit(self, requests: Sequence[EditRequest], settings: EditSettings) -> "Iterator[Image]":
        """See `Editor`."""
        from tutelage.diffusion.noise import keyed_generator
        from tutelage.diffusion.pictures import decode

        pipeline = self._load()
        for request in requests:
            drawn = pipeline(
                request.instruction,
                image=decode(request.source, request.id),
                num_inference_steps=self.steps,
                guidance_scale=settings.text,
                image_guidance_scale=settings.image,
                generator=keyed_generator(self.seed, request.id, settings.run, "edit"),
            )
            yield drawn.images[0].convert("RGB")

    def _load(self) -> Any:
        import diffusers

        from tutelage.diffusion.device import pick_device, pick_dtype
        from tutelage.diffusion.load import LOADING_FAULTS, check_folder, local_folder
        from tutelage.diffusion.quiet import quiet_libraries
        from tutelage.diffusion.vision import first_line

        where, folder = pick_device(self.device), local_folder(self.model)
        check_folder(folder)
        with quiet_libraries():
            kind: Any = diffusers.StableDiffusionInstructPix2PixPipeline
            try:
                pipeline = kind.from_pretrained(folder, dtype=pick_dtype("auto", where), use_safetensors=True)
            except LOADING_FAULTS as error:
                raise BadInput(f"{folder} cannot be loaded as InstructPix2Pix: {first_line(error)}") from error
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(where)


@dataclass(frozen=True, kw_only=True)
class StudentEditor:
    """An editor that was trained here, of any kind: its folder or Hub id; see `students.EDITORS`."""

    model: str | Path
    steps: int = 50
    seed: int = 0
    name: str = "student"
    device: str = field(default="auto", metadata=FREE)
    timed: ClassVar[bool] = True

    def made_from(self) -> str:
        """Hash of the folder."""
        from tutelage.diffusion.load import local_folder, weights_hash
        from tutelage.toybox.checkpoints import checkpoint

        return weights_hash(local_folder(checkpoint(self.model)))

    def edit(self, requests: Sequence[EditRequest], settings: EditSettings) -> "Iterator[Image]":
        """See `Editor`."""
        from tutelage.diffusion.noise import keyed_seed
        from tutelage.edit import load_editor
        from tutelage.students.base import Request
        from tutelage.students.guidance import ImageFirst
        from tutelage.triplet import Picture, Reference

        editor, _ = load_editor(self.model, self.device)
        guidance = ImageFirst(text=settings.text, image=settings.image)
        for one in requests:
            shown = (Reference(picture=Picture(data=one.source, url=one.id), caption=one.before),)
            seed = keyed_seed(self.seed, one.id, settings.run, "edit")
            asked = Request(text=one.instruction, references=shown, seed=seed)
            yield from next(editor.generate([asked], steps=self.steps, guidance=guidance, batch=1))


def requests_of(questions: "Sequence[EditQuestion]") -> list[EditRequest]:
    """The questions as editors are given them: without masks, and without the set's own edits."""
    return [
        EditRequest(id=one.id, source=one.source, instruction=one.instruction, before=one.before, after=one.after)
        for one in questions
    ]
