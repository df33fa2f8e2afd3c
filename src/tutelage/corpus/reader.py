"""Reads a corpus while it grows."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tutelage.corpus import tables
from tutelage.corpus.gate import KEPT, Gate, Weighed, passes, weigh
from tutelage.corpus.keys import KeyIndex
from tutelage.corpus.rows import TRIPLETS, VERDICTS, to_triplet, to_verdict
from tutelage.triplet import Triplet, Verdict

REFRESH: Final = 5.0
"""Seconds after which a reader looks for new rows."""
WEIGHED: Final = pa.schema([VERDICTS.field(name) for name in ("triplet", "judge", "score", "keep", "parts")])
"""What is held of all verdicts: thresholds need no words, and words are most of the bytes."""
READ_ROWS: Final = 64
"""Triplets read at once."""


class Corpus:
    """The triplets in a folder, by row: those kept and those rejected, in the order they were written.

    Looks for new rows every `refresh` seconds, when something is asked of it. Rows keep their numbers as the corpus
    grows; removing a URL (`lineage.forget`) renumbers those after it. May be pickled; use it in one thread, and in a
    process that was spawned, not forked.

    Raises:
        BadInput: the folder is no corpus.
    """

    def __init__(self, path: Path, *, refresh: float = REFRESH) -> None:
        tables.check(path)
        self.path = path
        self._seconds = refresh
        self._forget_everything()

    def _forget_everything(self) -> None:
        self._tables: dict[str, lance.LanceDataset | None] = {}
        self._opened = -np.inf
        self._index = KeyIndex()
        self._said: tuple[int, pa.Table] = (0, WEIGHED.empty_table())

    def __len__(self) -> int:
        table = self._table("triplets")
        return 0 if table is None else table.count_rows()

    def __getitem__(self, row: int) -> Triplet:
        return self.take([row])[0]

    def take(self, rows: Sequence[int]) -> list[Triplet]:
        """The triplets of these rows, in this order; a negative row counts from the end.

        Raises:
            IndexError: there is no such row.
        """
        try:
            return self._take(rows)
        except (OSError, KeyError):  # a picture was forgotten since, or files were joined long ago: look again
            self._forget_everything()
            return self._take(rows)

    def rows(self, gate: Gate | None = KEPT, *, first: int = 0) -> NDArray[np.int64]:
        """Numbers of the rows from `first` on that a gate lets through, ascending; without a gate, of all.

        Raises:
            BadInput: the gate names a judge that gave no verdicts.
        """
        ids = self.column("id")
        through = passes(gate, self.judges(ids) if gate is not None else {}, len(ids))
        through[:first] = False
        return np.flatnonzero(through)

    def triplets(self, gate: Gate | None = KEPT) -> Iterator[Triplet]:
        """Yield the triplets that a gate lets through, as far as they are written; without a gate, all."""
        yield from self._read(self.rows(gate))

    def follow(self, gate: Gate | None = KEPT, *, done: Callable[[], bool], poll: float = 1.0) -> Iterator[Triplet]:
        """Yield triplets as they are written, each once, until `done` says that no more will be.

        Every `poll` seconds it looks for more. Verdicts count if they came with their triplet.
        """
        first = 0
        while True:
            last = done()  # asked before looking, so that nothing written before is missed
            self.refresh()
            count = len(self)
            rows = self.rows(gate, first=first)
            yield from self._read(rows[rows < count])
            first = count
            if last:
                return
            time.sleep(poll)

    def verdicts(self, ids: Collection[str]) -> dict[str, list[Verdict]]:
        """Verdicts of the triplets with these ids, in the order they were written."""
        said = self.verdict_table()
        found: dict[str, list[Verdict]] = {name: [] for name in ids}
        rows = np.flatnonzero(pc.is_in(said["triplet"], pa.array(list(ids), pa.string())).to_numpy())
        table = self._tables["verdicts"]
        if table is not None and len(rows):
            for row in table.take(rows.tolist()).to_pylist():
                found[row["triplet"]].append(to_verdict(row))
        return found

    def judges(self, ids: pa.ChunkedArray | None = None) -> dict[str, Weighed]:
        """Judge → what it said of every triplet, row by row."""
        return weigh(self.column("id") if ids is None else ids, self.verdict_table())

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of all triplets, such as `id`, `skill` or `cluster`."""
        return self.columns(name).column(name)

    def columns(self, *names: str) -> pa.Table:
        """Columns of the same triplets: asked for one by one, the later would be longer in a corpus that grows.

        One that is younger than the corpus is null everywhere.
        """
        table, empty = self._table("triplets"), TRIPLETS.empty_table().select(names)
        if table is None:
            return empty
        there = table.to_table(columns=[name for name in names if name in table.schema.names])
        return there if there.num_columns == len(names) else pa.concat_tables([empty, there], promote_options="default")

    def verdict_table(self) -> pa.Table:
        """All verdicts without their words (`WEIGHED`), in the order they were written."""
        table = self._table("verdicts")
        if table is not None and table.version != self._said[0]:
            there = [name for name in WEIGHED.names if name in table.schema.names]
            self._said = (table.version, pa.concat_tables([WEIGHED.empty_table(), table.to_table(columns=there)],
                                                          promote_options="default"))  # fmt: skip
        return self._said[1]

    @property
    def version(self) -> str:
        """Changes whenever anything does: the versions of the triplets, verdicts and pictures that are read now."""
        self._table("triplets")
        return ".".join(str(0 if table is None else table.version) for table in self._tables.values())

    def refresh(self) -> None:
        """Look for new rows now."""
        self._opened = time.monotonic()
        # Triplets first: whatever belongs to one was written before it.
        for name in reversed(tables.NAMES):
            table = self._tables.get(name)
            if table is None:
                self._tables[name] = tables.opened(self.path, name)
            else:
                table.checkout_latest()  # type: ignore[no-untyped-call]  # keeps what it knows of the old files

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_seconds": self._seconds}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget_everything()

    def _table(self, name: tables.Name) -> lance.LanceDataset | None:
        if time.monotonic() - self._opened >= self._seconds:
            self.refresh()
        return self._tables[name]

    def _read(self, rows: NDArray[np.int64]) -> Iterator[Triplet]:
        for start in range(0, len(rows), READ_ROWS):
            yield from self.take(rows[start : start + READ_ROWS].tolist())

    def _take(self, rows: Sequence[int]) -> list[Triplet]:
        table, count = self._table("triplets"), len(self)
        wanted = [row + count if row < 0 else row for row in rows]
        if table is None or not all(0 <= row < count for row in wanted):
            raise IndexError(f"{self.path} has {count} rows; rows {list(rows)} were asked for")
        found = table.take(wanted).to_pylist()
        data = self._data(sorted({item["key"] for row in found for item in row["references"]}))
        return [to_triplet(row, data) for row in found]

    def _data(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Bytes of pictures by key.

        Raises:
            KeyError: one is not there, or rows were renumbered since the index was made.
        """
        table = self._tables["pictures"]
        if not keys or table is None:
            return {}
        rows = self._index.rows(keys)
        if (rows < 0).any():
            self._index.extend(table.to_table(columns=["key"], offset=len(self._index)).column("key"))
            rows = self._index.rows(keys)
        if (rows < 0).any():
            raise KeyError(keys[int(np.argmin(rows))])
        found = table.take(rows.tolist(), columns=["key", "data"])
        if found["key"].to_pylist() != list(keys):
            raise KeyError(keys[0])
        return dict(zip(keys, found["data"].to_pylist(), strict=True))
