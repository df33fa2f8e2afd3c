"""A judge's scores, or a metric's, as a table: CSV, TSV, JSON (a list of objects), JSON lines or Parquet.

item     the picture's `uid` in the ratings
model    who made the picture, as in the ratings
score    a number; empty or null is a score that is missing
task     the task's folder; needed only where two tasks share items and models
aspect   what was scored: SC, PQ, O, subject, ...; without it the score is compared with every aspect
judge    whose score it is, if the table holds those of several; else the file's name says it

A judge that gives all aspects of a protocol but not the whole gets the whole as raters do. A score may run either way:
a distance correlates negatively.
"""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tutelage.benches.agreement.ratings import Ratings
from tutelage.benches.intervals import Floats
from tutelage.errors import BadInput, did_you_mean

NEEDED: Final = ("item", "model", "score")
DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
SUFFIXES: Final = (*DELIMITERS, ".json", ".jsonl", ".parquet")

Key = tuple[str, str, str, str]
"""Task, model, item, aspect; a task or aspect that is not named is empty."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What one judge said."""

    judge: str
    values: Mapping[Key, float]
    """nan: missing."""

    def of(self, aspect: str, ratings: Ratings) -> Floats | None:
        """The scores (models, items) of a task's pictures, nan where there is none; None if it was not scored.

        Raises:
            BadInput: the whole follows from aspects that must not be negative, and one is.
        """
        found = self._table(aspect, ratings)
        parts = [self._table(part, ratings) for part in ratings.protocol.aspects]
        if found is not None or aspect != ratings.protocol.whole or any(part is None for part in parts):
            return found
        stacked = np.stack([part for part in parts if part is not None], -1)
        if (stacked < 0).any():
            raise BadInput(f"{self.judge} gives scores below 0, of which no {aspect} follows; give rows for {aspect}")
        return ratings.protocol.combined(stacked)

    def _table(self, aspect: str, ratings: Ratings) -> Floats | None:
        """As `of`, from rows that name the aspect, or none."""
        if not any(self._names(key, aspect, ratings) for key in self.values):
            return None
        rows = [[self._one(model, item, aspect, ratings) for item in ratings.items] for model in ratings.models]
        return np.asarray(rows, np.float64)

    def _names(self, key: Key, aspect: str, ratings: Ratings) -> bool:
        return key[0] in ("", ratings.task) and key[3] in ("", aspect) and key[1] in ratings.models

    def _one(self, model: str, item: str, aspect: str, ratings: Ratings) -> float:
        keys = [(task, model, item, named) for task in (ratings.task, "") for named in (aspect, "")]
        return next((self.values[key] for key in keys if key in self.values), math.nan)


def read_scores(path: Path) -> list[Scores]:
    """The scores in a file, by judge.

    Raises:
        BadInput: the file cannot be read, lacks a column, or has two scores for one picture; the message names the row.
    """
    judges: dict[str, dict[Key, float]] = {}
    for number, row in _rows(path):
        where = f"{path}, row {number}"
        if lacking := [name for name in NEEDED if name not in row]:
            raise BadInput(f"{where}: no column '{lacking[0]}'; a table of scores has {', '.join(NEEDED)}")
        task, model, item, aspect = (_text(row, name) for name in ("task", "model", "item", "aspect"))
        known = judges.setdefault(_text(row, "judge") or path.stem, {})
        if (task, model, item, aspect) in known:
            raise BadInput(f"{where}: {item} of {model} was scored above; keep one of the rows")
        known[task, model, item, aspect] = _number(row["score"], where)
    if not judges:
        raise BadInput(f"{path} holds no scores; give rows of {', '.join(NEEDED)}")
    return [Scores(judge=judge, values=values) for judge, values in judges.items()]


def check_fit(scores: Scores, tasks: Iterable[Ratings]) -> None:
    """Refuse scores of which nothing can be compared.

    Raises:
        BadInput: an aspect is unknown, or no score is of a rated picture.
    """
    tasks = list(tasks)
    aspects = {aspect for ratings in tasks for aspect in ratings.aspects}
    if strange := {key[3] for key in scores.values} - aspects - {""}:
        name = min(strange)
        raise BadInput(f"{scores.judge}: nobody rated '{name}'.{did_you_mean(name, aspects)} Rated: {sorted(aspects)}")
    pictures = {(model, item) for ratings in tasks for model in ratings.models for item in ratings.items}
    if not any(key[1:3] in pictures and key[0] in ("", *(one.task for one in tasks)) for key in scores.values):
        model, item = min(pictures)
        raise BadInput(f"{scores.judge}: no score is of a rated picture; rated are e.g. item '{item}', model '{model}'")


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(number from 1, column → cell) of every row."""
    if path.suffix not in SUFFIXES:
        raise BadInput(f"{path}: scores are read from {', '.join(SUFFIXES)}; convert the table")
    try:
        if path.suffix == ".parquet":
            yield from enumerate(_parquet(path), start=1)
        elif path.suffix in DELIMITERS:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from enumerate(csv.DictReader(file, delimiter=DELIMITERS[path.suffix]), start=1)
        else:
            yield from enumerate(_objects(path), start=1)
    except (OSError, ValueError, csv.Error) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} cannot be read as a table ({error}); give a whole {path.suffix} file") from error


def _parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _objects(path: Path) -> list[Mapping[str, Any]]:
    text = path.read_text(encoding="utf-8")
    read = [json.loads(line) for line in text.splitlines() if line] if path.suffix == ".jsonl" else json.loads(text)
    if not isinstance(read, list) or not all(isinstance(row, dict) for row in read):
        raise ValueError("not a list of objects")
    return read


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def _number(cell: Any, where: str) -> float:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return math.nan
    try:
        return float(cell)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{where}: score '{cell}' is no number; leave the cell empty if it is missing") from error
