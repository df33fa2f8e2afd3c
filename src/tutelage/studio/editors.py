"""Who edits: students, and the specialists that make such pairs for them, each loaded when it is first asked and kept.

A student's picture is that of `tutelage edit` for the same settings.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tutelage.edit import IMAGE, STEPS, TEXT, about, edited, load_editor
from tutelage.errors import BadInput
from tutelage.stamp import EditSettings, Settings
from tutelage.studio.artists import MOST_STEPS, MOST_WEIGHT, Artists, draws_toys, ticking
from tutelage.studio.drawing import Tick
from tutelage.studio.orders import order_of, suggestion
from tutelage.studio.settings import named
from tutelage.triplet import Assignment, Picture, Reference

if TYPE_CHECKING:
    from PIL.Image import Image

    from tutelage.students.edit_student import EditStudent
    from tutelage.teachers.specialists.base import Specialist

SPECIALIST: Final = "specialist"
SOURCE: Final = "picture"
"""What settings call the picture that was brought."""
TWICE: Final = ("attribute", "environment", "style")
"""Tasks whose specialists go through all steps twice: the picture is inverted first."""


@dataclass(frozen=True, kw_only=True)
class EditWish:
    """What is to be changed.

    Raises:
        BadInput: a value is out of range.
    """

    source: bytes
    """The picture's file."""
    instruction: str
    who: tuple[str, ...] = ()
    order: Assignment | None = None
    """What the specialist is told, if it is asked."""
    seed: int = 0
    steps: int = STEPS
    """Of students; specialists have their recipe's."""
    text: float = TEXT
    image: float = IMAGE

    def __post_init__(self) -> None:
        if not self.instruction.strip():
            raise BadInput("write what is to be changed")
        if not 0 <= self.seed < 2**63:
            raise BadInput(f"the seed is {self.seed}; choose 0 to 2**63 - 1")
        if not 1 <= self.steps <= MOST_STEPS:
            raise BadInput(f"choose 1 to {MOST_STEPS} steps")
        if not (0 <= self.text <= MOST_WEIGHT and 0 <= self.image <= MOST_WEIGHT):
            raise BadInput(f"choose guidance from 0 to {MOST_WEIGHT:g}")


class Editors:
    """The editors of a studio; they share its one drawing at a time with the artists.

    Raises:
        BadInput: two students have one name.
    """

    def __init__(self, artists: Artists) -> None:
        self.artists, self.studio, self.busy = artists, artists.studio, artists.busy
        self.students = {named(model): model for model in self.studio.editors}
        self._loaded: dict[str, tuple[EditStudent, dict[str, Any]]] = {}
        if len(self.students) < len(self.studio.editors) or SPECIALIST in self.students:
            raise BadInput("two editors have one name; give folders of different names")

    def order(self, source: bytes, instruction: str) -> Assignment:
        """What the specialist for an instruction is told of a picture.

        Raises:
            BadInput: there is none for it, with the reason.
        """
        self._check_toys()
        with self.busy:
            return order_of(source, instruction, self.studio.device)

    def suggestion(self, source: bytes, task: str, number: int) -> str:
        """Instruction `number` of a task that fits a picture.

        Raises:
            BadInput: the picture does not allow the task.
        """
        self._check_toys()
        with self.busy:
            return suggestion(source, task, number, self.studio.device)

    def evaluations(self, who: str, wish: EditWish) -> int:
        """About how many ticks an edit has."""
        if who != SPECIALIST:
            return wish.steps
        assert wish.order is not None
        return self._specialist(wish).drawing.steps * (2 if wish.order.skill in TWICE else 1)

    def drawn(self, who: str, wish: EditWish, tick: Tick) -> "Iterator[tuple[Image, Settings]]":
        """Yield one picture with its settings; none if the specialist's mask finds nothing.

        Raises:
            BadInput: a model cannot be loaded, or the picture cannot be read.
        """
        return self._by_specialist(wish, tick) if who == SPECIALIST else self._by_student(who, wish, tick)

    def _by_student(self, who: str, wish: EditWish, tick: Tick) -> "Iterator[tuple[Image, Settings]]":
        from tutelage.diffusion.pictures import decode
        from tutelage.students.edit_drawing import edited_size

        editor, origin = self._student(who)
        source = Reference(picture=Picture(data=wish.source, url=SOURCE))
        first = _settings(wish, edited_size(editor.pipeline, decode(wish.source, SOURCE)), origin)
        with ticking(getattr(editor.network, editor.guided().inner), tick):
            yield next(edited(editor, source, first, 1, 1)), first

    def _by_specialist(self, wish: EditWish, tick: Tick) -> "Iterator[tuple[Image, Settings]]":
        from tutelage.diffusion.pictures import decode

        assert wish.order is not None
        specialist = self._specialist(wish)
        _, origin = self.artists.base
        drawing = specialist.drawing
        told = origin | {"model": f"{wish.order.skill} of {origin['model']}", "scheduler": drawing.scheduler}
        how = replace(wish, steps=drawing.steps, text=drawing.guidance, image=1.0)
        with ticking(specialist.model.pipeline.unet, tick):
            for triplet in specialist.teach([wish.order]):
                image = decode(triplet.target, SOURCE)
                yield image, _settings(how, (image.height, image.width), told)

    def _student(self, who: str) -> "tuple[EditStudent, dict[str, Any]]":
        if who not in self._loaded:
            editor, origin = load_editor(self.students[who], self.studio.device, self.studio.dtype)
            self._loaded[who] = editor, origin | {"model": who}
        return self._loaded[who]

    def _specialist(self, wish: EditWish) -> "Specialist":
        """The recipe `omniedit`'s for the task."""
        from tutelage.recipes.omniedit import TOYBOX, toys
        from tutelage.toybox.checkpoints import checkpoint

        assert wish.order is not None
        guild, base = toys(TOYBOX), checkpoint(self.studio.base)
        branch = checkpoint(guild.branch) if base == checkpoint("toybox-sd") else ""  # it is made for that one alone
        guild = replace(guild, base=base, branch=branch, seed=wish.seed, device=self.studio.device)
        return guild.specialist(wish.order.skill)

    def _check_toys(self) -> None:
        if not draws_toys(self.studio.base):
            raise BadInput(
                f"Here specialists know the toybox alone, and {named(self.studio.base)} draws more than that. "
                "Pairs of photographs are made by tutelage run omniedit-photos."
            )


def _settings(wish: EditWish, size: tuple[int, int], origin: dict[str, Any]) -> EditSettings:
    source = Reference(picture=Picture(data=wish.source, url=SOURCE))
    return EditSettings(
        prompt=wish.instruction, negative="", seed=wish.seed, index=0, steps=wish.steps, guidance=wish.text,
        image_guidance=wish.image, height=size[0], width=size[1], source=about(source, SOURCE), **origin,
    )  # fmt: skip
