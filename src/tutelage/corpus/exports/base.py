"""What an export is given: rows, one a triplet, each with all there is to know."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol, TypedDict

from tutelage.corpus.exports import export
from tutelage.corpus.gate import KEPT, Gate
from tutelage.corpus.reader import READ_ROWS, Corpus
from tutelage.corpus.rows import origin
from tutelage.errors import BadInput
from tutelage.triplet import Reference, Triplet, Verdict

SHARD_ROWS: Final = 1000
"""Triplets of one file."""


class Row(TypedDict):
    """A triplet, flat: the names are the columns of every format."""

    id: str
    text: str
    caption: str
    """Of the target, where the text is an instruction."""
    wordings: list[str]
    """Other ways to say the text."""
    subject: str
    skill: str
    cluster: str
    kept: bool
    """Whether the gate lets it through."""
    teacher: str
    base: str
    seed: int
    target: bytes
    mask: bytes
    """PNG of where an edit was allowed; empty: everywhere."""
    references: list[dict[str, Any]]
    """`key`, `caption`, `url`, `page`, `alt`, `licence`, and `data`, the picture's bytes."""
    verdicts: list[dict[str, Any]]
    """All of `Verdict` but the triplet's id."""


class Export(Protocol):
    """Writes rows in one format."""

    def __call__(self, rows: Iterator[Row], out: Path) -> None:
        """Write all rows into the folder `out`, which exists and is empty, without holding them all."""
        ...


def export_corpus(corpus: Corpus, out: Path, name: str, gate: Gate = KEPT, *, rejected: bool = True) -> int:
    """Write a corpus to a new folder, whole or not at all; returns the number of triplets.

    Args:
        corpus: where they come from; what is written meanwhile is left out.
        out: the new folder.
        name: a format, as in `exports.EXPORTS`.
        gate: what `kept` says of each row.
        rejected: whether triplets that the gate rejects go too.

    Raises:
        BadInput: there is no such format, the gate names a judge that gave no verdicts, or `out` cannot be made or is
            there and not empty.
    """
    write = export(name)
    count = len(corpus)
    kept = [row for row in corpus.rows(gate).tolist() if row < count]
    chosen = range(count) if rejected else kept
    with _whole(out) as draft:
        write(rows(corpus, chosen, set(kept)), draft)
    return len(chosen)


def rows(corpus: Corpus, numbers: range | list[int], kept: set[int]) -> Iterator[Row]:
    """Yield the triplets of these row numbers with their verdicts, as they are read."""
    for start in range(0, len(numbers), READ_ROWS):
        some = list(numbers[start : start + READ_ROWS])
        triplets = corpus.take(some)
        verdicts = corpus.verdicts([triplet.id for triplet in triplets])
        for number, triplet in zip(some, triplets, strict=True):
            yield _row(triplet, verdicts[triplet.id], number in kept)


def shards(rows: Iterator[Row]) -> Iterator[tuple[int, Iterator[Row]]]:
    """Yield (number, rows) of each file to write; read one's rows before asking for the next."""
    for number in itertools.count():
        first = next(rows, None)
        if first is None:
            return
        yield number, itertools.chain([first], itertools.islice(rows, SHARD_ROWS - 1))


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Give a folder to write to that becomes `out` if all went well, and is removed if not."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} is not empty; give a new folder for the export")
    draft = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)  # of an export that was killed
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise BadInput(f"{out} cannot be made a folder ({error.strerror}); give another one") from error
    try:
        yield draft
        if out.exists():
            out.rmdir()
        draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _row(triplet: Triplet, verdicts: list[Verdict], kept: bool) -> Row:
    made = triplet.provenance
    return Row(
        id=triplet.id,
        text=triplet.text,
        caption=triplet.caption,
        wordings=list(triplet.wordings),
        subject=triplet.subject,
        skill=triplet.skill,
        cluster=triplet.cluster,
        kept=kept,
        teacher=made.teacher,
        base=made.base,
        seed=made.seed,
        target=triplet.target,
        mask=triplet.mask,
        references=[_reference(reference) for reference in triplet.references],
        verdicts=[_verdict(verdict) for verdict in verdicts],
    )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    row = asdict(verdict)
    del row["triplet"]
    return {**row, "parts": list(row["parts"])}


def _reference(reference: Reference) -> dict[str, Any]:
    picture = reference.picture
    return {"key": picture.key, "caption": reference.caption, **origin(picture), "data": picture.data}
