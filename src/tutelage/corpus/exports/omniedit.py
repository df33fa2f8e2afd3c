"""OmniEdit's columns: `data/train-00000.parquet`, …, one row an edit.

What a judge said comes from the verdicts `omniedit` (of a set that was read in) or `viescore`; without them it is null.
Pictures are the files as they are; their size is written as their headers have it, and their names are left out.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tutelage.corpus.exports.base import Row, shards
from tutelage.corpus.exports.parquet import GROUP_ROWS
from tutelage.corpus.imports.omniedit import JUDGE, QUALITY
from tutelage.errors import BadInput
from tutelage.layouts.omniedit import SCHEMA, TRUTH

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")


def write(rows: Iterator[Row], out: Path) -> None:
    """Write files of `base.SHARD_ROWS` edits.

    Raises:
        BadInput: a triplet is no edit: it has not one reference.
    """
    (out / "data").mkdir()
    for shard, some in shards(rows):
        with pq.ParquetWriter(out / "data" / f"train-{shard:05d}.parquet", SCHEMA, compression="zstd") as file:
            while group := [omniedit_row(row) for _, row in zip(range(GROUP_ROWS), some, strict=False)]:
                file.write_table(pa.Table.from_pylist(group, schema=SCHEMA))


def omniedit_row(row: Row) -> dict[str, Any]:
    """An edit by OmniEdit's columns.

    Raises:
        BadInput: it is none.
    """
    if len(row["references"]) != 1:
        raise BadInput(f"triplet {row['id']} has {len(row['references'])} references; an edit has one, its source")
    source = row["references"][0]["data"]
    width, height = Image.open(io.BytesIO(source), formats=FORMATS).size
    told = {"omni_edit_id": row["id"], "task": row["skill"], "width": width, "height": height}
    pictures = {"src_img": {"bytes": source, "path": None}, TRUTH: {"bytes": row["target"], "path": None}}
    return {**told, **pictures, "edited_prompt_list": [row["text"], *row["wordings"]], **_scores(row)}


def _scores(row: Row) -> dict[str, Any]:
    said = {verdict["judge"]: verdict for verdict in row["verdicts"]}
    if JUDGE in said or QUALITY in said:
        return _own(said.get(JUDGE, {}), said.get(QUALITY, {}))
    return _viescore(said["viescore"]) if "viescore" in said else {}


def _own(overall: Mapping[str, Any], quality: Mapping[str, Any]) -> dict[str, Any]:
    parts = _parts(overall)
    return {
        "sc_score_1": _whole(parts.get("SC.1")),
        "sc_score_2": _whole(parts.get("SC.2")),
        "sc_reasoning": overall.get("words") or None,
        "pq_score": _whole(quality.get("score")),
        "pq_reasoning": quality.get("words") or None,
        "o_score": overall.get("score"),
    }


def _viescore(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """The first two sub-scores of SC, and PQ."""
    parts = _parts(verdict)
    first, second, *_ = [value for name, value in parts.items() if name.startswith("SC.")] + [None, None]
    sc, _, pq = str(verdict["words"]).partition("\nPQ: ")
    return {
        "sc_score_1": _whole(first),
        "sc_score_2": _whole(second),
        "sc_reasoning": sc.removeprefix("SC: ") or None,
        "pq_score": _whole(parts.get("PQ")),
        "pq_reasoning": pq or None,
        "o_score": verdict["score"],
    }


def _parts(verdict: Mapping[str, Any]) -> dict[str, float]:
    return {part["name"]: part["score"] for part in verdict.get("parts") or ()}


def _whole(score: float | None) -> int | None:
    return None if score is None else round(score)
