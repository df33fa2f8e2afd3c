"""The same as `probe` of a run that refines pairs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.stages.probe import MORE
from tutelage.stages.probe_pages import Cost, timed
from tutelage.stages.refined import FINISHED, GIVEN, looking, pairs_at
from tutelage.triplet import Triplet

if TYPE_CHECKING:
    from tutelage.refine_pipeline import Refining

FEW: Final = 8
"""Pairs that are looked at."""
LEAST: Final = 2
"""Steps of a first trial."""


class RefineProbe:
    """Pieces of a run; each is worked on when it is first asked for."""

    def __init__(self, run: "Refining", folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        """Of `run`, in an empty `folder`; `tell` hears what is being done."""
        self.run, self.folder, self.tell = run, folder, tell
        self._taken: list[Triplet] = []
        self._made: list[Triplet] = []

    @cached_property
    def taking(self) -> Cost:
        """Of one pair, captioned and judged as it is; the first one, which loads the networks, is not counted."""
        run, few = self.run, list(islice(pairs_at(self.run.data, kept=self.run.kept), FEW))
        if not few:
            raise BadInput(f"{run.data} holds no pairs; give a corpus or a set that does")
        self.tell("captioning and judging a few pairs")
        look, rest = looking(run.captioner, run.panel(), run.device, self.folder), few[1:] or few
        self._taken, _ = look(few[:1])
        seconds = timed(lambda: self._taken.extend(look(rest)[0]))
        return Cost(seconds=seconds / len(rest), bytes=bytes_each(few))

    @cached_property
    def pairs(self) -> list[Triplet]:
        """A few as they came, of the run or of the probe."""
        given = self.run.out / GIVEN
        if (given / FINISHED).exists():
            return list(islice(Corpus(given).triplets(None), FEW))
        assert self.taking
        return self._taken

    @cached_property
    def drawing(self) -> float:
        """Seconds for one pair, by how much longer more steps of the base, and of the refiner, take."""
        told, more = self.run.redrawing(), LEAST + MORE
        self.tell("drawing a pair anew with few steps")
        short = self._trial(LEAST, LEAST)
        seconds = short + (self._trial(more, LEAST) - short) / MORE * (told.steps - LEAST)
        if told.refiner is not None:
            seconds += (self._trial(LEAST, more) - short) / MORE * (told.refiner_steps - LEAST)
        return max(short, seconds)

    def _trial(self, steps: int, refiner_steps: int) -> float:
        """Seconds, networks loaded."""
        few = replace(self.run.redrawing(), steps=steps, refiner_steps=refiner_steps)
        self._made = list(few.refine(self.pairs[:1]))
        return timed(lambda: list(few.refine(self.pairs[:1])))

    @cached_property
    def judging(self) -> Cost:
        """Of one pair that was drawn anew: the judges' time, and what it takes in the corpus."""
        assert self.drawing >= 0
        panel = self.run.panel()
        self.tell("judging it")
        panel.judge(self._made)
        return Cost(seconds=timed(lambda: panel.judge(self._made)), bytes=bytes_each(self._made))


def bytes_each(pairs: Sequence[Triplet]) -> float:
    """Bytes of both pictures of a pair, on the average."""
    return sum(len(one.target) + len(one.references[0].picture.data) for one in pairs) / len(pairs)
