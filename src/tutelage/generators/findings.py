"""Pictures on disk → what measures find in them. Each finding is stored as soon as it is made, and never made twice.

A finding is kept under all that it depends on: the picture's bytes, and what the measure says it looks with. Another
picture, network, photo or text is another finding.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from PIL.Image import Image

from tutelage.benches.base import progress
from tutelage.benches.dreambench.items import Item
from tutelage.benches.dreambench.look import digest
from tutelage.benches.dreambench.measures import Measure, Told
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.generators.shelf import Shelf
from tutelage.run import append_log, read_log

TOGETHER: Final = 16
"""Pictures in memory at a time, and at most lost in a kill."""
ABSENT: Final = "no picture"
UNREADABLE: Final = "picture cannot be read"


class Findings(NamedTuple):
    """What was found on one shelf."""

    told: dict[str, dict[str, Told]]
    """Measure → item → finding."""
    missing: dict[str, str]
    """Item → why there is no picture."""


class _Seen(NamedTuple):
    """A picture that can be read."""

    item: Item
    digest: str
    data: bytes


def findings(out: Path, shelf: Shelf, asked: Sequence[Item], measures: Sequence[Measure]) -> Findings:
    """Look at every picture that is there.

    Args:
        out: folder for what is found, one of its own for each shelf; made if it is absent.
        shelf: the pictures.
        asked: what they answer.
        measures: what looks at them.

    Raises:
        BadInput: two files answer one item.
    """
    out.mkdir(parents=True, exist_ok=True)
    known = {row["key"]: row["told"] for row in read_log(out)}
    found = Findings({measure.name: {} for measure in measures}, {})
    for part in progress(_parts(asked), f"measure {shelf.folder.name}", -(-len(asked) // TOGETHER)):
        seen = list(_readable(shelf, part, found.missing))
        for measure in measures:
            found.told[measure.name] |= _told(out, measure, seen, known, found.missing)
    return found


def _parts(asked: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for first in range(0, len(asked), TOGETHER):
        yield asked[first : first + TOGETHER]


def _readable(shelf: Shelf, items: Sequence[Item], missing: dict[str, str]) -> Iterator[_Seen]:
    """The items' files, unread pictures in them; `missing` gets those that are not there."""
    for item in items:
        path = shelf.find(item.id)
        try:
            data = path.read_bytes() if path is not None else b""
        except OSError:
            missing[item.id] = UNREADABLE
            continue
        if path is None:
            missing[item.id] = ABSENT
        else:
            yield _Seen(item, hashlib.sha256(data).hexdigest(), data)


def _told(
    out: Path, measure: Measure, seen: Sequence[_Seen], known: dict[str, Told], missing: dict[str, str]
) -> Mapping[str, Told]:
    """Item → finding; what is not known is found now."""
    keys = {one.item.id: digest(measure.name, measure.key(one.item), one.digest) for one in seen}
    new = [one for one in seen if keys[one.item.id] not in known]
    pictures = {one.item.id: picture for one in new if (picture := _decoded(one.data)) is not None}
    missing |= {one.item.id: UNREADABLE for one in new if one.item.id not in pictures}
    items = [one.item for one in new if one.item.id in pictures]
    if items:
        for item, told in zip(items, measure.measure(items, [pictures[item.id] for item in items]), strict=True):
            known[keys[item.id]] = told
            append_log(out, {"id": item.id, "measure": measure.name, "key": keys[item.id], "told": told})
    return {one.item.id: known[keys[one.item.id]] for one in seen if keys[one.item.id] in known}


def _decoded(data: bytes) -> Image | None:
    try:
        return decode(data)
    except BadInput:
        return None
