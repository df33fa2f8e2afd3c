"""Small pieces of a run's work, done in a folder of their own and timed: what a plan extrapolates from.

Nothing is written to the run, nor to its crawl. What the run has already (clusters, assignments, triplets) is worked
with; what it has not is made first, a little of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from tutelage.executors.base import cores_each, cores_here
from tutelage.mining.mine import CLUSTERS, PAGES, mine, mined
from tutelage.mining.records import read_clusters, write_clusters
from tutelage.stages.mined import (
    FILE,
    FINISHED,
    IMAGINED,
    MINED,
    assignments_of,
    clusters_of,
    imagine_prompts,
)
from tutelage.stages.neighbours import neighbour
from tutelage.stages.probe_pages import PICTURES, Cost, PageProbe, size_of, timed
from tutelage.teachers.fleet import Fleet
from tutelage.triplet import Assignment, Cluster, Picture, Reference, Triplet

if TYPE_CHECKING:
    from tutelage.pipeline import SubjectDriven

PIECES: Final = 4
"""That pages are mined in. The first has the networks to load and is not timed."""
SUBJECTS: Final = 4
MORE: Final = 3
"""Steps by which a second trial is longer than a first: what both have in common drops out."""


class Probe(PageProbe):
    """Pieces of a run; each is worked on when it is first asked for."""

    run: "SubjectDriven"

    def __init__(self, run: "SubjectDriven", folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        """See `PageProbe`."""
        super().__init__(run, folder, tell)
        self._made: dict[str, Triplet] = {}

    @cached_property
    def mining(self) -> tuple[float, Cost]:
        """The share of pages that are kept, and what one page costs."""
        frame, out = self._frame, self.folder / MINED
        self.tell("mining a few pages")
        mine(frame, out, replace(self.run.mining, device=self.run.device, parts=PIECES))
        found = mined(out).pages
        cost = Cost(seconds=seconds_a_page(out / PAGES), bytes=size_of(out) / found.total())
        return found[""] / found.total(), cost

    @cached_property
    def clusters(self) -> list[Cluster]:
        """A few of the run's, or of the probe's; if that kept none, some pictures that stand for one."""
        if (self.run.out / MINED / FINISHED).exists():
            return list(islice(clusters_of(self.run.out, self.run.imagining), SUBJECTS))
        assert self.mining
        return list(islice(read_clusters(self.folder / MINED / CLUSTERS), SUBJECTS)) or [self._anything()]

    def _anything(self) -> Cluster:
        rows = [row for row in self._frame.to_pylist() if row["fault"] is None][: self.run.mining.rule.least]
        shown = tuple(Reference(picture=Picture(data=row["image"]), caption="a toy") for row in rows)
        return Cluster(id="probe", subject="toy", references=shown)

    @cached_property
    def imagining(self) -> tuple[list[Assignment], Cost]:
        """Prompts for the clusters, and what one costs."""
        if (self.run.out / IMAGINED / FILE).exists():
            few = replace(self.run.imagining, subjects=len(self.clusters))
            return list(assignments_of(self.run.out, few)), Cost()
        self.tell("imagining a few prompts")
        first, warm = self._imagined("one", self.clusters[:1])
        every, seconds = self._imagined("every", self.clusters)
        return every, Cost(seconds=max(0.0, seconds - warm) / max(1, len(every) - len(first)))

    def _imagined(self, name: str, clusters: Sequence[Cluster]) -> tuple[list[Assignment], float]:
        folder, run = self.folder / name, self.run
        (folder / MINED / CLUSTERS).mkdir(parents=True)
        write_clusters(clusters, folder / MINED / CLUSTERS / "00000.parquet")
        mining = replace(run.mining, device=run.device)
        seconds = timed(lambda: imagine_prompts(run.imagining, mining, run.seed, folder))
        return list(assignments_of(folder, run.imagining)), seconds

    def teaching(self, teacher: Any, pictures: int) -> float:
        """Seconds for as many experts as are taught at once, each with so many pictures to draw."""
        self.tell(f"training {teacher.at_once} at a time for a few steps")
        tasks = self._tasks(teacher.at_once)
        with self._threads_of_a_worker():
            short, trained, drawn = (self._trial(teacher, tasks, *n) for n in ((1, 1), (1 + MORE, 1), (1, 1 + MORE)))
        step, stroke = max(0.0, trained - short) / MORE, max(0.0, drawn - short) / MORE
        fixed = max(0.0, short - step - stroke)
        share = pictures / teacher.sampling.samples  # a trial draws one text for each expert
        seconds: float = fixed + step * teacher.training.steps + stroke * teacher.sampling.steps * share
        return seconds

    def _trial(self, teacher: Any, tasks: Sequence[Assignment], train: int, draw: int) -> float:
        """Seconds, networks loaded."""
        steps: Any = {
            "training": replace(teacher.training, steps=train),
            "sampling": replace(teacher.sampling, steps=draw),
        }
        if isinstance(teacher, Fleet):
            steps["keep"] = None
        few = replace(teacher, **steps)
        self._keep(few.teach(tasks[:1]))
        return timed(lambda: self._keep(few.teach(tasks)))

    def _keep(self, triplets: Iterator[Triplet]) -> None:
        self._made.update((triplet.id, triplet) for triplet in triplets)

    def _tasks(self, count: int) -> list[Assignment]:
        """A prompt for each of so many subjects; few subjects stand for more."""
        firsts = list({one.cluster.id: one for one in reversed(self.imagining[0])}.values())
        chosen = [firsts[number % len(firsts)] for number in range(count)]
        clusters = [replace(one.cluster, id=f"{one.cluster.id}-{at}") for at, one in enumerate(chosen)]
        return [replace(one, id=f"{new.id}/00", cluster=new) for one, new in zip(chosen, clusters, strict=True)]

    @contextmanager
    def _threads_of_a_worker(self) -> Iterator[None]:
        before = torch.get_num_threads()
        if (workers := self.run.workers or 1) > 1:
            torch.set_num_threads(cores_each(1, cores_here(), workers))
        try:
            yield
        finally:
            torch.set_num_threads(before)

    @cached_property
    def triplets(self) -> list[Triplet]:
        """Some of the run's; or what trials made; or, without experts, neighbours."""
        if self.corpus is not None:
            return list(islice(self.corpus.triplets(None), PICTURES))
        if self.run.teacher is None:
            return [neighbour(one) for one in self.imagining[0]]
        if not self._made:
            self._trial(self.run.teachers(), self._tasks(1), 1, 1)
        return list(self._made.values())

    @cached_property
    def judging(self) -> Cost:
        """Of one triplet: the judges' time, and what it takes in the corpus with its share of demonstrations."""
        triplets, panel = self.triplets, self.run.panel()
        self.tell("judging a few pictures")
        panel.judge(triplets[:1])
        seconds = timed(lambda: panel.judge(triplets)) / len(triplets)
        shown = {one.picture.key: len(one.picture.data) for triplet in triplets for one in triplet.references}
        subjects = len({triplet.references for triplet in triplets})
        prompts = len(self.imagining[0]) / len(self.clusters)
        return Cost(seconds=seconds, bytes=self.target_bytes + sum(shown.values()) / subjects / max(1.0, prompts))


def seconds_a_page(folder: Path) -> float:
    """From when the files of verdicts were written; the first one is not counted, and 0 if it is the only one."""
    import pyarrow.parquet as pq

    files = sorted(folder.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    later = sum(pq.read_metadata(path).num_rows for path in files[1:])
    return (files[-1].stat().st_mtime - files[0].stat().st_mtime) / later if later else 0.0
