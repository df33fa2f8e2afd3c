"""Triplets, verdicts and pictures as rows of tables, and back."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

import pyarrow as pa

from tutelage.triplet import Part, Picture, Provenance, Reference, Triplet, Verdict

_ORIGIN: Final = [("url", pa.string()), ("page", pa.string()), ("alt", pa.string()), ("licence", pa.string())]
"""Where a picture was found, and what was said of it there."""

PICTURES: Final = pa.schema([("key", pa.string()), ("data", pa.binary()), *_ORIGIN])
"""Each picture once, by its key, with where it was found first."""

REFERENCE: Final = pa.struct([("key", pa.string()), ("caption", pa.string()), *_ORIGIN])
"""A picture as one triplet uses it; equal bytes found elsewhere keep their own URL here."""

TRIPLETS: Final = pa.schema(
    [
        ("id", pa.string()),
        ("target", pa.binary()),
        ("text", pa.string()),
        ("subject", pa.string()),
        ("skill", pa.string()),
        ("cluster", pa.string()),
        ("teacher", pa.string()),
        ("base", pa.string()),
        ("seed", pa.int64()),
        ("references", pa.list_(REFERENCE)),
        ("caption", pa.string()),
        ("wordings", pa.list_(pa.string())),
        ("mask", pa.binary()),
    ]
)

PART: Final = pa.struct([("name", pa.string()), ("score", pa.float64())])

VERDICTS: Final = pa.schema(
    [
        ("triplet", pa.string()),
        ("judge", pa.string()),
        ("score", pa.float64()),
        ("keep", pa.bool_()),
        ("reason", pa.string()),
        ("parts", pa.list_(PART)),
        ("words", pa.string()),
        ("model", pa.string()),
        ("prompt", pa.string()),
    ]
)


def picture_rows(pictures: Iterable[Picture]) -> pa.Table:
    """Pictures as a table of `PICTURES`."""
    return pa.Table.from_pylist(
        [{"key": picture.key, "data": picture.data, **origin(picture)} for picture in pictures], schema=PICTURES
    )


def triplet_rows(triplets: Iterable[Triplet]) -> pa.Table:
    """Triplets as a table of `TRIPLETS`."""
    return pa.Table.from_pylist([_triplet_row(triplet) for triplet in triplets], schema=TRIPLETS)


def verdict_rows(verdicts: Iterable[Verdict]) -> pa.Table:
    """Verdicts as a table of `VERDICTS`."""
    return pa.Table.from_pylist([asdict(verdict) for verdict in verdicts], schema=VERDICTS)


def to_triplet(row: Mapping[str, Any], data: Mapping[str, bytes]) -> Triplet:
    """The triplet of a row, given the bytes of its pictures by key."""
    provenance = Provenance(teacher=row["teacher"], base=row["base"], seed=row["seed"])
    plain = {name: row[name] for name in ("id", "target", "text", "subject", "skill", "cluster")}
    # a corpus may be older than these
    since: dict[str, Any] = {"caption": row.get("caption") or "", "mask": row.get("mask") or b""}
    since["wordings"] = tuple(row.get("wordings") or ())
    references = tuple(_reference(item, data[item["key"]]) for item in row["references"])
    return Triplet(**plain, **since, references=references, provenance=provenance)


def to_verdict(row: Mapping[str, Any]) -> Verdict:
    """The verdict of a row."""
    told = {
        name: value for name, value in row.items() if value is not None or name == "score"
    }  # older than some columns
    return Verdict(**{**told, "parts": tuple(Part(**part) for part in row.get("parts") or ())})


def origin(picture: Picture) -> dict[str, str]:
    """Where a picture was found, by the names of the columns."""
    return {"url": picture.url, "page": picture.page, "alt": picture.alt, "licence": picture.licence}


def _triplet_row(triplet: Triplet) -> dict[str, Any]:
    made = triplet.provenance
    names = ("id", "target", "text", "subject", "skill", "cluster", "caption", "mask")
    row = {name: getattr(triplet, name) for name in names} | {"wordings": list(triplet.wordings)}
    references = [
        {"key": reference.picture.key, "caption": reference.caption, **origin(reference.picture)}
        for reference in triplet.references
    ]
    return {**row, "teacher": made.teacher, "base": made.base, "seed": made.seed, "references": references}


def _reference(item: Mapping[str, Any], data: bytes) -> Reference:
    found = {name: item[name] for name, _ in _ORIGIN}
    return Reference(picture=Picture(data=data, **found), caption=item["caption"])
