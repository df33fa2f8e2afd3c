"""Tars in img2dataset's layout: the files of one picture share a name up to its first dot and follow each other.

Shards are read from start to end and never extracted. What an archive may not hold (links, devices, paths that lead
out of it) is skipped, each as a row with its fault, and so is the tail of an archive that is cut off.
"""

import json
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from tutelage.errors import BadInput
from tutelage.sources.base import MOST_BYTES, Found, Part
from tutelage.sources.names import ESCAPING, IMAGES, escapes, told

if TYPE_CHECKING:
    import daft

LINK: Final = "link in archive"
DEVICE: Final = "device in archive"
TOO_LARGE: Final = "too large"
BROKEN_METADATA: Final = "broken metadata"
TRUNCATED_ARCHIVE: Final = "truncated archive"

ARCHIVE_FAULTS: Final = (
    tarfile.TarError, OSError, EOFError, ValueError, ArithmeticError, LookupError, MemoryError, RecursionError,
)  # fmt: skip
"""What `tarfile` raises for bytes it cannot use."""


@dataclass(frozen=True, kw_only=True)
class WebDataset:
    """A tar, or a folder with tars at any depth."""

    path: Path

    def frame(self) -> "daft.DataFrame":
        from tutelage.sources.scan import pages

        if not self.path.exists():
            raise BadInput(f"{self.path} is not there; give a .tar or a folder of them")
        if next(self.parts(), None) is None:
            raise BadInput(f"{self.path} holds no .tar; give a folder of shards, not compressed")
        if self.path.is_file() and not _is_tar(self.path):
            raise BadInput(f"{self.path} is no .tar; give one that is not compressed, or a folder of them")
        return pages(self)

    def parts(self) -> Iterator[Part]:
        shards = sorted(self.path.rglob("*.tar")) if self.path.is_dir() else [self.path]
        return (Shard(path=shard) for shard in shards)


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One tar."""

    path: Path

    def batches(self, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
        from tutelage.sources.scan import packed

        return packed(self._rows(), columns)

    def _rows(self) -> Iterator[Found]:
        sample = _Sample(key="")
        try:
            with self.path.open("rb") as file, tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as tar:
                for member in _members(tar):
                    if not member.isfile() or escapes(member.name) or member.size > MOST_BYTES:
                        yield from self._refused(member)
                        continue
                    key, ending = _key(member.name)
                    if key != sample.key:
                        yield from self._row(sample)
                        sample = _Sample(key=key)
                    sample.add(ending, tar, member)
                yield from self._row(sample)
                if not _ended(tar):
                    raise tarfile.ReadError("no end of archive")
        except ARCHIVE_FAULTS:
            yield Found(url=self.path.name, fault=TRUNCATED_ARCHIVE)

    def _refused(self, member: tarfile.TarInfo) -> Iterator[Found]:
        """A member that is not read; a folder is nothing to speak of."""
        if escapes(member.name):
            fault = ESCAPING
        elif member.islnk() or member.issym():
            fault = LINK
        elif member.isfile():
            fault = TOO_LARGE
        elif member.isdir():
            return
        else:
            fault = DEVICE
        yield Found(url=f"{self.path.name}/{member.name}", fault=fault)

    def _row(self, sample: "_Sample") -> Iterator[Found]:
        """The row of a sample; files that are neither a picture nor about one make none."""
        if sample.image is None and sample.metadata is None:
            return
        name = f"{self.path.name}/{sample.key}"
        if sample.metadata is not None and sample.facts is None:
            yield Found(url=name, image=sample.image, fault=BROKEN_METADATA)
            return
        facts, folder = sample.facts or {}, sample.key.rpartition("/")[0]
        yield Found(
            url=told(facts, "url") or name,
            page_url=told(facts, "page_url") or (f"{self.path.name}/{folder}" if folder else ""),
            image=sample.image,
            alt_text=sample.text or told(facts, "alt_text"),
            licence=told(facts, "licence"),
        )


@dataclass(kw_only=True)
class _Sample:
    """The files of one picture, as far as they are read."""

    key: str
    image: bytes | None = None
    metadata: bytes | None = None
    text: str = ""
    facts: dict[str, Any] | None = None

    def add(self, ending: str, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Read a member if it is of use; of several pictures the first counts."""
        if ending in IMAGES and self.image is None:
            self.image = _bytes(tar, member)
        elif ending == "json":
            self.metadata = _bytes(tar, member)
            self.facts = _object(self.metadata)
        elif ending == "txt":
            self.text = _bytes(tar, member).decode("utf-8", "replace").strip()


def _is_tar(path: Path) -> bool:
    """Whether a file begins as a tar does."""
    try:
        with tarfile.open(path, mode="r:"):
            return True
    except ARCHIVE_FAULTS:
        return False


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Members in order, forgotten as they pass; an archive that leads backwards would never end."""
    at = -1
    while (member := tar.next()) is not None:
        if tar.offset <= at:
            raise tarfile.ReadError("archive leads backwards")
        at = tar.offset
        yield member
        tar.members = []  # type: ignore[attr-defined]  # else all headers of a long archive stay in memory


def _ended(tar: tarfile.TarFile) -> bool:
    """Whether the archive stopped at its end mark: `tarfile` takes a broken header for the end as well."""
    file: Any = tar.fileobj
    file.seek(tar.offset)
    return bool(file.read(tarfile.BLOCKSIZE) == tarfile.NUL * tarfile.BLOCKSIZE)


def _key(name: str) -> tuple[str, str]:
    """Split a member's name at the first dot of its last part; the ending is in small letters."""
    folder, slash, last = name.removeprefix("./").rpartition("/")
    stem, _, ending = last.partition(".")
    return f"{folder}{slash}{stem}", ending.lower()


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None  # it is a regular file
    return file.read()


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
