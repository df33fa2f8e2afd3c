"""What a bench left in its folder: questions, a folder of pictures for each generator, and rows of figures."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tutelage.benches.base import Row
from tutelage.errors import BadInput
from tutelage.report.wording import number, title

QUESTIONS: Final = "questions.jsonl"
ROWS: Final = "rows.json"
DEMONSTRATIONS: Final = "demonstrations"
RENDERS: Final = "renders"
COPY: Final = "copy"
"""A demonstration handed back: it has figures, but no pictures worth a look."""

GENERATORS: Final[Mapping[str, str]] = {
    "fleet": "Expert",
    "expert": "Expert (one by one)",
    "student": "Student",
    "toybox-suti": "Student (shipped)",
    "dream-suti": "Dream-SuTI",
    "dreambooth": "DreamBooth",
    "textual-inversion": "Textual Inversion",
    "re-imagen": "Re-Imagen",
    "imagic": "Imagic",
    "sdedit": "SDEdit",
    "null-text": "Null-text, Prompt-to-Prompt",
    "base": "Base, from the text",
    COPY: "Copy of a demonstration",
    RENDERS: "Render (oracle)",
}
"""Names in the order in which they stand beside each other; others come before the last two."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A prompt for a held-out subject."""

    id: str
    """Subject and skill, such as `0007/view`."""
    subject: str
    skill: str
    text: str
    demonstrations: tuple[str, ...]
    """Files in the bench's folder."""
    captions: tuple[str, ...]
    truth: str
    """File in the bench's folder: what it should look like."""

    @property
    def whose(self) -> str:
        """The subject's number."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What was asked, drawn and measured."""

    folder: Path
    questions: tuple[Question, ...]
    generators: tuple[str, ...]
    """Folders with answers, without renders and copies, in the order in which they are shown."""
    answers: frozenset[str]
    """Their files."""
    rows: tuple[Row, ...]

    def answer(self, generator: str, question: Question) -> str | None:
        """The file of an answer, or of the render, in the bench's folder; None if it is not there."""
        name = question.truth if generator == RENDERS else f"{generator}/{question.id.replace('/', '-')}.png"
        return name if name in self.answers else None

    def drawn(self, question: Question) -> bool:
        """Whether any generator has answered."""
        return any(self.answer(name, question) for name in self.generators)


def read_bench(folder: Path) -> Bench | None:
    """Read a bench's folder; None if it has neither questions nor figures.

    Raises:
        BadInput: a file in it is not what its name says; the message names the line or row.
    """
    questions, rows = _questions(folder / QUESTIONS), read_rows(folder / ROWS)
    if not questions and not rows:
        return None
    answers = frozenset(path.relative_to(folder).as_posix() for path in folder.glob("*/*.png"))
    names = {name.partition("/")[0] for name in answers} - {DEMONSTRATIONS, RENDERS, COPY}
    return Bench(folder=folder, questions=questions, generators=tuple(in_order(names)), answers=answers, rows=rows)


def ordered(bench: Bench) -> list[list[Question]]:
    """The subjects of which something was drawn, each with its questions: by hash of their numbers, the first of those
    with the same words before the others."""
    subjects: dict[str, list[Question]] = {}
    for question in bench.questions:
        if bench.drawn(question):
            subjects.setdefault(question.whose, []).append(question)
    order = sorted(subjects, key=by_hash)
    first = {subjects[name][0].subject: name for name in reversed(order)}
    return [subjects[name] for name in sorted(order, key=lambda name: first[subjects[name][0].subject] != name)]


def by_hash(name: str) -> str:
    """Sort key that has nothing to do with what is named."""
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()


def in_order(names: Iterable[str]) -> list[str]:
    """Generators in the order in which they stand beside each other."""
    known = list(GENERATORS)
    others = known.index(COPY) - 0.5
    return sorted(names, key=lambda name: (known.index(_key(name)) if _key(name) in known else others, name))


def generator_name(name: str) -> str:
    """A generator as people call it."""
    return GENERATORS.get(_key(name)) or title(name)


def _key(name: str) -> str:
    return "-".join(name.lower().replace("_", " ").replace("-", " ").split())


def _questions(path: Path) -> tuple[Question, ...]:
    if not path.exists():
        return ()
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return tuple(_question(line, f"{path}, line {at}") for at, line in enumerate(lines, start=1) if line.strip())


def _question(line: str, where: str) -> Question:
    try:
        row = json.loads(line)
        plain: dict[str, Any] = {name: str(row[name]) for name in ("id", "subject", "skill", "text", "truth")}
        lists: dict[str, Any] = {name: tuple(map(str, row[name])) for name in ("demonstrations", "captions")}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{where}: not a question ({error!r}); run the bench again") from error
    return Question(**plain, **lists)


def read_rows(path: Path) -> tuple[Row, ...]:
    """The figures in a file; none if it is not there.

    Raises:
        BadInput: it holds something else.
    """
    if not path.exists():
        return ()
    try:
        return tuple(_row(row) for row in json.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is not a bench's rows ({error!r}); run the bench again") from error


def _row(row: Mapping[str, Any]) -> Row:
    plain: dict[str, Any] = {name: str(row[name]) for name in ("bench", "protocol", "row", "metric")}
    figures: dict[str, Any] = {name: _figure(row[name]) for name in ("value", "low", "high")}
    return Row(**plain, **figures, n=int(row["n"]), missing=int(row.get("missing", 0)))


def _figure(value: Any) -> float | None:
    figure = number(value)
    return figure if math.isfinite(figure) else None
