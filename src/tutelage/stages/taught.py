"""Assignments → triplets and verdicts, shard by shard, into the corpus.

A shard is what the teacher makes at once. It is noted as done when the corpus holds all of it, so a run that was killed
makes at most one shard again, and the corpus drops what it has already.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.judges.panel import Panel
from tutelage.run import append_log, read_log
from tutelage.stages.progress import Progress
from tutelage.stages.work import Work, in_order
from tutelage.teachers.base import Teacher
from tutelage.triplet import Assignment

TOGETHER: Final = 64
"""Subjects of a shard where nobody is trained."""
CORPUS: Final = "corpus"
TAUGHT: Final = "taught"
"""Folders of a run: the corpus, and the ledger of the shards in it."""


def teach(
    assignments: Iterable[Assignment], total: int, teacher: Teacher | None, panel: Panel, out: Path, workers: int = 1
) -> dict[str, int]:
    """Have `total` assignments taught and judged into `out/corpus`; how many triplets there are, and how many kept.

    Args:
        assignments: subject after subject.
        total: how many they are, for the bar.
        teacher: who makes the targets; None: the subjects' own pictures are the targets.
        panel: who judges them.
        out: the run directory.
        workers: processes that teach and judge, each with its own copy of the networks; this one writes.

    Raises:
        BadInput: the base or a judge cannot be loaded, or not one expert gave a triplet.
    """
    ledger = out / TAUGHT
    ledger.mkdir(parents=True, exist_ok=True)
    done = {row["shard"]: row for row in read_log(ledger)}
    cut = enumerate(shards(assignments, teacher.at_once if teacher else TOGETHER))
    left = ((number, shard) for number, shard in cut if number not in done)
    with Committer(out / CORPUS) as committer, Progress("experts", total, "assignments") as bar:
        bar.advance(sum(row["assignments"] for row in done.values()))
        for made in in_order(Work(teacher, panel), left, workers):
            committer.append(made.triplets, made.verdicts)
            committer.flush()
            done[made.shard] = row = made.row()
            append_log(ledger, row)
            bar.advance(row["assignments"])
    counts = {name: sum(row[name] for row in done.values()) for name in ("triplets", "kept", "diverged")}
    if not counts["triplets"]:
        raise BadInput("every expert diverged; give a lower --teacher.training.lr in a new run")
    return counts


def shards(assignments: Iterable[Assignment], clusters: int) -> Iterator[list[Assignment]]:
    """The assignments of `clusters` subjects after one another, and so on."""
    by_cluster = (list(group) for _, group in groupby(assignments, key=lambda one: one.cluster.id))
    while several := list(islice(by_cluster, clusters)):
        yield [assignment for group in several for assignment in group]
