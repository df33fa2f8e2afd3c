"""WebDataset: shards `00000.tar`, and in them for each triplet `N.target.png`, `N.txt`, `N.json`, `N.reference0.jpg`, …

An edit that has a mask has `N.mask.png` too.

`N` counts through the export; the JSON holds everything but the pictures. Scores that are not finite are null there.
"""

import io
import json
import math
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tutelage.corpus.exports.base import SHARD_ROWS, Row, shards

ENDINGS: Final = {b"\xff\xd8\xff": "jpg", b"\x89PNG": "png", b"GIF8": "gif", b"RIFF": "webp", b"BM": "bmp"}
"""How a file begins → its ending."""
PICTURES: Final = ("target", "mask", "references")
"""What the JSON does not hold."""


def write(rows: Iterator[Row], out: Path) -> None:
    """Write shards of `SHARD_ROWS` triplets."""
    for shard, some in shards(rows):
        with tarfile.open(out / f"{shard:05d}.tar", "w") as tar:
            for at, row in enumerate(some):
                _add(tar, f"{shard * SHARD_ROWS + at:09d}", row)


def _add(tar: tarfile.TarFile, key: str, row: Row) -> None:
    facts = {name: value for name, value in row.items() if name not in PICTURES and name != "verdicts"}
    facts["references"] = [{name: item[name] for name in item if name != "data"} for item in row["references"]]
    facts["verdicts"] = [_verdict(verdict) for verdict in row["verdicts"]]
    files = {f"target.{ending(row['target'])}": row["target"], "txt": row["text"].encode()}
    files |= {"mask.png": row["mask"]} if row["mask"] else {}
    files["json"] = json.dumps(facts, ensure_ascii=False, allow_nan=False).encode()
    for at, item in enumerate(row["references"]):
        files[f"reference{at}.{ending(item['data'])}"] = item["data"]
    for name, data in files.items():
        member = tarfile.TarInfo(f"{key}.{name}")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))


def ending(data: bytes) -> str:
    """The ending for a picture's file name, by its first bytes."""
    return next((name for start, name in ENDINGS.items() if data.startswith(start)), "bin")


def _verdict(verdict: dict[str, Any]) -> dict[str, Any]:
    parts = [{**part, "score": _finite(part["score"])} for part in verdict["parts"]]
    return {**verdict, "score": _finite(verdict["score"]), "parts": parts}


def _finite(score: Any) -> Any:
    return score if score is None or math.isfinite(score) else None
