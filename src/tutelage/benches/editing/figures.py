"""Marks → rows: means over all pictures, then over each group's. What has no finite value is dropped and counted.

PSNR of what did not change is infinite, and so counts as missing: read MSE beside it. Nothing can be said about the
background of a picture whose mask is full. A figure that no picture has, such as CLIP's where nothing is captioned, has
no row.
"""

from collections.abc import Sequence

import numpy as np

from tutelage.benches.base import Row
from tutelage.benches.editing.examiner import Marks
from tutelage.benches.editing.questions import EditQuestion
from tutelage.benches.intervals import bootstrap_mean


def rows_of(
    bench: str, protocol: str, row: str, questions: Sequence[EditQuestion], marks: Sequence[Marks], seed: int
) -> list[Row]:
    """The rows of one editor."""
    groups = sorted({group for question in questions for group in question.groups})
    rows = [figure_row(bench, protocol, row, name, name, marks, seed) for name in names_of(marks)]
    for group in groups:
        part = [mark for question, mark in zip(questions, marks, strict=True) if group in question.groups]
        rows += [figure_row(bench, protocol, row, f"{name}: {group}", name, part, seed) for name in names_of(marks)]
    return rows


def names_of(marks: Sequence[Marks]) -> list[str]:
    """The figures that at least one picture has."""
    every = dict.fromkeys(name for mark in marks for name in mark)
    return [name for name in every if not all(np.isnan(mark[name]) for mark in marks)]


def figure_row(bench: str, protocol: str, row: str, metric: str, name: str, marks: Sequence[Marks], seed: int) -> Row:
    """The mean of figure `name` over pictures, under the name `metric`."""
    values = np.asarray([mark[name] for mark in marks], np.float64)
    found = values[np.isfinite(values)]
    value, low, high = bootstrap_mean(found, seed)
    return Row(
        bench=bench,
        protocol=protocol,
        row=row,
        metric=metric,
        value=value,
        low=low,
        high=high,
        n=len(found),
        missing=len(values) - len(found),
    )
