"""Marks → rows: means over all pictures, then over each group's. What has no finite value is dropped and counted.

PSNR of what did not change is infinite, and so counts as missing: read MSE beside it. Nothing can be said about the
background of a picture whose mask is full. A picture that is not there has no figure at all and is missing in each;
`coverage` is the share of pictures that are there, and below it stands why the others are not. A figure that no picture
has, such as CLIP's where nothing is captioned, has no row.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tutelage.benches.base import Row, interval_row
from tutelage.benches.editing.examiner import Marks
from tutelage.benches.editing.questions import EditQuestion
from tutelage.benches.intervals import bootstrap_mean, wilson

COVERAGE = "coverage"


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
    return [name for name in every if not all(np.isnan(mark.get(name, math.nan)) for mark in marks)]


def coverage_rows(bench: str, protocol: str, row: str, asked: int, why: Mapping[str, str]) -> list[Row]:
    """How many of the pictures asked for are there; `why` is the id of one that is not → the reason."""
    there = asked - len(why)
    rows = [interval_row(bench, protocol, row, COVERAGE, wilson(there, asked), there, len(why))]
    for reason, count in sorted(Counter(why.values()).items()):
        rows.append(interval_row(bench, protocol, row, f"missing: {reason}", wilson(count, asked), asked, count))
    return rows


def figure_row(bench: str, protocol: str, row: str, metric: str, name: str, marks: Sequence[Marks], seed: int) -> Row:
    """The mean of figure `name` over pictures, under the name `metric`."""
    values = np.asarray([mark.get(name, math.nan) for mark in marks], np.float64)
    found = values[np.isfinite(values)]
    missing = len(values) - len(found)
    return interval_row(bench, protocol, row, metric, bootstrap_mean(found, seed), len(found), missing)
