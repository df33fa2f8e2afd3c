"""The same as `probe` and `probe_student` of a run that edits."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tutelage.corpus.reader import Corpus
from tutelage.mining.mine import CLUSTERS
from tutelage.mining.records import write_clusters
from tutelage.stages.batches import Batches, Bucketed
from tutelage.stages.learnt import MODEL
from tutelage.stages.mined import FILE, FINISHED, IMAGINED, MINED
from tutelage.stages.pictured import order_pictures, orders_of, picture_pages, pictured
from tutelage.stages.probe import MORE
from tutelage.stages.probe_pages import PICTURES, Cost, PageProbe, size_of, timed
from tutelage.stages.probe_student import StudentProbe, by_steps
from tutelage.students.base import Request
from tutelage.students.guidance import ImageFirst
from tutelage.triplet import Assignment, Cluster, Triplet

if TYPE_CHECKING:
    from tutelage.edit_pipeline import InstructionDriven
    from tutelage.students.edit_student import EditStudent

FEW: Final = 16
"""Pictures that are captioned and ordered for."""


class EditProbe(PageProbe):
    """Pieces of a run that edits."""

    run: "InstructionDriven"

    @cached_property
    def captioning(self) -> Cost:
        """Of one picture; the first one, which loads the captioner, is not counted."""
        source = self._source()
        self.tell("captioning a few pictures")
        times = [timed(partial(self._captioned, source, count)) for count in (1, FEW)]
        made = len(list(pictured(self.folder / f"captioned-{FEW}")))
        each = max(0.0, times[1] - times[0]) / max(1, made - 1)
        return Cost(seconds=each, bytes=size_of(self.folder / f"captioned-{FEW}") / max(1, made))

    def _captioned(self, source: Any, count: int) -> None:
        picture_pages(source, self.run.captioner, count, self.run.device, self.folder / f"captioned-{count}")

    @cached_property
    def pictures(self) -> int:
        """How many sound pictures there are or will be, at most as many as the run asks for, judged by the first."""
        frame = self._frame
        sound, pages = frame.where(frame["fault"].is_null()), frame.select("page_url").distinct().count_rows()
        every = self.count_pages() * sound.count_rows() / max(1, pages)
        return round(min(every, self.run.pictures or every))

    @cached_property
    def clusters(self) -> list[Cluster]:
        """Some captioned pictures, of the run or of the probe."""
        if (self.run.out / MINED / FINISHED).exists():
            return list(islice(pictured(self.run.out), FEW))
        assert self.captioning
        return list(pictured(self.folder / f"captioned-{FEW}"))

    @cached_property
    def ordering(self) -> tuple[list[Assignment], Cost]:
        """Orders for these, and what one costs."""
        if (self.run.out / IMAGINED / FILE).exists():
            return list(islice(orders_of(self.run.out), PICTURES)), Cost()
        self.tell("ordering a few edits")
        folder, run = self.folder / "ordered", self.run
        (folder / MINED / CLUSTERS).mkdir(parents=True)
        write_clusters(self.clusters, folder / MINED / CLUSTERS / "00000.parquet")
        seconds = timed(lambda: order_pictures(run.ordering, run.language_model, run.device, run.seed, folder))
        made = list(orders_of(folder))
        return made, Cost(seconds=seconds / max(1, len(made)))

    @cached_property
    def teaching(self) -> float:
        """Seconds for one order, each task as often as it is among the few."""
        self.tell("drawing an edit of each task with few steps")
        tasks = {one.skill: one for one in reversed(self.ordering[0])}
        seconds, weights = [], []
        for task, one in tasks.items():
            told = self.run.specialists().specialist(task).drawing
            self._drawn(task, one, 1)  # the networks are loaded
            short, longer = (timed(partial(self._drawn, task, one, count)) for count in (1, 1 + MORE))
            seconds.append(max(short, short + (longer - short) / MORE * (told.steps - 1)) * told.samples)
            weights.append(sum(other.skill == task for other in self.ordering[0]))
        return float(np.average(seconds, weights=weights))

    def _drawn(self, task: str, one: Assignment, steps: int) -> None:
        guild = self.run.specialists()
        specialist: Any = getattr(guild, task)
        drawing = replace(specialist.drawing, steps=max(2, steps + 1), samples=1)
        brief: dict[str, Any] = {task: replace(specialist, drawing=drawing)}
        self._made.update((made.id, made) for made in replace(guild, **brief).teach([one]))

    @cached_property
    def _made(self) -> dict[str, Triplet]:
        return {}

    @cached_property
    def triplets(self) -> Sequence[Triplet]:
        """Some of the run's, or what trials made."""
        if self.corpus is not None:
            return list(islice(self.corpus.triplets(None), PICTURES))
        assert self.teaching >= 0
        return list(self._made.values())

    @cached_property
    def judging(self) -> Cost:
        """Of one pair: the judges' time, and what it takes in the corpus."""
        triplets, panel = self.triplets, self.run.panel()
        if not triplets:
            return Cost()
        self.tell("judging a few pairs")
        panel.judge(triplets[:1])
        seconds = timed(lambda: panel.judge(triplets)) / len(triplets)
        bytes_each = [len(one.target) + len(one.mask) + len(one.references[0].picture.data) for one in triplets]
        return Cost(seconds=seconds, bytes=sum(bytes_each) / len(triplets))


class EditStudentProbe(StudentProbe):
    """Pieces of an editor's work."""

    def _batches(self, corpus: Corpus, rows: NDArray[np.int64]) -> Batches:
        return Bucketed(corpus, rows, self.run.lesson().schedule.batch, self.run.seed)

    @cached_property
    def drawing(self) -> Callable[[int], float]:
        """Steps → seconds for one picture."""
        student, one = self._editor(), self.probe.triplets[0]
        asked = [Request(text=one.text, references=one.references, seed=0)]
        self.probe.tell("editing with the student")

        def trial(count: int) -> float:
            return timed(lambda: list(student.generate(asked, steps=count, guidance=ImageFirst(), batch=1)))

        return by_steps(trial)

    def _editor(self) -> "EditStudent":
        finished = self.run.out / MODEL
        if finished.exists():
            from tutelage.edit import load_editor

            return load_editor(finished, self.run.device)[0]
        learner: Any = self._lessons.student
        begun: EditStudent = learner
        return begun
