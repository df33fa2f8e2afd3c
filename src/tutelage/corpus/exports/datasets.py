"""Hugging Face `datasets`: a folder that `load_dataset` reads and the Hub shows, with pictures as pictures.

It is Parquet whose schema carries the library's own description of the columns, and a card. The library is asked for
that description only: nothing is pickled and nothing hashed on the way.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tutelage.corpus.exports.base import Row, shards
from tutelage.corpus.exports.parquet import GROUP_ROWS, SCHEMA
from tutelage.errors import BadInput

CARD = """---
configs:
- config_name: default
  data_files: data/*.parquet
---

{count} triplets (target picture, text, captioned references), {kept} of them kept by their judges (`kept`); every
judge's score and reason is in `verdicts`.

Licences of the reference pictures, as the pages they were found on gave them:

{licences}
"""


def write(rows: Iterator[Row], out: Path) -> None:
    """Write `data/train-00000.parquet`, … and the card.

    Raises:
        BadInput: the library is not installed.
    """
    schema, counts = _schema(), Counter[str]()
    (out / "data").mkdir()
    for shard, some in shards(rows):
        with pq.ParquetWriter(out / "data" / f"train-{shard:05d}.parquet", schema, compression="zstd") as file:
            while group := [row for _, row in zip(range(GROUP_ROWS), some, strict=False)]:
                for row in group:
                    _count(row, counts)
                file.write_table(pa.Table.from_pylist([_as_images(row) for row in group], schema=schema))
    (out / "README.md").write_text(_card(counts), encoding="utf-8")


def _schema() -> pa.Schema:
    try:
        from datasets import Features, Image
    except ImportError as error:
        raise BadInput("no package `datasets`; `pip install 'tutelage[datasets]'`, or export to parquet") from error
    features = Features.from_arrow_schema(SCHEMA)
    features["target"] = Image()
    features["references"].feature["data"] = Image()
    schema: pa.Schema = features.arrow_schema
    return schema


def _as_images(row: Row) -> dict[str, Any]:
    """Pictures as the library stores them."""
    references = [{**item, "data": {"bytes": item["data"], "path": None}} for item in row["references"]]
    return {**row, "target": {"bytes": row["target"], "path": None}, "references": references}


def _count(row: Row, counts: Counter[str]) -> None:
    counts["rows"] += 1
    counts["kept"] += row["kept"]
    counts.update({f"licence {item['licence'] or 'unknown'}": 1 for item in row["references"]})


def _card(counts: Counter[str]) -> str:
    licences = {name.removeprefix("licence "): n for name, n in counts.items() if name.startswith("licence ")}
    lines = [f"* {name}: in {count} triplets" for name, count in sorted(licences.items())]
    return CARD.format(count=counts["rows"], kept=counts["kept"], licences="\n".join(lines))
