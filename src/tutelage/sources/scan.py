"""Parts of a source → a lazy Daft frame. Parts are read by threads of the native engine, or by Ray's workers, alike."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import daft
import pyarrow as pa
from daft.io.pushdowns import Pushdowns
from daft.io.source import DataSource, DataSourceTask
from daft.recordbatch import RecordBatch
from daft.schema import Schema

from tutelage.sources.base import BATCH_BYTES, BATCH_ROWS, SCHEMA, Found, Part, Parted

NO_PAGE: Final = "no page"
"""Fault of a picture of which nobody knows the page: it cannot be grouped."""


def pages(parted: Parted) -> daft.DataFrame:
    """The frame of a source that is read part by part; only columns that are used are read."""
    return _Pages(parted).read()


def packed(rows: Iterable[Found], columns: Collection[str]) -> Iterator[pa.RecordBatch]:
    """Rows in batches of at most `BATCH_ROWS` rows and about `BATCH_BYTES`, with the named columns."""
    held: list[Found] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row.image or b"")
        if len(held) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield _batch(held, columns)
            held, size = [], 0
    if held:
        yield _batch(held, columns)


def _batch(rows: list[Found], columns: Collection[str]) -> pa.RecordBatch:
    schema = wanted(columns)
    arrays = [pa.array([_value(row, field.name) for row in rows], field.type) for field in schema]
    return pa.record_batch(arrays, schema=schema)


def wanted(columns: Collection[str]) -> pa.Schema:
    """`SCHEMA` cut down to the named columns, in its own order."""
    return pa.schema([field for field in SCHEMA if field.name in columns])


def _value(row: Found, name: str) -> Any:
    """A field; what has no page and no other fault gets that one, and half characters are spelt out (`\\udcff`).

    File names in other encodings and JSON bring such halves; no table takes them.
    """
    value = getattr(row, name)
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return NO_PAGE if name == "fault" and value is None and not row.page_url else value


class _Pages(DataSource):
    """Daft's view of a source."""

    def __init__(self, parted: Parted) -> None:
        self._parted = parted

    @property
    def name(self) -> str:
        return type(self._parted).__name__

    @property
    def schema(self) -> Schema:
        return Schema.from_pyarrow_schema(SCHEMA)

    async def get_tasks(self, pushdowns: Pushdowns) -> AsyncIterator[DataSourceTask]:
        used = set(SCHEMA.names if pushdowns.columns is None else pushdowns.columns)
        used |= pushdowns.filter_required_column_names()  # a filter is applied to what the task gives
        columns = tuple(wanted(used).names)
        for part in self._parted.parts():
            yield _Reading(part, columns)


@dataclass(frozen=True)
class _Reading(DataSourceTask):
    """Daft's view of a part."""

    part: Part
    columns: tuple[str, ...]

    @property
    def schema(self) -> Schema:
        return Schema.from_pyarrow_schema(wanted(self.columns))

    async def read(self) -> AsyncIterator[RecordBatch]:
        batches = iter(self.part.batches(self.columns))
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            yield RecordBatch.from_arrow_record_batches([batch], batch.schema)
