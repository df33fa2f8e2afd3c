"""Precision and recall of page verdicts, from rows alone."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tutelage.benches.mining import MiningBench, read_truth, read_verdicts, rows_of
from tutelage.errors import BadInput


def label(url: str, kind: str, toy: str = "bear") -> dict:
    image = {"url": f"{url}/0", "subject": 1, "scene": {"subject": {"kind": toy}}, "fault": None}
    return {"page_url": url, "kind": kind, "images": [image, image | {"scene": None}]}


TRUTH = [
    label("a", "cluster"),
    label("b", "cluster", "dog"),
    label("c", "branded"),
    label("d", "mixed"),
    label("e", "mixed"),
    label("f", "noise"),
]
KEPT = {"a": "bear toy", "b": "bear toy", "d": "toy"}


def verdicts(kept: dict[str, str], urls: str = "abcdef") -> dict[str, dict]:
    return {url: {"page": url, "kept": url in kept, "subject": kept.get(url, "")} for url in urls}


def test_shares_are_counted_over_all_pages_and_by_kind() -> None:
    rows = {row.metric: row for row in rows_of(verdicts(KEPT), TRUTH)}
    assert {name: (round((row.value or 0) * row.n), row.n) for name, row in rows.items()} == {
        "precision": (2, 3),
        "recall": (2, 3),
        "named": (1, 2),
        "kept: branded": (0, 1),
        "kept: cluster": (2, 2),
        "rejected: mixed": (1, 2),
        "rejected: noise": (1, 1),
    }
    assert all(row.low <= row.value <= row.high for row in rows.values())


def test_pages_without_a_verdict_are_missing_and_not_wrong() -> None:
    rows = {row.metric: row for row in rows_of(verdicts(KEPT, "abc"), TRUTH)}
    assert (rows["precision"].value, rows["precision"].missing) == (1.0, 3)
    assert (rows["rejected: mixed"].value, rows["rejected: mixed"].n, rows["rejected: mixed"].missing) == (None, 0, 2)


def test_files_in_rows_out(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(list(verdicts(KEPT).values())), tmp_path / "0.parquet")
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in TRUTH))
    assert MiningBench(pages=tmp_path, labels=path).run() == rows_of(verdicts(KEPT), TRUTH)


def test_wrong_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no .parquet files".replace(".", r"\.")):
        read_verdicts(tmp_path)
    pq.write_table(pa.table({"id": [1]}), tmp_path / "0.parquet")
    with pytest.raises(BadInput, match="no page verdicts"):
        read_verdicts(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_truth(tmp_path / "absent.jsonl")
    (tmp_path / "labels.jsonl").write_text('{"page_url": "a"}\n')
    with pytest.raises(BadInput, match="line 1: no label"):
        read_truth(tmp_path / "labels.jsonl")
