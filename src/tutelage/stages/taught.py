"""Assignments → triplets and verdicts, shard by shard, into the corpus.

A shard is what the teacher makes at once. It is noted as done when the corpus holds all of it, so a run that was killed
makes again what was under way, and the corpus drops what it has already. A shard that no worker could do is noted as
failed; the next start tries it again.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from tutelage.errors import BadInput
from tutelage.executors.base import Executor, Hopeless, Resources
from tutelage.executors.local import Local
from tutelage.judges.panel import Panel
from tutelage.stages.ledger import Ledger, Line
from tutelage.stages.progress import Progress
from tutelage.stages.work import Committing, Work
from tutelage.teachers.base import Teacher
from tutelage.triplet import Assignment

TOGETHER: Final = 64
"""Subjects of a shard where nobody is trained."""
DIVERGED: Final = "every expert diverged; give a lower --teacher.training.lr in a new run"
CORPUS: Final = "corpus"
TAUGHT: Final = "taught"
"""Folders of a run: the corpus, and the ledger of the shards in it."""


NOTHING: Final = {"assignments": 0, "triplets": 0, "kept": 0, "diverged": 0, "seconds": 0.0}
"""Of a shard that failed."""


def teach(
    assignments: Iterable[Assignment],
    total: int,
    teacher: Teacher | None,
    panel: Panel,
    out: Path,
    executor: Executor | None = None,
    resources: Resources | None = None,
    *,
    fruitless: str = DIVERGED,
) -> dict[str, int]:
    """Have `total` assignments taught and judged into `out/corpus`; how many triplets there are, and how many kept.

    Args:
        assignments: subject after subject.
        total: how many they are, for the bar.
        teacher: who makes the targets; None: the subjects' own pictures are the targets.
        panel: who judges them.
        out: the run directory.
        executor: who runs the workers, each with its own copy of the networks; None: this process does all.
        resources: what a worker occupies.
        fruitless: what to say if there is not one triplet.

    Raises:
        BadInput: the base or a judge cannot be loaded, or there is not one triplet.
    """
    ledger = Ledger(out / TAUGHT, NOTHING)
    cut = enumerate(shards(assignments, teacher.at_once if teacher else TOGETHER))
    work, sink = Work(teacher, panel, resources or Resources()), Committing((out / CORPUS).absolute())
    lines = ledger.work_through(cut, executor or Local(), work, sink)
    ledger.follow(lines, Progress("experts", total, "assignments"))
    return count_lines(list(ledger.done.values()), fruitless)


def count_lines(rows: Sequence[Line], fruitless: str) -> dict[str, int]:
    """What the lines of a ledger add up to.

    Raises:
        BadInput: it is not one triplet; `fruitless` says why.
        Hopeless: every shard failed.
    """
    counts = {name: sum(row[name] for row in rows) for name in ("triplets", "kept", "diverged")}
    failed = [row["failed"] for row in rows if "failed" in row]
    if failed and not counts["triplets"]:
        raise Hopeless(f"every shard failed; the last one: {failed[-1]}")
    if not counts["triplets"]:
        raise BadInput(fruitless)
    return {**counts, "shards that failed": len(failed)} if failed else counts


def shards(assignments: Iterable[Assignment], clusters: int) -> Iterator[list[Assignment]]:
    """The assignments of `clusters` subjects after one another, and so on."""
    by_cluster = (list(group) for _, group in groupby(assignments, key=lambda one: one.cluster.id))
    while several := list(islice(by_cluster, clusters)):
        yield [assignment for group in several for assignment in group]
