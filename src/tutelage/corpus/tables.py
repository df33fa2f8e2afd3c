"""The folder of a corpus: its marker, its lock, and its Lance tables, each of which may not be there yet."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import lance
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from tutelage.errors import BadInput
from tutelage.run import write_atomic

MARKER: Final = "corpus.json"
LOCK: Final = ".lock"
FORMAT: Final = 1
FRAGMENT_ROWS: Final = 8192
"""Rows of a data file after small ones were joined."""

Name = Literal["pictures", "verdicts", "triplets"]
NAMES: Final[tuple[Name, ...]] = ("pictures", "verdicts", "triplets")
"""The tables in the order they are written."""


def mark(path: Path) -> None:
    """Make `path` the folder of a corpus, or see that it is one.

    Raises:
        BadInput: it cannot be made, or holds something else.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{path} cannot be made a folder ({error.strerror}); give another one for the corpus") from error
    if (path / MARKER).exists():
        check(path)
    elif any(not entry.name.startswith(".") for entry in path.iterdir()):
        raise BadInput(f"{path} is not empty and holds no {MARKER}; give a new folder for the corpus")
    else:
        write_atomic(path / MARKER, f"{json.dumps({'format': FORMAT})}\n".encode())


def check(path: Path) -> None:
    """Refuse a folder that is no corpus this version reads.

    Raises:
        BadInput: it is none.
    """
    try:
        form = json.loads((path / MARKER).read_bytes())["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is no corpus (no readable {MARKER}); give the folder a run wrote") from error
    if form != FORMAT:
        raise BadInput(f"{path} is a corpus of format {form}, not {FORMAT}; read it with the version that wrote it")


@contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[None]:
    """Be the one process that writes; the lock falls with the process, however it ends.

    Raises:
        BadInput: another process writes, and goes on for so many seconds.
    """
    lock = FileLock(path / LOCK, timeout=patience, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise BadInput(f"{path} is being written by another process; wait for it or stop it") from error
    try:
        yield
    finally:
        lock.release()


def opened(path: Path, name: Name) -> lance.LanceDataset | None:
    """A table as it is now, or None if nothing was written to it yet."""
    folder = path / f"{name}.lance"
    return lance.dataset(folder) if any(folder.glob("_versions/*.manifest")) else None


def append(path: Path, name: Name, rows: pa.Table) -> None:
    """Add rows to a table: all of them, in this order, in one commit, or none.

    Columns that a table of an older version lacks are added to it first, empty.
    """
    if not rows.num_rows:
        return
    table = opened(path, name)
    if table is not None and (new := [field for field in rows.schema if field.name not in table.schema.names]):
        table.add_columns(pa.schema(new))
    lance.write_dataset(rows, path / f"{name}.lance", mode="create" if table is None else "append")


def among(path: Path, name: Name, columns: tuple[str, ...], values: Collection[str]) -> set[Any]:
    """Which of the values of `columns[0]` a table holds: those, or tuples of all the columns if there are more."""
    table = opened(path, name)
    if table is None or not values:
        return set()
    found = table.to_table(columns=list(columns), filter=pc.field(columns[0]).isin(list(values)))
    lists = [found.column(column).to_pylist() for column in columns]
    return set(lists[0]) if len(lists) == 1 else set(zip(*lists, strict=True))


def values(path: Path, name: Name, column: str) -> set[Any]:
    """Every value that a column holds."""
    table = opened(path, name)
    return set() if table is None else set(pc.unique(table.to_table(columns=[column])[column]).to_pylist())


def delete(path: Path, name: Name, column: str, values: Collection[str]) -> None:
    """Remove the rows with these values; their bytes stay in old files until `tidy` and `clean`."""
    table = opened(path, name)
    if table is not None and values:
        table.delete(pc.field(column).isin(sorted(values)))


def tidy(path: Path, name: Name) -> None:
    """Join small files and drop deleted rows; readers go on with the old files, and the order of rows stays."""
    table = opened(path, name)
    if table is not None:
        table.optimize.compact_files(target_rows_per_fragment=FRAGMENT_ROWS, materialize_deletions_threshold=0.0)


def clean(path: Path, name: Name, older: timedelta) -> None:
    """Remove versions older than this, and with them the files that no newer one uses, and what killed writers left.

    Only whoever holds the lock may call this.
    """
    table = opened(path, name)
    if table is not None:
        table.cleanup_old_versions(older_than=max(older, timedelta(microseconds=1)), delete_unverified=True)
