"""Page verdicts, clusters and assignments on disk: Parquet, one file a part, each whole or not there."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tutelage.errors import BadInput
from tutelage.mining.cluster import Decision, Measured
from tutelage.toybox.writers import whole
from tutelage.triplet import Assignment, Cluster, Order, Picture, Reference

_COSINES: Final = pa.list_(pa.float32())
PAGES: Final = pa.schema(
    [
        ("page", pa.string()),
        ("found", pa.int32()),
        ("faults", pa.map_(pa.string(), pa.int32())),
        ("copies", pa.int32()),
        ("urls", pa.list_(pa.string())),
        ("similarity", _COSINES),
        ("likeness", _COSINES),
        ("kept", pa.bool_()),
        ("reason", pa.string()),
        ("pictures", pa.list_(pa.int32())),
        ("mean", pa.float64()),
        ("subject", pa.string()),
    ]
)
"""One row a page: `Measured`, `Decision`, and what its subject was called."""

_REFERENCE: Final = pa.struct(
    [("image", pa.binary()), *((name, pa.string()) for name in ("url", "page", "alt", "licence", "caption"))]
)
CLUSTERS: Final = pa.schema(
    [
        ("id", pa.string()),
        ("subject", pa.string()),
        ("similarity", pa.float64()),
        ("references", pa.list_(_REFERENCE)),
    ]
)
_ORDER: Final = pa.struct(
    [*((name, pa.string()) for name in ("phrase", "caption", "fill")), ("wordings", pa.list_(pa.string()))]
)
ASSIGNMENTS: Final = pa.schema(
    [*((name, pa.string()) for name in ("id", "cluster", "text", "skill")), ("order", _ORDER)]
)
SINCE: Final = frozenset({"order"})
"""Columns that files of older versions lack."""

_AT_ONCE: Final = 64
"""Clusters in memory while reading, and in a row group."""


def write_pages(rows: Iterable[tuple[Measured, Decision, str]], path: Path) -> None:
    """Write numbers, decision and subject (empty if there is none) of pages."""
    dicts = [dataclasses.asdict(m) | dataclasses.asdict(d) | {"subject": subject} for m, d, subject in rows]
    _write([row | {"faults": list(row["faults"].items())} for row in dicts], PAGES, path)


def read_pages(folder: Path) -> Iterator[tuple[Measured, Decision]]:
    """What was measured and decided, page by page, from all files of a folder.

    Raises:
        BadInput: there are none, or one is not such a file.
    """
    for row in _rows(folder, PAGES):
        numbers: dict[str, Any] = {name: tuple(row[name]) for name in ("urls", "similarity", "likeness")}
        told: dict[str, Any] = {name: row[name] for name in ("page", "found", "copies")} | numbers
        decided = {name: row[name] for name in ("kept", "reason", "mean")}
        measured = Measured(**told, faults=dict(row["faults"]))
        yield measured, Decision(**decided, pictures=tuple(row["pictures"]))


def write_clusters(clusters: Iterable[Cluster], path: Path) -> None:
    """Write clusters with the bytes of their pictures."""
    rows = [
        {name: getattr(cluster, name) for name in ("id", "subject", "similarity")}
        | {"references": [_reference_row(reference) for reference in cluster.references]}
        for cluster in clusters
    ]
    _write(rows, CLUSTERS, path)


def read_clusters(folder: Path) -> Iterator[Cluster]:
    """The clusters of all files of a folder, in their order; a few are in memory at a time.

    Raises:
        BadInput: there are no files, or one is not such a file.
    """
    for row in _rows(folder, CLUSTERS):
        references = tuple(_reference(fields) for fields in row.pop("references"))
        yield Cluster(**row, references=references)


def write_assignments(assignments: Iterable[Assignment], path: Path) -> None:
    """Write assignments, each with its cluster's id."""
    rows = [
        {"id": a.id, "cluster": a.cluster.id, "text": a.text, "skill": a.skill}
        | {"order": None if a.order is None else dataclasses.asdict(a.order)}
        for a in assignments
    ]
    _write(rows, ASSIGNMENTS, path)


def read_assignments(folder: Path, clusters: Iterable[Cluster]) -> Iterator[Assignment]:
    """The assignments to `clusters`, cluster by cluster, as they were written.

    Raises:
        BadInput: there are no files, or one is not such a file.
    """
    by_cluster: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(folder, ASSIGNMENTS):
        by_cluster.setdefault(row["cluster"], []).append(row)
    for cluster in clusters:
        yield from (_assignment(row, cluster) for row in by_cluster.get(cluster.id, ()))


def _assignment(row: dict[str, Any], cluster: Cluster) -> Assignment:
    told = row.get("order")
    order = None if told is None else Order(**told | {"wordings": tuple(told["wordings"])})
    return Assignment(**row | {"cluster": cluster, "order": order})


def _reference_row(reference: Reference) -> dict[str, Any]:
    picture = reference.picture
    told = {name: getattr(picture, name) for name in ("url", "page", "alt", "licence")}
    return {"image": picture.data, **told, "caption": reference.caption}


def _reference(fields: dict[str, Any]) -> Reference:
    caption, data = fields.pop("caption"), fields.pop("image")
    return Reference(picture=Picture(data=data, **fields), caption=caption)


def _write(rows: Sequence[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
    with whole(path) as temporary:
        table = pa.Table.from_pylist(list(rows), schema=schema)
        pq.write_table(table, temporary, compression="zstd", row_group_size=_AT_ONCE if schema is CLUSTERS else None)


def _rows(folder: Path, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise BadInput(f"{folder} holds no .parquet files; give the folder that mining wrote")
    for path in files:
        try:
            file = pq.ParquetFile(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise BadInput(f"{path} is not a Parquet file ({error}); mine again") from error
        there = [name for name in schema.names if name in file.schema_arrow.names]
        if not set(schema.names) - SINCE <= set(there):
            raise BadInput(f"{path} lacks columns ({', '.join(schema.names)}); give the folder that mining wrote")
        for batch in file.iter_batches(_AT_ONCE, columns=there):
            yield from batch.to_pylist()
