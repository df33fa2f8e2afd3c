"""Parquet files with one picture a row. Columns may go by other names (`names.ALIASES`), the picture as bytes or as
Hugging Face stores it, a struct of `bytes` and `path`. A damaged file is one row with its name and fault."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tutelage.errors import BadInput
from tutelage.sources.base import BATCH_ROWS, Found, Part
from tutelage.sources.names import called

if TYPE_CHECKING:
    import daft

DAMAGED: Final = "damaged file"
OTHER_COLUMNS: Final = "file with other columns"
TEXT_ROWS: Final = 64 * 1024
"""Rows a batch when no picture is asked for."""


@dataclass(frozen=True, kw_only=True)
class Parquet:
    """A Parquet file, or a folder with some at any depth. Without a column for it, a picture's URL is file and row."""

    path: Path

    def frame(self) -> "daft.DataFrame":
        from tutelage.sources.scan import pages

        if not self.path.exists():
            raise BadInput(f"{self.path} is not there; give a .parquet file or a folder of them")
        first = next((schema for part in self._files() if (schema := part.schema()) is not None), None)
        if first is None:
            raise BadInput(f"{self.path} holds no .parquet file that can be read; give another file or folder")
        found = dict(called(first.names))
        if not {"image", "page_url"} <= found.keys() or _image_path(first.field(found["image"]).type) is None:
            columns = ", ".join(f"{field.name}: {field.type}" for field in first)
            raise BadInput(f"{self.path} needs columns url, page_url, image (bytes), alt_text, licence; has {columns}")
        return pages(self)

    def parts(self) -> Iterator[Part]:
        return self._files()

    def _files(self) -> Iterator["ParquetFile"]:
        files = sorted(self.path.rglob("*.parquet")) if self.path.is_dir() else [self.path]
        return (ParquetFile(path=file) for file in files)


@dataclass(frozen=True, kw_only=True)
class ParquetFile:
    """One file."""

    path: Path

    def schema(self) -> pa.Schema | None:
        """Its columns by the footer; None if it cannot be read."""
        try:
            with pq.ParquetFile(self.path) as file:
                return file.schema_arrow
        except (pa.ArrowException, OSError):
            return None

    def batches(self, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
        from tutelage.sources.scan import packed

        try:
            # Buffered: a row group of any size passes through in small pieces.
            with pq.ParquetFile(self.path, buffer_size=2**20) as file:
                found = dict(called(file.schema_arrow.names))
                image = _image_path(file.schema_arrow.field(found["image"]).type) if "image" in found else None
                if image is None or "page_url" not in found:
                    yield from packed([Found(url=self.path.name, fault=OTHER_COLUMNS)], columns)
                    return
                yield from self._read(file, found, image, columns)
        except pa.ArrowNotImplementedError:  # lists where there should be text, and the like
            yield from packed([Found(url=self.path.name, fault=OTHER_COLUMNS)], columns)
        except (pa.ArrowException, OSError):
            yield from packed([Found(url=self.path.name, fault=DAMAGED)], columns)

    def _read(
        self, file: Any, found: dict[str, str], image: tuple[str, ...], columns: Collection[str]
    ) -> Iterator[pa.RecordBatch]:
        needed = {*columns, "page_url"} - {"fault"}
        paths = [".".join((found[name], *(image if name == "image" else ()))) for name in needed if name in found]
        rows, first = BATCH_ROWS if "image" in columns else TEXT_ROWS, 0
        for batch in file.iter_batches(batch_size=rows, columns=paths):
            yield self._ours(batch, found, columns, first)
            first += batch.num_rows

    def _ours(self, batch: pa.RecordBatch, found: dict[str, str], columns: Collection[str], first: int) -> Any:
        from tutelage.sources.scan import NO_PAGE, wanted

        schema = wanted(columns)
        text = {name: _text(batch, found.get(name)) for name in ("url", "page_url", "alt_text", "licence")}
        no_page = pc.equal(text["page_url"], "")
        made = {
            **text,
            "url": _named(text["url"], self.path.name, first) if "url" in columns else None,
            "image": _image(batch.column(found["image"])) if "image" in columns else None,
            "fault": pc.if_else(no_page, pa.scalar(NO_PAGE), pa.scalar(None, pa.string())),
        }
        return pa.record_batch([made[field.name].cast(field.type) for field in schema], schema=schema)


def _text(batch: pa.RecordBatch, name: str | None) -> pa.Array:
    """A column as strings, empty where there is nothing; bytes that are not UTF-8 become �."""
    if name is None or name not in batch.schema.names:
        return pa.array([""] * batch.num_rows, pa.string())
    text = pc.fill_null(batch.column(name).cast(pa.string(), safe=False), "")
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        text = pa.array([value.decode("utf-8", "replace") for value in text.cast(pa.binary()).to_pylist()], pa.string())
    return text


def _named(urls: pa.Array, file: str, first: int) -> pa.Array:
    """URLs, and file and row where there are none."""
    if not pc.any(pc.equal(urls, "")).as_py():
        return urls
    rows = pa.array([f"{file}#{first + at}" for at in range(len(urls))])
    return pc.if_else(pc.equal(urls, ""), rows, urls)


def _image_path(kind: pa.DataType) -> tuple[str, ...] | None:
    """Where the bytes are inside a column of this type; None if nowhere."""
    if pa.types.is_struct(kind):
        inner = kind.field("bytes").type if kind.get_field_index("bytes") >= 0 else pa.null()
        return ("bytes",) if _image_path(inner) == () else None
    return () if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else None


def _image(column: pa.Array) -> pa.Array:
    return pc.struct_field(column, "bytes") if pa.types.is_struct(column.type) else column
