"""Parquet: files `00000.parquet`, one row a triplet, pictures as bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from tutelage.corpus.exports.base import Row, shards
from tutelage.corpus.rows import REFERENCE, VERDICTS

GROUP_ROWS: Final = 100
"""Rows that are compressed, and read, together."""

SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "text", "caption", "subject", "skill", "cluster")),
        ("kept", pa.bool_()),
        *((name, pa.string()) for name in ("teacher", "base")),
        ("seed", pa.int64()),
        ("target", pa.binary()),
        ("wordings", pa.list_(pa.string())),
        ("mask", pa.binary()),
        ("references", pa.list_(pa.struct([*REFERENCE, ("data", pa.binary())]))),
        ("verdicts", pa.list_(pa.struct([field for field in VERDICTS if field.name != "triplet"]))),
    ]
)


def write(rows: Iterator[Row], out: Path) -> None:
    """Write files of `base.SHARD_ROWS` triplets."""
    for shard, some in shards(rows):
        with pq.ParquetWriter(out / f"{shard:05d}.parquet", SCHEMA, compression="zstd") as file:
            while group := [row for _, row in zip(range(GROUP_ROWS), some, strict=False)]:
                file.write_table(pa.Table.from_pylist(group, schema=SCHEMA))
