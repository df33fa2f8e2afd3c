"""Writes a corpus: one committer at a time, few commits, and nothing twice."""

import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tutelage.corpus import tables
from tutelage.corpus.lineage import Forgotten, finish
from tutelage.corpus.rows import picture_rows, triplet_rows, verdict_rows
from tutelage.triplet import Picture, Triplet, Verdict

COMMIT_ROWS: Final = 1000
COMMIT_SECONDS: Final = 5.0
COMMIT_BYTES: Final = 256 * 2**20
"""A commit waits for as many rows, or as long, or as many bytes: Lance is slow with many small ones."""
COMMITS_PER_TIDYING: Final = 64
KEEP_OLD: Final = timedelta(hours=1)
"""Files that were joined stay this long: readers look for new ones every few seconds."""


class Committer:
    """Appends triplets and verdicts to the corpus in a folder, which is made if it is not there. A context manager.

    Adding what is there already (a triplet by id, a verdict by triplet and judge) does nothing, so a stage that was
    killed is simply repeated. What was forgotten is not taken back. Rows are safe after `flush`, or after the `with`
    block; a stage calls one of them a shard done only then.

    Args:
        path: the folder.
        patience: seconds to wait for another process that writes.

    Raises:
        BadInput: the folder holds something else, or another process goes on writing to it.
    """

    def __init__(self, path: Path, *, patience: float = 0.0) -> None:
        tables.mark(path)
        self.path = path
        with ExitStack() as held:
            held.enter_context(tables.locked(path, patience))
            finish(path)
            self._forgotten = Forgotten(path)
            self._held = held.pop_all()
        self._guard = threading.RLock()
        self._timer: threading.Timer | None = None
        self._triplets: dict[str, Triplet] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._bytes, self._commits, self._last = 0, 0, -COMMIT_SECONDS

    def append(self, triplets: Iterable[Triplet], verdicts: Iterable[Verdict] = ()) -> None:
        """Take in triplets and what judges say of them, or of triplets added before.

        Verdicts belong in the same call as their triplet: readers take a triplet that nobody judged for a kept one.
        """
        with self._guard:
            for triplet in triplets:
                self._take_in(triplet)
            for verdict in verdicts:
                self._verdicts.setdefault((verdict.triplet, verdict.judge), verdict)
            waited = time.monotonic() - self._last
            full = max(len(self._triplets), len(self._verdicts)) >= COMMIT_ROWS or self._bytes >= COMMIT_BYTES
            if full or waited >= COMMIT_SECONDS:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(COMMIT_SECONDS - waited, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Commit what is waiting.

        Raises:
            ValueError: a verdict is about a triplet that was never added.
        """
        with self._guard:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._triplets or self._verdicts:
                self._commit()
                self._triplets, self._verdicts, self._bytes = {}, {}, 0
                self._commits += 1
                self._last = time.monotonic()
                if self._commits % COMMITS_PER_TIDYING == 0:
                    self._tidy()

    def close(self) -> None:
        """Commit what is waiting, join small files, and let other writers in."""
        with self._held:
            self.flush()
            if self._commits:
                self._tidy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:  # what waits is made again by whoever repeats the stage
            with self._guard:
                self._triplets, self._verdicts = {}, {}
        self.close()

    def _take_in(self, triplet: Triplet) -> None:
        if triplet.id not in self._triplets:
            self._triplets[triplet.id] = triplet
            self._bytes += len(triplet.target) + sum(len(item.picture.data) for item in triplet.references)

    def _commit(self) -> None:
        """Write pictures, then verdicts, then triplets: a triplet that is seen is whole."""
        kept = {name: triplet for name, triplet in self._triplets.items() if not self._forgotten.holds(triplet)}
        stored = tables.among(self.path, "triplets", ("id",), {name for name, _ in self._verdicts} | kept.keys())
        new = [triplet for name, triplet in kept.items() if name not in stored]
        verdicts = self._new_verdicts(kept.keys() | stored)
        tables.append(self.path, "pictures", picture_rows(self._new_pictures(new)))
        tables.append(self.path, "verdicts", verdict_rows(verdicts))
        tables.append(self.path, "triplets", triplet_rows(new))

    def _new_pictures(self, triplets: Iterable[Triplet]) -> list[Picture]:
        pictures: dict[str, Picture] = {}
        for item in (item for triplet in triplets for item in triplet.references):
            pictures.setdefault(item.picture.key, item.picture)
        stored = tables.among(self.path, "pictures", ("key",), pictures.keys())
        return [picture for key, picture in pictures.items() if key not in stored]

    def _new_verdicts(self, known: set[str]) -> list[Verdict]:
        """Verdicts on known triplets that are not there yet; those on forgotten triplets are dropped."""
        for triplet, judge in self._verdicts:
            if not (triplet in known or triplet in self._triplets or self._forgotten.holds_id(triplet)):
                raise ValueError(f"'{judge}' judged '{triplet}', which was never added; add triplets first")
        stored = tables.among(self.path, "verdicts", ("triplet", "judge"), {name for name, _ in self._verdicts})
        return [said for key, said in self._verdicts.items() if key not in stored and said.triplet in known]

    def _tidy(self) -> None:
        for name in tables.NAMES:
            tables.tidy(self.path, name)
            tables.clean(self.path, name, KEEP_OLD)
