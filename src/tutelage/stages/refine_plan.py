"""`--dry-run` of a run that refines pairs; see `plan`."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tutelage.corpus.gate import KEPT
from tutelage.corpus.reader import Corpus
from tutelage.corpus.tables import MARKER
from tutelage.run import read_log
from tutelage.stages.plan import Line, print_lines, tell
from tutelage.stages.probe_pages import Cost
from tutelage.stages.refine_probe import RefineProbe
from tutelage.stages.refined import FINISHED, GIVEN, count_pairs
from tutelage.stages.taught import TAUGHT

if TYPE_CHECKING:
    from tutelage.refine_pipeline import Refining


def print_refine_plan(run: "Refining") -> None:
    """Print what a run would still do, step by step, with counts, time and disk.

    Raises:
        BadInput: there are no pairs, or a model or a setting is wrong.
    """
    print_lines(lambda folder: refine_plan(run, RefineProbe(run, folder, tell)), run.out)


def refine_plan(run: "Refining", probe: RefineProbe) -> Iterator[Line]:
    """Yield the steps of a run."""
    taken, pairs = _take(run, probe)
    yield taken
    yield _refine(run, probe, pairs)


def _take(run: "Refining", probe: RefineProbe) -> tuple[Line, int]:
    """And how many pairs there are or will be."""
    folder = run.out / GIVEN
    given = Corpus(folder) if (folder / MARKER).exists() else None
    done = len(given) if given else 0
    if given and (folder / FINISHED).exists():
        return Line(step="take", there=f"{done:,} pairs, {len(given.rows(KEPT)):,} kept"), done
    probe.tell("counting pairs")
    every = int(min(count_pairs(run.data, kept=run.kept), run.pairs or math.inf))
    doing, cost = f"{every - done:,} pairs as they are", probe.taking * (every - done)
    return Line(step="take", there=f"{done:,} pairs" if done else "", left=doing, cost=cost), every


def _refine(run: "Refining", probe: RefineProbe, pairs: int) -> Line:
    rows = list(read_log(run.out / TAUGHT))
    done, made, kept = (sum(row[name] for row in rows) for name in ("assignments", "triplets", "kept"))
    there = f"{made:,} pairs, {kept:,} kept" if made else ""
    if not (left := pairs - done):
        return Line(step="refine", there=there)
    each = sum(row["seconds"] for row in rows) / done if done else probe.drawing + probe.judging.seconds
    cost = Cost(seconds=each * left / run.workers, bytes=probe.judging.bytes * left)
    return Line(step="refine", there=there, left=f"{left:,} pairs drawn anew", cost=cost)
