"""Human ratings on disk: a folder for each task, in it a TSV file for each rater.

The first column, `uid`, names the item; every other column is a model. A cell is a list such as `[0.5, 1]`, its spacing
free; an empty cell is a picture that was not rated. How many values a list holds says what was rated:

two     ImagenHub's protocol: semantic consistency and perceptual quality, each 0, 0.5 or 1; O = √(SC · PQ)
three   SuTI's: subject, text, photorealism, each 0 or 1; overall = all three
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tutelage.benches.intervals import Floats
from tutelage.errors import BadInput

UID: Final = "uid"
SUFFIX: Final = ".tsv"


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What raters are asked."""

    name: str
    aspects: tuple[str, ...]
    """What they rate, in the order of a cell's values."""
    whole: str
    """What follows from all of it."""
    levels: tuple[float, ...]
    """The values that a rating may take."""

    def combined(self, parts: Floats) -> Floats:
        """The whole (...) of parts (..., aspects): a geometric mean of two scores, the least of three."""
        return np.sqrt(parts[..., 0] * parts[..., 1]) if len(self.aspects) == 2 else parts.min(-1)


IMAGENHUB: Final = Protocol(name="ImagenHub", aspects=("SC", "PQ"), whole="O", levels=(0.0, 0.5, 1.0))
SUTI: Final = Protocol(name="SuTI", aspects=("subject", "text", "photorealism"), whole="overall", levels=(0.0, 1.0))
PROTOCOLS: Final = {len(one.aspects): one for one in (IMAGENHUB, SUTI)}
"""Values in a cell → protocol."""

Cells = dict[tuple[str, str], tuple[float, ...]]
"""(item, model) → the values of a cell."""


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """What all raters of one task said."""

    task: str
    protocol: Protocol
    raters: tuple[str, ...]
    models: tuple[str, ...]
    items: tuple[str, ...]
    values: Floats
    """(raters, models, items, aspects); nan where a picture was not rated."""

    def of(self, aspect: str) -> Floats:
        """The ratings (raters, models, items) of one aspect, or of the whole, each rater's for themselves."""
        if aspect == self.protocol.whole:
            return self.protocol.combined(self.values)
        return self.values[..., self.protocol.aspects.index(aspect)]

    @property
    def aspects(self) -> tuple[str, ...]:
        """The aspects, and the whole."""
        return (*self.protocol.aspects, self.protocol.whole)


def read_tasks(folder: Path) -> list[Ratings]:
    """The ratings in a folder: a task for each folder inside that holds TSV files, or one if it holds them itself.

    Raises:
        BadInput: there are none, or a file does not hold ratings; the message names the line.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; give that of the ratings: a folder a task, in it a TSV file a rater")
    tasks = [path for path in (folder, *sorted(folder.iterdir())) if path.is_dir() and _files(path)]
    if not tasks:
        raise BadInput(f"{folder} holds no ratings; put a TSV file for each rater into it, or into a folder for a task")
    return [_task(path) for path in tasks]


def write_ratings(path: Path, ratings: Ratings, rater: str) -> None:
    """Write what one rater said as a TSV file, as `read_tasks` reads it."""
    values = ratings.values[ratings.raters.index(rater)]
    lines = [[UID, *ratings.models]]
    lines += [[item, *(_cell(cell) for cell in values[:, at])] for at, item in enumerate(ratings.items)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, "excel-tab", quoting=csv.QUOTE_NONE, quotechar=None).writerows(lines)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def _task(folder: Path) -> Ratings:
    read = {path.stem: _rater(path) for path in _files(folder)}
    lengths = {len(values) for cells in read.values() for values in cells.values()}
    if len(lengths) != 1 or not lengths <= PROTOCOLS.keys():
        raise BadInput(f"{folder}: cells hold {sorted(lengths)} values; give two a cell (SC, PQ) or three (SuTI's)")
    protocol = PROTOCOLS[lengths.pop()]
    _check_levels(folder, read, protocol)
    items = tuple(dict.fromkeys(item for cells in read.values() for item, _ in cells))
    models = tuple(dict.fromkeys(model for cells in read.values() for _, model in cells))
    absent = (math.nan,) * len(protocol.aspects)
    values = [[[cells.get((item, model), absent) for item in items] for model in models] for cells in read.values()]
    return Ratings(
        task=folder.name,
        protocol=protocol,
        raters=tuple(read),
        models=models,
        items=items,
        values=np.asarray(values, np.float64),
    )


def _rater(path: Path) -> Cells:
    cells: Cells = {}
    header: Sequence[str] = ()
    for number, row in _rows(path):
        if not header:
            header = row
            _check_header(header, path)
            continue
        if len(row) != len(header):
            raise BadInput(f"{path}, line {number}: {len(row)} cells below {len(header)} columns; give one a column")
        for model, text in zip(header[1:], row[1:], strict=True):
            if (row[0], model) in cells:
                raise BadInput(f"{path}, line {number}: '{row[0]}' was rated above; keep one of the lines")
            if text.strip():
                cells[row[0], model] = _values(text, f"{path}, line {number}, {model}")
    if not cells:
        raise BadInput(f"{path} holds no ratings; give a line '{UID}<TAB>model' and a line for each item")
    return cells


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of lines that are not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, "excel-tab", quoting=csv.QUOTE_NONE)
            yield from ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read ({error}); give tab-separated text in UTF-8") from error


def _check_header(header: Sequence[str], path: Path) -> None:
    if header[0] != UID or len(header) < 2 or len(set(header)) < len(header):
        raise BadInput(f"{path}, line 1: the columns must be '{UID}' and then a model each, no two of one name")


def _values(text: str, where: str) -> tuple[float, ...]:
    inside = text.strip()
    try:
        if not (inside.startswith("[") and inside.endswith("]")):
            raise ValueError("no list")
        return tuple(float(part) for part in inside[1:-1].split(","))
    except ValueError as error:
        raise BadInput(f"{where}: '{text}' is no rating; write a list such as [0.5, 1]") from error


def _check_levels(folder: Path, read: dict[str, Cells], protocol: Protocol) -> None:
    for rater, cells in read.items():
        for (item, model), values in cells.items():
            if strange := [value for value in values if value not in protocol.levels]:
                known = ", ".join(f"{level:g}" for level in protocol.levels)
                where = f"{folder / rater}{SUFFIX}, {item}, {model}"
                raise BadInput(f"{where}: {strange[0]:g} is no rating; in {protocol.name}'s protocol give {known}")


def _cell(values: Floats) -> str:
    return "" if np.isnan(values).any() else f"[{', '.join(f'{value:g}' for value in values)}]"
