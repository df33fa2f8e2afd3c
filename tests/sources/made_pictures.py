"""Pictures, archives and tables for the tests of sources."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from daft import DataFrame
from PIL import Image


def jpeg(colour: str = "red", size: tuple[int, int] = (40, 40)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


def rows(frame: DataFrame) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = frame.to_arrow().to_pylist()
    return found


def by_url(frame: DataFrame) -> dict[str, dict[str, Any]]:
    return {row["url"]: row for row in rows(frame)}


def member(name: str, kind: bytes = tarfile.REGTYPE, **fields: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def archive(path: Path, files: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for info, data in files:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def sample(key: str, **facts: str) -> list[tuple[tarfile.TarInfo, bytes]]:
    facts = {"url": f"https://x/{key}", "page_url": "https://x/", **facts}
    return [(member(f"{key}.jpg"), jpeg()), (member(f"{key}.json"), json.dumps(facts).encode())]
