"""Pages → files in the field's formats, whole or not there: everything is written under a `.tmp` name and renamed.

A *part* is a run of pages. As WebDataset it is a shard as img2dataset writes it with re-encoding disabled: broken bytes
stay as they are. As Parquet it is one row group of the one file.
"""

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from tutelage.toybox.pages import Entry, Page, label_line

PAGES_SCHEMA: Final = pa.schema(
    [
        ("url", pa.string()),
        ("page_url", pa.string()),
        ("image", pa.binary()),
        ("alt_text", pa.string()),
        ("licence", pa.string()),
    ]
)
_STRINGS: Final = ("url", "caption", "key", "status", "error_message", "exif", "sha256", "page_url", "licence")
SHARD_SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in _STRINGS]
    + [(name, pa.int32()) for name in ("width", "height", "original_width", "original_height")]
)
"""Columns of a shard's metadata: img2dataset's own, then ours."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; it becomes `path` if all went well and is removed if not."""
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_labels(pages: Sequence[Page], path: Path) -> None:
    """The truth about pages: one line of JSON each."""
    write_text(path, "".join(f"{label_line(page)}\n" for page in pages))


def write_parquet(pages: Sequence[Page], path: Path) -> None:
    """The pictures of pages as one row group of `PAGES_SCHEMA`, page by page."""
    rows = [entry for page in pages for entry in page.entries]
    columns = [[getattr(row, name) for row in rows] for name in PAGES_SCHEMA.names]
    with whole(path) as temporary:
        pq.write_table(pa.table(columns, schema=PAGES_SCHEMA), temporary, compression="zstd")


def write_shard(pages: Sequence[Page], folder: Path, shard: int) -> None:
    """The pictures of pages as shard `NNNNN`: `.tar`, `.parquet` and, last because it says done, `_stats.json`.

    A picture is `.jpg` whatever its bytes are, as img2dataset names them; readers go by the bytes.
    """
    start, name = time.time(), f"{shard:05d}"
    rows = []
    with whole(folder / f"{name}.tar") as temporary, tarfile.open(temporary, "w") as tar:
        for at, entry in enumerate(entry for page in pages for entry in page.entries):
            rows.append(_metadata(entry, f"{name}{at:04d}"))
            _add_sample(tar, entry, rows[-1])
    with whole(folder / f"{name}.parquet") as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SHARD_SCHEMA), temporary)
    write_text(stats_path(folder, shard), json.dumps(_stats(len(rows), start), indent=4))


def stats_path(folder: Path, shard: int) -> Path:
    """The file whose presence says that a shard is finished."""
    return folder / f"{shard:05d}_stats.json"


def join_parquet(parts: Iterable[Path], path: Path) -> None:
    """Put parts, a row group each, into one file; one part at a time is in memory."""
    with whole(path) as temporary, pq.ParquetWriter(temporary, PAGES_SCHEMA, compression="zstd") as writer:
        for part in parts:
            writer.write_table(pq.read_table(part))


def join_text(parts: Iterable[Path], path: Path) -> None:
    """Put text files one after the other into one."""
    with whole(path) as temporary, temporary.open("wb") as joined:
        for part in parts:
            joined.write(part.read_bytes())


def _add_sample(tar: tarfile.TarFile, entry: Entry, row: dict[str, Any]) -> None:
    """Picture, caption and metadata of one sample, in img2dataset's order; no clock, so the same crawl is the same."""
    for ending, data in (
        ("jpg", entry.image),
        ("json", json.dumps(row, indent=4).encode()),
        ("txt", entry.alt_text.encode()),
    ):
        member = tarfile.TarInfo(f"{row['key']}.{ending}")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))


def _metadata(entry: Entry, key: str) -> dict[str, Any]:
    width, height = _shape(entry.image)
    return {
        "caption": entry.alt_text,
        "url": entry.url,
        "key": key,
        "status": "success",
        "error_message": None,
        "width": width,
        "height": height,
        "original_width": width,
        "original_height": height,
        "exif": "{}",
        "sha256": hashlib.sha256(entry.image).hexdigest(),
        "page_url": entry.page_url,
        "licence": entry.licence,
    }


def _shape(image: bytes) -> tuple[int | None, int | None]:
    """Width and height by the header alone; None for bytes that have none."""
    try:
        with Image.open(io.BytesIO(image)) as opened:
            return opened.size
    except (UnidentifiedImageError, OSError, SyntaxError):  # what Pillow raises for a header that is cut off
        return None, None


def _stats(count: int, start: float) -> dict[str, Any]:
    """What img2dataset says of a shard: every download went well, whatever came."""
    end = time.time()
    return {
        "count": count,
        "successes": count,
        "failed_to_download": 0,
        "failed_to_resize": 0,
        "duration": end - start,
        "start_time": start,
        "end_time": end,
        "status_dict": {"success": count},
    }
