"""A strong judge's marks, and raters': from a table, from verdicts in a corpus, or from the toybox's oracle."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from tutelage.benches.intervals import Floats
from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput, did_you_mean

ORACLE: Final = "oracle"
MARKS: Final = ("sc", "pq")
OVERALL: Final = "overall"
ENDINGS: Final = (".csv", ".tsv", ".jsonl", ".parquet")

Marks = Mapping[str, Floats]
"""`sc` and `pq`, or `overall` alone → (N,) in [0, 1], nan where there is none."""


def marks_of(labels: str, corpus: Corpus, ids: Sequence[str], most: float) -> Marks:
    """The strong judge's marks of the triplets with these ids, divided by `most`.

    Args:
        labels: a table with the columns triplet, sc and pq (or overall), or the name of a judge with verdicts in the
            corpus, whose parts SC and PQ are the two marks where it has them.
        corpus: where the verdicts are.
        ids: of N triplets.
        most: the greatest mark there can be, such as 10.

    Raises:
        BadInput: there is no such table or judge, or a mark is outside [0, most].
    """
    table = Path(labels).suffix in ENDINGS
    marks = _from_rows(read_table(Path(labels)), labels, ids) if table else _from_verdicts(labels, corpus, ids)
    for name, values in marks.items():
        if (found := values[(values < 0) | (values > most)]).size:
            raise BadInput(
                f"{labels}: {name} {found[0]:g} is not within 0 and {most:g}; give --most, the greatest mark"
            )
    return {name: values / most for name, values in marks.items()}


def raters_of(path: Path, ids: Sequence[str], most: float) -> dict[str, Floats]:
    """Mark → (raters, N) from a table with the columns rater, triplet, sc and pq.

    Raises:
        BadInput: the table cannot be read.
    """
    rows = read_table(path)
    if rows and "rater" not in rows[0]:
        raise BadInput(f"{path} has no column 'rater'; it needs rater, triplet, sc and pq")
    names = sorted({str(row["rater"]) for row in rows})
    each = [_from_rows([row for row in rows if str(row["rater"]) == name], str(path), ids) for name in names]
    given = list(each[0]) if each else []
    marks: dict[str, Floats] = {mark: np.asarray([one[mark] for one in each]) / most for mark in given}
    if set(marks) == set(MARKS):
        marks[OVERALL] = np.sqrt(marks["sc"] * marks["pq"])
    return marks


def read_table(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV, TSV, JSONL or Parquet file.

    Raises:
        BadInput: it is absent or cannot be read.
    """
    try:
        rows: list[dict[str, Any]] = _reader(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        first = str(error).partition("\n")[0]
        raise BadInput(f"{path} cannot be read as a table ({first}); give {', '.join(ENDINGS)}") from error
    return rows


def _reader(path: Path) -> pa.Table:
    from pyarrow import csv, json, parquet

    if path.suffix == ".parquet":
        return parquet.read_table(path)
    if path.suffix == ".jsonl":
        return json.read_json(path)
    return csv.read_csv(path, parse_options=csv.ParseOptions(delimiter="\t" if path.suffix == ".tsv" else ","))


def _from_rows(rows: Sequence[Mapping[str, Any]], where: str, ids: Sequence[str]) -> dict[str, Floats]:
    names = set(rows[0]) if rows else set()
    marks = MARKS if names.issuperset(MARKS) else (OVERALL,)
    if not names.issuperset({"triplet", *marks}):
        raise BadInput(f"{where} needs the columns triplet, sc and pq, or triplet and overall; it has {sorted(names)}")
    found = {str(row["triplet"]): row for row in rows}
    return {mark: np.asarray([_number(found.get(name), mark, where) for name in ids]) for mark in marks}


def _number(row: Mapping[str, Any] | None, mark: str, where: str) -> float:
    """A mark; nan where there is none."""
    value = None if row is None else row[mark]
    if value is None or isinstance(value, int | float):
        return np.nan if value is None else float(value)
    raise BadInput(f"{where}: {mark} of triplet {row['triplet'] if row else ''} is '{value}'; give a number or nothing")


def _from_verdicts(judge: str, corpus: Corpus, ids: Sequence[str]) -> dict[str, Floats]:
    said = corpus.judges()
    if judge not in said:
        near = did_you_mean(judge, [*said, ORACLE])
        raise BadInput(
            f"no verdicts of a judge '{judge}' in {corpus.path}.{near} "
            f"There are {', '.join(said) or 'none'}; or give a table, or '{ORACLE}'"
        )
    parts = {mark: said[judge].parts.get(mark.upper()) for mark in MARKS}
    two = {mark: values for mark, values in parts.items() if values is not None}
    marks = two if len(two) == len(MARKS) else {OVERALL: said[judge].score}
    at = {name: row for row, name in enumerate(corpus.column("id").to_pylist())}
    rows = np.asarray([at.get(name, -1) for name in ids], np.int64)
    return {mark: np.where(rows < 0, np.nan, values[rows]) for mark, values in marks.items()}
