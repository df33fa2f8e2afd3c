"""`--dry-run`: what of a run is there, what would be done, and about how long it would take and how much disk.

What a run's folder holds is counted. The rest is extrapolated from a `probe` that takes about a minute and writes
nothing to the run; whatever rests on it is called "about".
"""

import math
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from safetensors import safe_open

from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.corpus.tables import MARKER
from tutelage.generators.base import Generator
from tutelage.generators.bench import ROWS
from tutelage.generators.experts import Expert
from tutelage.generators.given import RENDERS
from tutelage.generators.networks import STEPS
from tutelage.mining.mine import PAGES, mined
from tutelage.report.wording import duration
from tutelage.run import read_log
from tutelage.stages.learnt import MODEL, STUDENT
from tutelage.stages.measured import BENCH, answering, bench_of
from tutelage.stages.mined import FILE, FINISHED, IMAGINED, MINED, count_assignments
from tutelage.stages.probe import Probe
from tutelage.stages.probe_pages import Cost
from tutelage.stages.probe_student import StudentProbe
from tutelage.stages.settings import Benching
from tutelage.stages.taught import CORPUS, TAUGHT
from tutelage.training.loop import STATE

if TYPE_CHECKING:
    from tutelage.edit_pipeline import InstructionDriven
    from tutelage.pipeline import SubjectDriven

NONE: Final = Cost()


@dataclass(frozen=True)
class Count:
    """A number, counted or about so many."""

    value: float
    sure: bool = True

    def __str__(self) -> str:
        if self.sure or not self.value:
            return f"{round(self.value):,}"
        digits = 1 - math.floor(math.log10(self.value))
        return f"about {round(self.value, min(0, digits)):,.0f}"

    def times(self, factor: float, sure: bool = True) -> "Count":
        """So many times as much."""
        return Count(self.value * factor, self.sure and sure)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A step of the run."""

    step: str
    there: str
    """What is there already."""
    left: str = ""
    """What would be done."""
    cost: Cost = NONE
    """Of what would be done."""


def print_plan(run: "SubjectDriven") -> None:
    """Print what a run would still do, step by step, with counts, time and disk.

    Raises:
        BadInput: the source, a model or a setting is wrong.
    """
    print_lines(lambda folder: plan(run, Probe(run, folder, tell)), run.out)


def tell(doing: str) -> None:
    """Say what is being done, where it does not mix with the plan."""
    print(f"{doing} …", file=sys.stderr)


def print_lines(planned: Callable[[Path], Iterable[Line]], out: Path) -> None:
    """Print the steps of a run in `out`, planned in a folder for what is tried; nothing else is printed meanwhile."""
    with TemporaryDirectory(prefix="tutelage-") as folder, redirect_stdout(StringIO()):
        lines = list(planned(Path(folder)))
    console = Console(highlight=False)
    console.print(_table(lines, out))
    if any(line.left for line in lines):
        console.print('"about": extrapolated from a short probe on this machine, as busy as it is now')


def plan(run: "SubjectDriven", probe: Probe) -> Iterator[Line]:
    """Yield the steps of a run."""
    pages, subjects = _mine(run, probe)
    yield pages
    prompts, assignments = _imagine(run, probe, subjects)
    yield prompts
    taught, kept = _teach(run, probe, assignments)
    yield taught
    student = StudentProbe(probe)
    yield learn_line(run, student, kept)
    if run.bench is not None:
        yield _bench(run, run.bench, student, probe)


def _mine(run: "SubjectDriven", probe: Probe) -> tuple[Line, Count]:
    """And how many subjects are gone on with."""
    folder, most = run.out / MINED, run.imagining.subjects or math.inf
    found = mined(folder).pages if any((folder / PAGES).glob("*.parquet")) else None
    done, kept = (found.total(), found[""]) if found else (0, 0)
    there = f"{done:,} pages, {kept:,} clusters"
    if (folder / FINISHED).exists():
        return Line(step="mine", there=there), Count(min(most, kept))
    left = probe.count_pages() - done
    share, cost = probe.mining
    crawling = NONE if probe.crawled else probe.crawling * run.crawl.pages
    crawling = Cost(seconds=crawling.seconds / run.crawl.workers, bytes=crawling.bytes)
    clusters = Count(left * share, sure=False)
    doing = f"{'mine' if probe.crawled else 'make and mine'} {left:,} pages: "
    doing += f"{clusters} clusters" if share else "of a few, none was kept"
    subjects = Count(min(most, kept + clusters.value), sure=False)
    return Line(step="mine", there=there if done else "", left=doing, cost=crawling + cost * left), subjects


def _imagine(run: "SubjectDriven", probe: Probe, subjects: Count) -> tuple[Line, Count]:
    """And how many assignments there are or will be."""
    if (run.out / IMAGINED / FILE).exists():
        count = Count(count_assignments(run.out))
        return Line(step="imagine", there=f"{count} assignments"), count
    few, cost = probe.imagining
    count = subjects.times(len(few) / len(probe.clusters), sure=False)
    doing = f"{count} prompts for {subjects} subjects"
    return Line(step="imagine", there="", left=doing, cost=cost * count.value), count


def _teach(run: "SubjectDriven", probe: Probe, assignments: Count) -> tuple[Line, Count]:
    """And how many triplets the student will see."""
    rows = list(read_log(run.out / TAUGHT))
    done, made = (sum(row[name] for row in rows) for name in ("assignments", "triplets"))
    share, judged = share_kept(run)
    there = f"{made:,} triplets, {round(share * made):,} kept" if made else ""
    left = Count(assignments.value - done, assignments.sure)
    if left.value < 1:
        return Line(step="teach", there=there), Count(share * made)
    new = left.times(run.teacher.sampling.samples if run.teacher else 1)
    each = sum(row["seconds"] for row in rows) / done if done else _seconds_each(run, probe)
    cost = Cost(seconds=each * left.value / (run.workers or 1), bytes=probe.judging.bytes * new.value)
    kept = Count(share * (made + new.value), sure=False)
    word = f"{kept} kept in all" if judged else "how many are kept will be seen"
    return Line(step="teach", there=there, left=f"{new} triplets, {word}", cost=cost), kept


def share_kept(run: "SubjectDriven | InstructionDriven") -> tuple[float, bool]:
    """The share of the triplets so far that passes the student's gate; all, and False, before there are any."""
    if not (run.out / CORPUS / MARKER).exists():
        return 1.0, False
    corpus = Corpus(run.out / CORPUS)
    return (len(corpus.rows(Gate(bands=run.learning.gate))) / len(corpus), True) if len(corpus) else (1.0, False)


def _seconds_each(run: "SubjectDriven", probe: Probe) -> float:
    """Of one worker for one assignment."""
    teacher, few = run.teachers(), probe.imagining[0]
    if teacher is None:
        return probe.judging.seconds
    prompts = len(few) / len(probe.clusters)
    seconds = probe.teaching(teacher, round(prompts * teacher.sampling.samples))
    return seconds / teacher.at_once / prompts + probe.judging.seconds * teacher.sampling.samples


def learn_line(run: "SubjectDriven | InstructionDriven", probe: StudentProbe, kept: Count) -> Line:
    """The student's step, from so many triplets."""
    steps, state = run.learning.schedule.steps, run.out / STUDENT / STATE
    if (run.out / MODEL).exists():
        return Line(step="learn", there="finished")
    done = 0
    if state.exists():
        with safe_open(state, "np") as file:
            done = int(file.metadata()["step"])
    step, seen = probe.stepping, min(kept.value, (steps - done) * run.learning.schedule.batch)
    seconds = step.seconds * (steps - done) + probe.encoding * seen
    doing = f"{steps - done:,} steps of {run.learning.schedule.batch} triplets out of {kept}"
    there = f"{done:,} of {steps:,} steps" if done else ""
    return Line(step="learn", there=there, left=doing, cost=Cost(seconds=seconds, bytes=step.bytes))


def _bench(run: "SubjectDriven", how: Benching, student: StudentProbe, probe: Probe) -> Line:
    bench = bench_of(how)
    generators = answering(how, run.teachers(), run.base, run.device, run.out)
    asked = bench.subjects * len(bench.skills)
    there = {name: _pictures(run.out / BENCH / name) for name in (RENDERS, *(one.name for one in generators))}
    done = sum(min(asked, count) for count in there.values())
    every = asked * len(there) - done
    said = f"{done:,} of {asked * len(there):,} pictures" if done else ""
    if (run.out / BENCH / ROWS).exists() and not every:
        return Line(step="bench", there=said)
    seconds = student.comparing(bench)
    for one in generators:
        if (left := asked - there[one.name]) > 0:
            seconds += left * _answer(one, len(bench.skills), student, probe)
    cost = Cost(seconds=seconds, bytes=probe.target_bytes * every)
    return Line(step="bench", there=said, left=f"{every:,} pictures, and their marks", cost=cost)


def _answer(generator: Generator, prompts: int, student: StudentProbe, probe: Probe) -> float:
    """Seconds for one, of `prompts` for a subject."""
    if isinstance(generator, Expert):
        return probe.teaching(generator.teacher, prompts) / prompts
    return student.drawing(STEPS)


def _pictures(folder: Path) -> int:
    return len(list(folder.glob("*.png")))


def _table(lines: list[Line], out: Path) -> Table:
    total = sum((line.cost for line in lines), NONE)
    folder = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    free = decimal(shutil.disk_usage(folder).free)
    table = Table(title=f"{out}, {free} free", title_justify="left", box=None, pad_edge=False)
    for name in ("step", "there", "to do"):
        table.add_column(name, overflow="fold")
    for name in ("time", "disk"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(line.step, line.there, line.left or "nothing", *_shown(line.cost, bool(line.left)))
    table.add_row("all", "", "", *_shown(total, any(line.left for line in lines)))
    return table


def _shown(cost: Cost, doing: bool) -> tuple[str, str]:
    if not doing:
        return "", ""
    return f"about {duration(cost.seconds)}", f"about {decimal(round(cost.bytes))}" if cost.bytes else ""
