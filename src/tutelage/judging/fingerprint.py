"""`tutelage fingerprint`: what `duplicates` and `leakage` compare with, made once and used often.

One Parquet part after the other, each whole or not there; what is in a part is not made again, so the same command
resumes, and takes in what a corpus has got since.
"""

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tutelage.errors import BadInput
from tutelage.judges.fingerprints import normalised, perceptual_hash
from tutelage.judges.known import FORMAT, MARKER, Known
from tutelage.judging.items import Item, count_pictures, items
from tutelage.run import write_atomic
from tutelage.triplet import Picture

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from PIL.Image import Image

    from tutelage.diffusion.features import PictureFeatures

PART_ROWS: Final = 1024
PART_BYTES: Final = 256 * 2**20
"""A part waits for as many items, or as many bytes."""
BATCH: Final = 64
"""Pictures decoded at once."""

Seen = tuple[str, str, str]
"""Kind, name and key of a row that is there."""


def fingerprint_command(source: Path, out: Path, /, *, network: str = "", device: str = "auto") -> None:
    """Write fingerprints of a corpus, a folder of pictures or a file of texts, for duplicates and leakage.

    The same command resumes, and takes in what is new.

    Args:
        source: A corpus, a folder of pictures at any depth, or a .txt or .jsonl file of texts.
        out: Folder for the fingerprints.
        network: A shipped name, folder or Hub id of a network whose features are kept as well, for duplicates-semantic
            and leakage-semantic; empty: none.
        device: auto, cpu, cuda, cuda:1, ... or mps.

    Raises:
        BadInput: the source or the network cannot be had, or `out` holds something else.
    """
    from tutelage.toybox.checkpoints import checkpoint

    features = None
    if network:
        from tutelage.diffusion.features import picture_features

        features = picture_features(checkpoint(network), device)
    counts = write_known(source, out, features)
    told = ", ".join(f"{count:,} {kind}s" for kind, count in sorted(counts.items()) if kind)
    print(f"{told or 'nothing new'}: {out}")
    if counts[""]:
        print(f"{counts['']:,} pictures cannot be read and were left out")


def write_known(source: Path, out: Path, features: "PictureFeatures | None" = None) -> Counter[str]:
    """Fingerprint what is not in `out` yet; how many of each kind were added, and of no kind how many are unreadable.

    Raises:
        BadInput: the source cannot be read, or `out` holds other things or features of another network.
    """
    from tutelage.stages.progress import Progress

    _mark(out, features.weights if features else "")
    done, parts = _done(out)
    counts: Counter[str] = Counter()
    new = (item for item in items(source) if _identity(item) not in done)
    with Progress("fingerprints", count_pictures(source), "pictures") as bar:
        bar.advance(sum(kind in ("target", "picture") for kind, _, _ in done))
        for number, some in enumerate(_portions(new), start=parts):
            table = _rows(some, features)
            file = io.BytesIO()
            pq.write_table(table, file, compression="zstd")
            write_atomic(out / f"{number:06d}.parquet", file.getvalue())
            counts.update(table["kind"].to_pylist())
            counts[""] += len(some) - len(table)
            bar.advance(sum(item.kind in ("target", "picture") for item in some))
    return counts


def _mark(out: Path, network: str) -> None:
    """Make `out` a folder of fingerprints, or see that it is one of this network."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out} cannot be made a folder ({error.strerror}); give another one") from error
    if not (out / MARKER).exists():
        if any(not entry.name.startswith(".") for entry in out.iterdir()):
            raise BadInput(f"{out} is not empty and holds no {MARKER}; give a new folder for the fingerprints")
        write_atomic(out / MARKER, f"{json.dumps({'format': FORMAT, 'network': network})}\n".encode())
    there = Known(out, ()).network
    if there != network:
        has = f"features of {there}" if there else "no features"
        raise BadInput(f"{out} holds {has}, not {network or 'none'}; give its own network, or a new folder")


def _done(out: Path) -> tuple[set[Seen], int]:
    """Rows that are there, and in how many parts."""
    done: set[Seen] = set()
    paths = sorted(out.glob("*.parquet"))
    for path in paths:
        table = pq.read_table(path, columns=["kind", "name", "key"])
        done.update(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))
    return done, len(paths)


def _identity(item: Item) -> Seen:
    return item.kind, item.name, normalised(item.text) if item.kind == "text" else Picture(data=item.data).key


def _portions(items: Iterable[Item]) -> Iterator[list[Item]]:
    held: list[Item] = []
    size = 0
    for item in items:
        held.append(item)
        size += len(item.data)
        if len(held) >= PART_ROWS or size >= PART_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _rows(items: Sequence[Item], features: "PictureFeatures | None") -> pa.Table:
    """What is known of the items, in order; pictures that cannot be read are left out."""
    rows: list[dict[str, Any]] = []
    for first in range(0, len(items), BATCH):
        rows += _batch(items[first : first + BATCH], features)
    form = pa.list_(pa.float16()) if features else pa.null()
    names = [("kind", pa.string()), ("name", pa.string()), ("key", pa.string()), ("hash", pa.uint64())]
    return pa.Table.from_pylist(rows, schema=pa.schema([*names, ("feature", form), ("text", pa.string())]))


def _batch(items: Sequence[Item], features: "PictureFeatures | None") -> Iterator[dict[str, Any]]:
    images = {at: image for at, item in enumerate(items) if (image := _decoded(item)) is not None}
    looked: dict[int, Any] = {}
    if features and images:
        seen = features.pictures(list(images.values()), BATCH).numpy().astype(np.float16)
        looked = dict(zip(images, seen, strict=True))
    for at, item in enumerate(items):
        kind, name, key = _identity(item)
        if item.kind == "text":
            yield {"kind": kind, "name": name, "key": key, "text": key}
        elif at in images:
            code = int(perceptual_hash(images[at]))
            yield {"kind": kind, "name": name, "key": key, "hash": code, "feature": looked.get(at)}


def _decoded(item: Item) -> "Image | None":
    from tutelage.diffusion.pictures import decode

    if item.kind == "text":
        return None
    try:
        return decode(item.data)
    except BadInput:
        return None
