"""A folder of folders: each holds the pictures of one subject, with or without captions.

A caption is a text file beside its picture (`00.txt` or `00.jpg.txt` beside `00.jpg`). A folder with a `metadata.jsonl`
or `metadata.csv`, as Hugging Face's imagefolder has it, is read by that: `file_name`, and a caption, URL, page and
licence where there are any.
"""

import csv
import itertools
import json
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from tutelage.errors import BadInput
from tutelage.sources.base import MOST_BYTES, Found
from tutelage.sources.names import ESCAPING, IMAGES, escapes, told

if TYPE_CHECKING:
    import daft

METADATA: Final = ("metadata.jsonl", "metadata.csv")
ENTRIES_PER_PART: Final = 64
MOST_CAPTION: Final = 64 * 1024
"""Characters; more is no caption."""

BROKEN_ROW: Final = "broken metadata"
MISSING: Final = "missing file"
UNREADABLE: Final = "unreadable file"
TOO_LARGE: Final = "too large"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Pictures in folders. A picture without a URL is known by its path from the folder's own name on."""

    path: Path
    licence: str = ""
    """Of all pictures whose metadata gives none."""

    def frame(self) -> "daft.DataFrame":
        from tutelage.sources.scan import pages

        if not self.path.is_dir():
            raise BadInput(f"{self.path} is not a folder; give one with a folder of pictures for each subject")
        try:
            empty = not any(True for part in self.parts() for _ in part.files())
        except OSError as error:
            raise BadInput(f"{self.path} cannot be read ({error.strerror}); make it readable") from error
        if empty:
            raise BadInput(f"{self.path} holds no pictures ({', '.join(sorted(IMAGES))}) and no {METADATA[0]}")
        return pages(self)

    def parts(self) -> Iterator["FolderPart"]:
        """A stretch of the folder's own entries each: the engine plans with all parts at once, so they are small."""
        root = self.path.resolve()
        if _metadata(root) is not None:
            yield FolderPart(root=root, names=("",), licence=self.licence)
            return
        names = iter(sorted(entry.name for entry in root.iterdir()))
        while stretch := tuple(itertools.islice(names, ENTRIES_PER_PART)):
            yield FolderPart(root=root, names=stretch, licence=self.licence)


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A picture that a folder holds, or is said to hold."""

    path: Path | None
    """None if nothing may be read."""
    row: Found
    captioned: bool = False
    """Whether metadata was there to give the caption: no text file is looked for."""


@dataclass(frozen=True, kw_only=True)
class FolderPart:
    """Some of the files and folders in a folder, by their names; the empty name is the folder itself."""

    root: Path
    names: tuple[str, ...]
    licence: str

    def files(self) -> Iterator[File]:
        """The pictures in them, at any depth."""
        for name in self.names:
            yield from _entry(self.root / name, f"{self.root.name}/{name}".rstrip("/"))

    def batches(self, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
        from tutelage.sources.scan import packed

        rows = (_read(file, columns) for file in self.files())
        return packed((replace(row, licence=row.licence or self.licence) for row in rows), columns)


def _metadata(folder: Path) -> Path | None:
    return next((folder / name for name in METADATA if (folder / name).is_file()), None)


def _entry(path: Path, name: str) -> Iterator[File]:
    """The pictures at `path`, and a fault for what may not be looked at."""
    try:
        yield from _walk(path, name)
    except OSError:
        yield File(path=None, row=Found(url=name, page_url=name, fault=UNREADABLE))


def _walk(path: Path, name: str) -> Iterator[File]:
    """The picture at `path`, or those of a folder: by metadata if there is any, else by their endings, in order."""
    if path.is_dir():
        metadata = _metadata(path)
        if metadata is not None:
            yield from _by_metadata(metadata, name)
            return
        for entry in sorted(path.iterdir()):
            if not (entry.is_symlink() and entry.is_dir()):  # a folder linked into itself would never end
                yield from _entry(entry, f"{name}/{entry.name}")
    elif path.suffix[1:].lower() in IMAGES:
        yield File(path=path, row=Found(url=name, page_url=name.rpartition("/")[0]))


def _by_metadata(metadata: Path, name: str) -> Iterator[File]:
    """Files that a metadata file names, in its order; a row that names none is a fault with the number of its line."""
    for number, row in _rows(metadata):
        at = row.get("file_name") if row else None
        if not isinstance(at, str):
            yield File(path=None, row=Found(url=f"{name}/{metadata.name}:{number}", fault=BROKEN_ROW))
        elif escapes(at):
            yield File(path=None, row=Found(url=f"{name}/{metadata.name}:{number}", fault=ESCAPING))
        else:
            yield File(path=metadata.parent / at, row=_described(row or {}, f"{name}/{at}"), captioned=True)


def _described(row: dict[str, Any], name: str) -> Found:
    return Found(
        url=told(row, "url") or name,
        page_url=told(row, "page_url") or name.rpartition("/")[0],
        alt_text=told(row, "alt_text"),
        licence=told(row, "licence"),
    )


def _rows(metadata: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield (line, row), one at a time; None for a line that is no row."""
    with metadata.open(encoding="utf-8", errors="replace", newline="") as file:
        if metadata.suffix == ".csv":
            yield from enumerate(_csv_rows(file), start=2)
        else:
            yield from ((number, _json_row(line)) for number, line in enumerate(file, start=1) if line.strip())


def _csv_rows(lines: Iterator[str]) -> Iterator[dict[str, Any] | None]:
    reader = csv.DictReader(lines)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:  # a field longer than csv takes, a stray zero byte
            yield None


def _json_row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _read(file: File, columns: Collection[str]) -> Found:
    """The row of a file, opening only what the columns need."""
    row = file.row
    if file.path is None:
        return row
    if not {"image", "fault"}.isdisjoint(columns):
        image, fault = _bytes(file.path)
        row = replace(row, image=image, fault=fault)
    if "alt_text" in columns and not file.captioned:
        row = replace(row, alt_text=_caption(file.path))
    return row


def _bytes(path: Path) -> tuple[bytes | None, str | None]:
    """The file, or None and why not; only regular files are opened, since a pipe would never end."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None, UNREADABLE
        return (None, TOO_LARGE) if status.st_size > MOST_BYTES else (path.read_bytes(), None)
    except FileNotFoundError:
        return None, MISSING
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None, UNREADABLE


def _caption(path: Path) -> str:
    for beside in (path.with_suffix(".txt"), path.with_name(f"{path.name}.txt")):
        with suppress(OSError):  # one that may not be read, or a name grown too long, is no caption
            if beside.is_file():
                with beside.open(encoding="utf-8", errors="replace") as file:
                    return file.read(MOST_CAPTION).strip()
    return ""
