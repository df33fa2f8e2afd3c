"""What fingerprints are made of: the pictures and texts of a corpus, of a folder of pictures, or of a file of texts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tutelage.corpus.reader import Corpus
from tutelage.corpus.tables import MARKER
from tutelage.errors import BadInput
from tutelage.judges.known import Kind
from tutelage.sources.base import MOST_BYTES
from tutelage.sources.names import IMAGES
from tutelage.triplet import Reference

TEXTS: Final = (".txt", ".jsonl")
FIELDS: Final = ("text", "prompt", "caption", "instruction")
"""Of a row of a `.jsonl` file; whichever are there are texts."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A picture, or a text."""

    kind: Kind
    name: str
    data: bytes = b""
    text: str = ""


def items(source: Path) -> Iterator[Item]:
    """Yield all there is, in an order that more of it does not change.

    Raises:
        BadInput: it is no corpus, no folder of pictures and no file of texts, or holds nothing that can be read.
    """
    if source.suffix in TEXTS and source.is_file():
        yield from _texts(source)
    elif (source / MARKER).exists():
        yield from _corpus(Corpus(source))
    elif source.is_dir():
        yield from _pictures(source)
    else:
        raise BadInput(f"{source} is no corpus, no folder of pictures and no file of texts ({', '.join(TEXTS)})")


def count_pictures(source: Path) -> int:
    """Targets or pictures, not references."""
    if (source / MARKER).exists():
        return len(Corpus(source))
    return len(_files(source)) if source.is_dir() else 0


def _corpus(corpus: Corpus) -> Iterator[Item]:
    """Every target, and every reference and text once."""
    known: set[str] = set()
    for triplet in corpus.triplets(None):
        yield Item(kind="target", name=triplet.id, data=triplet.target)
        for reference in triplet.references:
            if reference.picture.key not in known:
                known.add(reference.picture.key)
                yield _reference(reference)
        for text in {triplet.text: "", triplet.caption: ""}:
            if text and text not in known:
                known.add(text)
                yield Item(kind="text", name=triplet.id, text=text)


def _reference(reference: Reference) -> Item:
    picture = reference.picture
    return Item(kind="reference", name=picture.url or picture.key, data=picture.data)


def _pictures(folder: Path) -> Iterator[Item]:
    files = _files(folder)
    if not files:
        raise BadInput(f"{folder} holds no pictures ({', '.join(sorted(IMAGES))})")
    for path in files:
        try:
            data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
        except OSError as error:
            raise BadInput(f"{path} cannot be read ({error.strerror}); make it readable") from error
        yield Item(kind="picture", name=path.relative_to(folder).as_posix(), data=data)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix[1:].lower() in IMAGES and path.is_file())


def _texts(file: Path) -> Iterator[Item]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read ({error}); give a file in UTF-8") from error
    for number, line in enumerate(lines, start=1):
        for text in [line.strip()] if file.suffix == ".txt" else _told(file, number, line):
            if text:
                yield Item(kind="text", name=f"{file.name}:{number}", text=text)


def _told(file: Path, number: int, line: str) -> list[str]:
    """The texts of a row."""
    if not line.strip():
        return []
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}, line {number}: not JSON ({error}); correct the line") from error
    found = [row.get(name) for name in FIELDS] if isinstance(row, dict) else []
    texts = [text for text in found if isinstance(text, str)]
    if not texts:
        raise BadInput(f"{file}, line {number}: no text; name it {', '.join(FIELDS)}")
    return texts
