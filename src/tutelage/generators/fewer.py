"""Answers from fewer demonstrations than the bench has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tutelage.generators.base import Generator
from tutelage.triplet import Assignment

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class Fewer:
    """A generator that is shown the first `demonstrations` only; with 0, one that needs none has the text alone."""

    generator: Generator
    demonstrations: int

    @property
    def name(self) -> str:
        """The generator's, with the number."""
        return f"{self.generator.name}-{self.demonstrations}"

    @property
    def timed(self) -> bool:
        """As the generator."""
        return self.generator.timed

    def made_from(self) -> str:
        """As the generator."""
        return self.generator.made_from()

    def bytes_kept(self, prompts: int) -> int | None:
        """As the generator."""
        return self.generator.bytes_kept(prompts)

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        clusters = {one.cluster.id: one.cluster for one in questions}
        few = {
            name: replace(cluster, references=cluster.references[: self.demonstrations])
            for name, cluster in clusters.items()
        }
        yield from self.generator.answer([replace(one, cluster=few[one.cluster.id]) for one in questions])
