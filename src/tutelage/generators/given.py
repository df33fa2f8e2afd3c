"""Answers that nobody has to draw: the truth, a demonstration as it is, and pictures that were made elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from tutelage.benches.subjects.questions import SubjectsBench, questions
from tutelage.errors import BadInput
from tutelage.triplet import Assignment

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image

    from tutelage.toybox.scene import Scene

RENDERS: Final = "renders"


@dataclass(frozen=True, kw_only=True)
class Renders:
    """The oracle: real pictures of what is asked for."""

    bench: SubjectsBench
    name: str = RENDERS
    timed: ClassVar[bool] = False

    def made_from(self) -> str:
        """Nothing."""
        return ""

    def bytes_kept(self, prompts: int) -> int | None:
        """Nothing is drawn."""
        return None

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        from PIL import Image

        from tutelage.benches.heldout import SIDE
        from tutelage.toybox.render import render

        targets = self._targets()
        for question in questions:
            yield Image.fromarray(render(targets[question.id], SIDE)[0])

    def _targets(self) -> "dict[str, Scene]":
        return {question.id: question.target for question in questions(self.bench)}


@dataclass(frozen=True, kw_only=True)
class Copy:
    """The first demonstration as it is, whatever was asked: what a bench must see through."""

    name: str = "copy"
    timed: ClassVar[bool] = False

    def made_from(self) -> str:
        """Nothing."""
        return ""

    def bytes_kept(self, prompts: int) -> int | None:
        """Nothing."""
        return 0

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        from tutelage.diffusion.pictures import decode

        for question in questions:
            yield decode(question.cluster.references[0].picture.data, f"a demonstration of {question.id}")


@dataclass(frozen=True, kw_only=True)
class Images:
    """Pictures in a folder, each a PNG named after its question: `0007-view.png`.

    Not all need be there. A bench asks for those that are, counts the others as missing, and takes in what has come
    when it runs again; what it has taken in it does not look at again.
    """

    folder: Path
    name: str = "images"
    timed: ClassVar[bool] = False

    def made_from(self) -> str:
        """Nothing: the folder may grow."""
        return ""

    def there(self, questions: Sequence[Assignment]) -> list[Assignment]:
        """The questions that have a picture.

        Raises:
            BadInput: none has.
        """
        found = [question for question in questions if (self.folder / file_name(question.id)).is_file()]
        if not found:
            first = self.folder / file_name(questions[0].id)
            raise BadInput(f"{first} is not there, nor is any other; name pictures after questions.jsonl's ids")
        return found

    def bytes_kept(self, prompts: int) -> int | None:
        """Nobody says."""
        return None

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`.

        Raises:
            BadInput: a picture is absent, before any is read; or one is no picture.
        """
        from tutelage.diffusion.pictures import decode

        if absent := len(questions) - len(self.there(questions)):
            raise BadInput(f"{self.folder} lacks pictures of {absent} questions; ask for those that are there")
        for path in (self.folder / file_name(question.id) for question in questions):
            yield decode(path.read_bytes(), str(path))


def file_name(question: str) -> str:
    """The file of the answer to a question.

    >>> file_name("0007/view")
    '0007-view.png'
    """
    return f"{question.replace('/', '-')}.png"
