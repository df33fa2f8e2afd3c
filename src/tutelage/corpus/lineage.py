"""What came from a URL, and its removal.

An expert learns from all pictures of its cluster, so every triplet of a cluster derives from each of them. Removal is
planned first, written down, then carried out step by step, and finished by whoever opens the corpus next if it was
interrupted. What was removed is remembered by hashes only, so that no resumed stage brings it back.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from tutelage.corpus import tables
from tutelage.run import write_atomic
from tutelage.triplet import Picture, Triplet

FORGOTTEN: Final = "forgotten.txt"
"""One hash a line: of URLs, of keys of pictures and of ids of triplets."""
PLAN: Final = "forgetting.json"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A picture, as one place on the web gave it."""

    key: str
    url: str
    page: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What derives from a URL of a picture or a page."""

    pictures: tuple[Origin, ...]
    clusters: tuple[str, ...]
    triplets: tuple[str, ...]
    """Ids."""

    @property
    def keys(self) -> frozenset[str]:
        """Keys of the pictures."""
        return frozenset(picture.key for picture in self.pictures)


class Forgotten:
    """What a corpus must not hold again."""

    def __init__(self, path: Path) -> None:
        file = path / FORGOTTEN
        self._hashes = frozenset(file.read_text().split()) if file.exists() else frozenset[str]()

    def holds(self, triplet: Triplet) -> bool:
        """Whether a triplet, or a picture it refers to, was removed."""
        return self.holds_id(triplet.id) or any(self.holds_picture(item.picture) for item in triplet.references)

    def holds_id(self, triplet: str) -> bool:
        """Whether the triplet of this id was removed."""
        return _hash("triplet", triplet) in self._hashes

    def holds_picture(self, picture: Picture) -> bool:
        """Whether a picture was removed: its bytes, its URL or its page."""
        marks = (_hash("picture", picture.key), _hash("url", picture.url), _hash("url", picture.page))
        return not self._hashes.isdisjoint(marks)


def trace(path: Path, url: str) -> Trace:
    """Everything in a corpus that derives from the picture or page of this URL; equal bytes are one picture.

    Raises:
        BadInput: the folder is no corpus.
    """
    tables.check(path)
    keys = {key for rows in _sightings(path) for key in rows.filter(_at(url))["key"].to_pylist()}
    wanted = pc.field("key").isin(pa.array(sorted(keys), pa.string()))
    found = [row for rows in _sightings(path) for row in rows.filter(wanted).to_pylist()]
    clusters = {row.pop("cluster") for row in found} - {None}
    pictures = {Origin(**row) for row in found}
    return Trace(
        pictures=tuple(sorted(pictures, key=lambda origin: (origin.url, origin.page, origin.key))),
        clusters=tuple(sorted(clusters)),
        triplets=tuple(_ids(path, clusters)),
    )


def forget(path: Path, url: str) -> Trace:
    """Remove everything that derives from a URL, from old versions of the tables too, and keep it from coming back.

    The same picture found at other URLs goes as well. Returns what was removed. Exports and other copies are not
    reached.

    Raises:
        BadInput: the folder is no corpus, or a process writes to it.
    """
    tables.check(path)
    with tables.locked(path):
        finish(path)
        found = trace(path, url)
        hashes = [_hash("url", url), *(_hash("picture", key) for key in sorted(found.keys))]
        hashes += [_hash("triplet", name) for name in found.triplets]
        plan = {"hashes": hashes, "pictures": sorted(found.keys), "triplets": found.triplets}
        write_atomic(path / PLAN, json.dumps(plan).encode())
        finish(path)
    return found


def finish(path: Path) -> None:
    """Carry out a removal that was planned, or what is left of it; the caller holds the lock."""
    file = path / PLAN
    if not file.exists():
        return
    plan = json.loads(file.read_bytes())
    known = (path / FORGOTTEN).read_text().split() if (path / FORGOTTEN).exists() else []
    write_atomic(path / FORGOTTEN, "".join(f"{mark}\n" for mark in dict.fromkeys([*known, *plan["hashes"]])).encode())
    tables.delete(path, "triplets", "id", plan["triplets"])
    tables.delete(path, "verdicts", "triplet", plan["triplets"])
    tables.delete(path, "pictures", "key", plan["pictures"])
    for name in tables.NAMES:
        tables.tidy(path, name)
        tables.clean(path, name, timedelta(0))
    file.unlink()


def _hash(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind} {text}".encode()).hexdigest()[:32]


def _at(url: str) -> Any:
    return (pc.field("url") == url) | (pc.field("page") == url)


def _sightings(path: Path) -> Iterator[pa.Table]:
    """Every place a picture is known from, with the cluster that uses it from there, batch by batch."""
    names = ["key", "url", "page", "licence"]
    pictures = tables.opened(path, "pictures")
    for batch in pictures.to_batches(columns=names) if pictures is not None else ():
        yield pa.table(batch.columns, names=names).append_column("cluster", pa.nulls(batch.num_rows, pa.string()))
    triplets = tables.opened(path, "triplets")
    for batch in triplets.to_batches(columns=["cluster", "references"]) if triplets is not None else ():
        references = batch.column("references")
        flat = pc.list_flatten(references)
        rows = pa.table([pc.struct_field(flat, name) for name in names], names=names)
        yield rows.append_column("cluster", batch.column("cluster").take(pc.list_parent_indices(references)))


def _ids(path: Path, clusters: set[str]) -> list[str]:
    """Triplets of these clusters, in the order they were written."""
    triplets = tables.opened(path, "triplets")
    if triplets is None or not clusters:
        return []
    table = triplets.to_table(columns=["id"], filter=pc.field("cluster").isin(sorted(clusters)))
    found: list[str] = table.column("id").to_pylist()
    return found
