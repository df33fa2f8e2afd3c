"""Names that come from outside: what others call our columns, and paths that must stay where they are."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "url": ("url", "URL", "image_url"),
    "page_url": ("page_url", "page", "webpage_url"),
    "image": ("image", "jpg", "jpeg", "png", "webp", "image_bytes", "bytes"),
    "alt_text": ("alt_text", "alt", "caption", "text", "TEXT"),
    "licence": ("licence", "license", "LICENSE"),
}
"""Our column → what it is called elsewhere, best first."""

IMAGES: Final = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif"})
"""File endings that say picture; what the bytes say is decided by the bytes."""

ESCAPING: Final = "escaping path"
"""Fault of a name that leads out of its folder."""


def told(row: Mapping[str, Any], column: str) -> str:
    """What a row of metadata says under any name of a column; empty if nothing, or nothing that is text."""
    values = (row.get(name) for name in ALIASES[column])
    return next((value for value in values if isinstance(value, str) and value), "")


def called(columns: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield (our name, their name) for each of our columns that is among theirs."""
    for ours, others in ALIASES.items():
        theirs = next((name for name in others if name in columns), None)
        if theirs is not None:
            yield ours, theirs


def escapes(name: str) -> bool:
    """Whether a relative path, of any system, leads out of the folder or archive it belongs to."""
    steps = re.split(r"[/\\]", name)
    return not name or "\0" in name or ".." in steps or steps[0] == "" or re.match(r"[A-Za-z]:", name) is not None
