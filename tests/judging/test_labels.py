"""Where a strong judge's marks come from, and what is said when they cannot be had."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.judging.labels import marks_of, raters_of

ROWS = [{"triplet": "a", "sc": 8, "pq": 10.0}, {"triplet": "b", "sc": 2, "pq": None}]


def written(path: Path, rows: list[dict]) -> Path:
    table = pa.Table.from_pylist(rows)
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        csv.write_csv(table, path, csv.WriteOptions(delimiter="\t" if path.suffix == ".tsv" else ","))
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_table_says_the_same(ending: str, tmp_path: Path, corpus_folder: Path) -> None:
    path = written(tmp_path / f"marks{ending}", ROWS)
    marks = marks_of(str(path), Corpus(corpus_folder), ["b", "absent", "a"], 10)
    assert list(marks) == ["sc", "pq"]
    np.testing.assert_array_equal(marks["sc"], [0.2, np.nan, 0.8])
    np.testing.assert_array_equal(marks["pq"], [np.nan, np.nan, 1.0])


def test_one_mark_is_overall(tmp_path: Path, corpus_folder: Path) -> None:
    path = written(tmp_path / "marks.csv", [{"triplet": "a", "overall": 1}])
    assert list(marks_of(str(path), Corpus(corpus_folder), ["a"], 1)) == ["overall"]


def test_verdicts_are_marks(corpus_folder: Path) -> None:
    corpus, ids = Corpus(corpus_folder), ["c01/1", "c00/0"]
    assert marks_of("strict", corpus, ids, 10)["overall"].tolist() == [0.0, 1.0]
    assert {name: values.tolist() for name, values in marks_of("asked", corpus, ids, 1).items()} == {
        "sc": [0.5, 0.5],
        "pq": [1.0, 1.0],
    }


@pytest.mark.parametrize(
    ("labels", "rows", "most", "says"),
    [
        ("strct", None, 1, r"no verdicts of a judge 'strct'.*Did you mean 'strict'"),
        ("strict", None, 1, "overall 10 is not within 0 and 1; give --most"),
        ("marks.csv", None, 1, r"marks\.csv cannot be read"),
        ("marks.csv", [{"triplet": "a", "marks": 1}], 1, "needs the columns triplet, sc and pq"),
        ("marks.csv", [{"triplet": "a", "overall": "good"}], 1, "overall of triplet a is 'good'"),
    ],
)
def test_what_is_no_mark_is_told(
    labels: str, rows, most: float, says: str, tmp_path: Path, corpus_folder: Path
) -> None:
    if rows is not None:
        written(tmp_path / labels, rows)
    where = str(tmp_path / labels) if "." in labels else labels
    with pytest.raises(BadInput, match=says):
        marks_of(where, Corpus(corpus_folder), ["a", "c00/0"], most)


def test_raters_stand_beside_each_other(tmp_path: Path) -> None:
    rows = [{"rater": name, "triplet": "a", "sc": sc, "pq": 1} for name, sc in (("y", 0.25), ("x", 1.0))]
    marks = raters_of(written(tmp_path / "raters.tsv", rows), ["a", "b"], 1)
    np.testing.assert_array_equal(marks["sc"], [[1.0, np.nan], [0.25, np.nan]])
    np.testing.assert_array_equal(marks["overall"], [[1.0, np.nan], [0.5, np.nan]])
    with pytest.raises(BadInput, match="no column 'rater'"):
        raters_of(written(tmp_path / "marks.csv", ROWS), ["a"], 1)
