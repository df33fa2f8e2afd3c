"""The first toys of a bench on one sheet: what was shown, and beside it every answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tutelage.benches.subjects.questions import Question
from tutelage.generators.folder import pictures_of, shown
from tutelage.generators.given import file_name
from tutelage.toybox.sheet import Picture, contact_sheet, grid, save

SHEET: Final = "sheet.png"
TOYS: Final = 4


def write_sheet(out: Path, names: Sequence[str], asked: Sequence[Question]) -> None:
    """Write a row for each question: the demonstrations, the answers there are, and the prompt below them."""
    chosen = [question for question in asked if question.number < TOYS]
    rows = [_row(out, names, question) for question in chosen]
    save(contact_sheet(rows, 1, [question.text for question in chosen]), out / SHEET)


def _row(out: Path, names: Sequence[str], question: Question) -> Picture:
    answered = [name for name in names if (out / name / file_name(question.id)).exists()]
    files = [out / name for name in [*shown(question), *(f"{name}/{file_name(question.id)}" for name in answered)]]
    captions = [*(["shown"] * len(question.demonstrations)), *answered]
    return np.asarray(grid([[np.asarray(picture) for picture in pictures_of(files)]], captions=captions))
