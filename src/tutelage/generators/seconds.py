"""What pictures took, read from the log that `folder.draw_answers` leaves beside them."""

import math
from collections.abc import Mapping
from pathlib import Path

from tutelage.run import read_log


def first_seconds(folder: Path, subjects: Mapping[str, str]) -> dict[str, float]:
    """Subject → what its first picture took, where that was measured; `subjects` are question → subject."""
    rows = [row for row in read_log(folder) if row["new"] and row["id"] in subjects]
    return {subjects[row["id"]]: float(row["seconds"]) for row in rows}


def all_seconds(folder: Path, subjects: Mapping[str, str]) -> dict[str, float]:
    """Subject → what all its pictures took, where that was measured and nothing came between."""
    taken: dict[str, float] = {}
    told: dict[str, bool] = {}
    for row in read_log(folder):
        if subject := subjects.get(row["id"]):
            told[subject] = row["new"] or (told.get(subject, False) and not row.get("first", False))
            taken[row["id"]] = float(row["seconds"])
    sums: dict[str, float] = {}
    for question, subject in subjects.items():
        sums[subject] = sums.get(subject, 0.0) + taken.get(question, math.nan)
    return {subject: total for subject, total in sums.items() if told.get(subject, False) and math.isfinite(total)}
