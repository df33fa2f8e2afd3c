"""OmniEdit's columns → triplets, and its judge's scores as verdicts of `omniedit` and `omniedit-quality`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tutelage.errors import BadInput
from tutelage.layouts.omniedit import SCHEMA, TRUTH, picture_bytes, read_rows, wordings_of
from tutelage.triplet import Part, Picture, Provenance, Reference, Triplet, Verdict

JUDGE: Final = "omniedit"
"""Its score is o_score, its parts are SC.1, SC.2 and PQ, its words sc_reasoning."""
QUALITY: Final = "omniedit-quality"
"""Its score is pq_score, its words pq_reasoning."""


def read(path: Path) -> Iterator[tuple[Triplet, list[Verdict]]]:
    """Yield the rows of a file or folder; ids, tasks and the bytes of pictures are as they stand there.

    Raises:
        BadInput: a file cannot be read, a column would be lost, or a row is not what it should be.
    """
    for where, row in read_rows(path):
        if strange := sorted(row.keys() - set(SCHEMA.names)):
            raise BadInput(f"{where}: column '{strange[0]}' would be lost; OmniEdit's are {', '.join(SCHEMA.names)}")
        made = _triplet(row, where)
        yield made, _verdicts(row, made.id)


def _triplet(row: Mapping[str, Any], where: str) -> Triplet:
    source, target = picture_bytes(row["src_img"]), picture_bytes(row.get(TRUTH))
    if source is None or target is None:
        raise BadInput(f"{where}: src_img or {TRUTH} holds no picture; give its bytes, or {{bytes, path}}")
    text, *others = wordings_of(row, where)
    name = str(row["omni_edit_id"])
    return Triplet(
        id=name,
        target=target,
        text=text,
        references=(Reference(picture=Picture(data=source)),),
        subject="",
        skill=str(row["task"]),
        cluster=name,
        provenance=Provenance(teacher=JUDGE, base="", seed=0),
        wordings=tuple(others),
    )


def _verdicts(row: Mapping[str, Any], name: str) -> list[Verdict]:
    """What the set was filtered by: all of it was kept."""
    columns = {"SC.1": "sc_score_1", "SC.2": "sc_score_2", "PQ": "pq_score"}
    parts = tuple(
        Part(name=part, score=float(row[column])) for part, column in columns.items() if row.get(column) is not None
    )
    overall, quality = (None if row.get(key) is None else float(row[key]) for key in ("o_score", "pq_score"))
    told: dict[str, Any] = {"triplet": name, "keep": True}
    said = [
        Verdict(**told, judge=JUDGE, score=overall, parts=parts, words=row.get("sc_reasoning") or ""),
        Verdict(**told, judge=QUALITY, score=quality, words=row.get("pq_reasoning") or ""),
    ]
    return [verdict for verdict in said if verdict.score is not None or verdict.parts or verdict.words]
