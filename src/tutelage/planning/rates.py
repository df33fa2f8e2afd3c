"""What a run took: read from its ledger, its logs and its folders, and for commits tried out on its triplets."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from statistics import median, pstdev
from typing import Any, Final

import numpy as np

from tutelage.corpus.reader import Corpus
from tutelage.corpus.tables import MARKER
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.mining.mine import PAGES, mined
from tutelage.run import read_log
from tutelage.stages.learnt import MODEL, STUDENT
from tutelage.stages.mined import FINISHED, IMAGINED, MINED
from tutelage.stages.probe import seconds_a_page
from tutelage.stages.probe_pages import size_of, timed
from tutelage.stages.taught import CORPUS, TAUGHT
from tutelage.triplet import Triplet

TRIED: Final = 128
"""Triplets that are written to see how long it takes."""
REPEATS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Of one worker, one core or one process; times in seconds."""

    page: float
    """Of a core, to mine a page."""
    page_bytes: float
    """That mining keeps for a page."""
    share: float
    """Subjects for a page."""
    imagined: float
    """For the prompts of a subject, in the one process that imagines."""
    shard: float
    """Of a worker, to teach and judge a shard, most often."""
    spread: float
    """Standard deviation of the logarithm of that."""
    subjects: float
    """In a shard."""
    triplets: float
    """Of a subject."""
    kept: float
    """Of those."""
    commit: float
    """Of each commit, however little it holds."""
    written: float
    """Of each shard in a commit."""
    corpus_bytes: float
    """Of a subject."""
    step: float | None
    """Of the student; None: none was trained."""
    steps: int
    student_bytes: float


def rates_of(run: Path, folder: Path) -> Rates:
    """Of a run; `folder` is empty, for what is tried out.

    Raises:
        BadInput: the run has not mined, or has taught nothing.
    """
    lines = [line for line in read_log(run / TAUGHT) if line["triplets"]]
    if not lines or not (run / CORPUS / MARKER).exists() or not (run / MINED / FINISHED).exists():
        raise BadInput(f"{run} has taught nothing yet; give the directory of a run that has")
    corpus, logs = Corpus(run / CORPUS), np.log([line["seconds"] for line in lines])
    clusters = len(set(corpus.column("cluster").to_pylist()))
    pages, stages = mined(run / MINED).pages, list(read_log(run))
    triplets = sum(line["triplets"] for line in lines)
    commit, written = _commits(corpus, triplets / len(lines), folder)
    return Rates(
        page=_page(run, stages, pages.total()),
        page_bytes=size_of(run / MINED) / pages.total(),
        share=pages[""] / pages.total(),
        imagined=_imagined(run, stages, clusters),
        shard=math.exp(median(logs)),
        spread=pstdev(logs),
        subjects=clusters / len(lines),
        triplets=triplets / clusters,
        kept=sum(line["kept"] for line in lines) / triplets,
        commit=commit,
        written=written,
        corpus_bytes=size_of(run / CORPUS) / clusters,
        **_student(run, stages),
    )


def _page(run: Path, stages: Sequence[dict[str, Any]], pages: int) -> float:
    """From when the files of a run's pages were written; where there is one file only, from how long the step took."""
    measured = seconds_a_page(run / MINED / PAGES)
    return (measured or _longest(stages, "mine") / pages) * (os.cpu_count() or 1)


def _imagined(run: Path, stages: Sequence[dict[str, Any]], clusters: int) -> float:
    return _longest(stages, IMAGINED.removesuffix("d")) / clusters


def _longest(stages: Sequence[dict[str, Any]], name: str) -> float:
    """Seconds of a step: a start that found it done took less."""
    return max((row["seconds"] for row in stages if row.get("stage") == name), default=0.0)


def _student(run: Path, stages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    rows = list(read_log(run / STUDENT))
    each = [(b["time"] - a["time"]) / (b["step"] - a["step"]) for a, b in pairwise(rows)
            if b["step"] > a["step"]]  # fmt: skip
    steps = rows[-1]["step"] if rows else 0
    return {"step": median(each) if each else None, "steps": steps,
            "student_bytes": float(size_of(run / STUDENT) + size_of(run / MODEL))}  # fmt: skip


def _commits(corpus: Corpus, each: float, path: Path) -> tuple[float, float]:
    """Seconds of a commit, and of a shard of so many triplets in it: a line through commits of one and of several.

    No triplet is written twice, since a corpus drops what it has. The first commit makes the tables and is not counted.
    """
    some = list(islice(corpus.triplets(None), TRIED))
    ones, several = some[1 : REPEATS + 1], np.array_split(np.arange(REPEATS + 1, len(some)), REPEATS)
    pieces = [[one] for one in ones] + [[some[at] for at in piece] for piece in several if len(piece)]
    with Committer(path) as committer:

        def write(piece: Sequence[Triplet]) -> None:
            committer.append(piece)
            committer.flush()

        write(some[:1])
        seconds = [timed(partial(write, piece)) for piece in pieces]
    counts = [len(piece) for piece in pieces]
    if len(set(counts)) < 2:
        return (median(seconds) if seconds else 0.0), 0.0
    slope, fixed = np.polyfit(counts, seconds, 1)
    return max(0.0, float(fixed)), max(0.0, float(slope)) * each
