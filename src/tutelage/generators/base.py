"""The contract of a generator."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from tutelage.triplet import Assignment

if TYPE_CHECKING:  # the command line shows settings of generators, and needs no pictures for that
    from PIL.Image import Image


BYTES: Final = 2
"""Of a number that is kept: checkpoints are stored in 16 bits."""


class Generator(Protocol):
    """Something that answers questions with pictures; a frozen dataclass, whose fields are stored beside them."""

    @property
    def name(self) -> str:
        """The row of its figures, and the folder of its pictures."""
        ...

    @property
    def timed(self) -> bool:
        """Whether it makes pictures, so that the seconds it takes say something."""
        ...

    def made_from(self) -> str:
        """Hash of what its pictures depend on besides its fields, such as weights; empty if there is nothing.

        Raises:
            BadInput: something is absent.
        """
        ...

    def bytes_kept(self, prompts: int) -> int | None:
        """What must be kept of a subject, besides its demonstrations, to draw `prompts` prompts of it anew, in bytes.

        Numbers are kept in 16 bits. None: nothing is drawn.

        Raises:
            BadInput: something is absent.
        """
        ...

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """Yield an RGB picture for each question, in order, each made when it is asked for.

        All questions of a subject come in a row. A picture depends on the generator and its own question alone: not on
        what else was asked before, with it or after it.

        Raises:
            BadInput: something is absent or cannot be used; what can be known before the first picture is told before.
        """
        ...
