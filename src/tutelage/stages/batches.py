"""Which triplets a student sees at which step: of a corpus that is finished, or of one that grows meanwhile."""

import hashlib
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.compute as pc
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from numpy.typing import NDArray

from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import READ_ROWS, Corpus
from tutelage.corpus.tables import MARKER
from tutelage.diffusion.pictures import frame_of
from tutelage.errors import BadInput
from tutelage.run import append_log, read_log
from tutelage.students.base import Encodes

Batches = Callable[[int], NDArray[np.int64]]
"""Step → rows of the corpus."""

EVERY: Final = 100
"""Steps after which a student looks for more triplets."""
GROWTH: Final = "growth"
"""A folder beside the student's state: from which step on how many rows of the corpus were there."""
POLL: Final = 1.0
"""Seconds between looks of who waits."""


def await_corpus(path: Path) -> None:
    """Wait until there is one."""
    if not (path / MARKER).exists():
        print(f"waiting for {path}", file=sys.stderr)
    while not (path / MARKER).exists():
        time.sleep(POLL)


def rows_by_id(corpus: Corpus, gate: Gate, count: int | None = None) -> NDArray[np.int64]:
    """Rows of the triplets that pass, of the first `count` or of all, in the order of their ids.

    Raises:
        BadInput: there are none.
    """
    rows = corpus.rows(gate)
    rows = rows if count is None else rows[rows < count]
    if not len(rows):
        raise BadInput(
            f"no triplet of {corpus.path} passes the judges; see `tutelage corpus stats`, and ask less of them"
        )
    ids = np.asarray(corpus.column("id").to_pylist())[rows]
    return rows[np.argsort(ids, kind="stable")]


def is_held_out(cluster: str, share: float) -> bool:
    """Whether a source picture, by the id of its cluster, is of the share that an editor does not learn from."""
    digest = hashlib.sha256(f"held out {cluster}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def without_held_out(corpus: Corpus, rows: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """The rows that an editor learns from.

    Raises:
        BadInput: none is left.
    """
    clusters = corpus.column("cluster").take(rows).to_pylist()
    left = rows[[not is_held_out(one, share) for one in clusters]]
    if not len(left):
        raise BadInput(f"all of {corpus.path} that passes the judges is held out; give a smaller share, or more pages")
    return left


def picks(count: int, batch: int, step: int, seed: int) -> list[int]:
    """Which of `count` examples step number `step` sees: each comes once before any comes again, in a new order."""
    places = range(step * batch, (step + 1) * batch)
    epochs = {place // count for place in places}
    orders = {epoch: np.random.default_rng([seed, epoch]).permutation(count) for epoch in epochs}
    return [int(orders[place // count][place % count]) for place in places]


def picked(rows: NDArray[np.int64], batch: int, seed: int, step: int) -> NDArray[np.int64]:
    """Rows of a step's batch."""
    return rows[picks(len(rows), batch, step, seed)]


def bucketed_picks(buckets: Sequence[NDArray[np.int64]], batch: int, step: int, seed: int) -> list[int]:
    """Which rows step number `step` sees, all of one bucket; buckets take turns in an order that is new every epoch.

    A bucket has as many turns as it has batches, and within it each row comes once before any comes again.
    """
    turns = [number for number, rows in enumerate(buckets) for _ in range(-(-len(rows) // batch))]
    epoch, turn = divmod(step, len(turns))
    order = np.random.default_rng([seed, epoch, len(turns)]).permutation(turns)
    number = int(order[turn])
    before = epoch * turns.count(number) + int((order[:turn] == number).sum())
    return [int(buckets[number][pick]) for pick in picks(len(buckets[number]), batch, before, seed)]


def by_size(corpus: Corpus, rows: NDArray[np.int64], encoder: Encodes) -> list[NDArray[np.int64]]:
    """The rows, by the size at which they are learnt.

    Raises:
        BadInput: a target cannot be read.
    """
    found: dict[tuple[int, int], list[int]] = {size: [] for size in encoder.sizes}
    for start in range(0, len(rows), READ_ROWS):
        part = rows[start : start + READ_ROWS].tolist()
        for row, triplet in zip(part, corpus.take(part), strict=True):
            found[encoder.bucket(frame_of(triplet.target, triplet.id))].append(row)
    return [np.asarray(alike, np.int64) for alike in found.values() if alike]


class Bucketed:
    """Batches of a finished corpus of pairs, each batch of one size; `sort` comes before the first of them."""

    def __init__(self, corpus: Corpus, rows: NDArray[np.int64], batch: int, seed: int) -> None:
        self.corpus, self.rows, self.batch, self.seed = corpus, rows, batch, seed
        self._alike: list[NDArray[np.int64]] = []

    def texts(self) -> list[str]:
        """The instructions, each once."""
        found: list[str] = pc.unique(self.corpus.column("text").take(self.rows)).to_pylist()
        return found

    def sort(self, encoder: Encodes) -> None:
        """Look at the size of every target; see `by_size`."""
        self._alike = by_size(self.corpus, self.rows, encoder)

    def __call__(self, step: int) -> NDArray[np.int64]:
        """Rows of a step's batch."""
        return np.asarray(bucketed_picks(self._alike, self.batch, step, self.seed), np.int64)


class Growing:
    """Batches of a corpus that grows: every `EVERY` steps they are drawn from all that is there by then.

    How many rows that were is noted, so that a training that is resumed sees what it saw, and can be repeated when
    the corpus is finished. Every process of a training asks for every step; the first one decides.
    """

    def __init__(
        self,
        corpus: Corpus,
        gate: Gate,
        batch: int,
        seed: int,
        out: Path,
        finished: Callable[[], bool],
        together: Accelerator,
    ) -> None:
        """With notes in the folder `out`; `finished` says whether no more will be written."""
        self.corpus, self.gate, self.batch, self.seed = corpus, gate, batch, seed
        self._folder, self._finished, self._together = out / GROWTH, finished, together
        self._folder.mkdir(exist_ok=True)
        notes = list(read_log(self._folder))
        self._firsts, self._counts = ([note[name] for note in notes] for name in ("step", "rows"))
        self._drawn: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))
        together.wait_for_everyone()  # until all have read what one will add to

    def begun(self, least: int) -> "Growing":
        """Wait until so many triplets pass, or no more will be written."""
        if not self._firsts:
            self._note(0, self._agreed(least))
        return self

    def __call__(self, step: int) -> NDArray[np.int64]:
        """Rows of a step's batch; now and then it sees whether there are more."""
        if step % EVERY == 0 and step > self._firsts[-1] and (count := self._agreed()) > self._counts[-1]:
            self._note(step, count)
        at = bisect_right(self._firsts, step) - 1
        return picked(self._rows(self._counts[at]), self.batch, self.seed, step - self._firsts[at])

    def _rows(self, count: int) -> NDArray[np.int64]:
        """What is drawn from when the corpus has so many rows."""
        if self._drawn[0] != count:
            while len(self.corpus) < count:  # another machine wrote them, and this one sees it later
                time.sleep(POLL)
                self.corpus.refresh()
            self._drawn = (count, rows_by_id(self.corpus, self.gate, count))
        return self._drawn[1]

    def _agreed(self, least: int = 0) -> int:
        """Rows of the corpus, of which at least so many pass, as the first process sees it."""
        count = torch.zeros(1, dtype=torch.int64, device=self._together.device)
        if self._together.is_main_process:
            while True:
                last = self._finished()  # asked before looking, so that nothing written before is missed
                self.corpus.refresh()
                if last or len(self.corpus.rows(self.gate)) >= least:
                    break
                time.sleep(POLL)
            count[0] = len(self.corpus)
        return int(broadcast(count))

    def _note(self, step: int, count: int) -> None:
        self._firsts.append(step)
        self._counts.append(count)
        if self._together.is_main_process:
            append_log(self._folder, {"step": step, "rows": count, "time": time.time()})
