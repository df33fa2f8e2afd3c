"""What mining writes comes back as it was."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tutelage.errors import BadInput
from tutelage.mining import records
from tutelage.mining.cluster import Decision, Measured
from tutelage.mining.records import (
    read_assignments,
    read_clusters,
    read_pages,
    write_assignments,
    write_clusters,
    write_pages,
)
from tutelage.triplet import Assignment, Cluster, Order, Picture, Reference


def cluster(name: str, pictures: int = 3) -> Cluster:
    shots = (Picture(data=bytes([n]), url=f"u{n}", page=name, alt=f"alt {n}", licence="cc0") for n in range(pictures))
    references = tuple(Reference(picture=shot, caption=f"caption of {shot.url}") for shot in shots)
    return Cluster(id=name, subject=f"{name} toy", references=references, similarity=0.5)


def test_pages_come_back(tmp_path: Path) -> None:
    seen = Measured(
        page="p",
        found=5,
        faults={"tiny": 1, "truncated": 1},
        copies=1,
        urls=("a", "b", "c"),
        similarity=(0.25, 0.5, 0.75),
        likeness=(0.0, 0.125, 1.0),
    )
    empty = Measured(page="q", found=1, faults={}, copies=0)
    rows = [(seen, Decision(kept=True, pictures=(0, 2), mean=0.5)), (empty, Decision(kept=False, reason="all alike"))]
    write_pages([(*row, "bear toy") for row in rows], tmp_path / "0.parquet")
    assert list(read_pages(tmp_path)) == rows
    assert pq.read_table(tmp_path / "0.parquet")["subject"].to_pylist() == ["bear toy", "bear toy"]


def test_clusters_come_back_in_order_and_a_few_at_a_time(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(records, "_AT_ONCE", 2)
    every = [cluster(f"c{n}", n) for n in range(5)]
    write_clusters(every[3:], tmp_path / "1.parquet")
    write_clusters(every[:3], tmp_path / "0.parquet")
    write_clusters([], tmp_path / "2.parquet")
    assert list(read_clusters(tmp_path)) == every
    assert pq.ParquetFile(tmp_path / "0.parquet").num_row_groups == 2


def test_assignments_find_their_clusters(tmp_path: Path) -> None:
    clusters = [cluster(f"c{n}") for n in range(3)]
    made = [
        Assignment(id=f"{c.id}/{n:02d}", cluster=c, text=f"text {n}", skill="view") for c in clusters for n in (0, 1)
    ]
    order = Order(phrase="the hat", caption="a toy", fill="nothing", wordings=("take it off", "no hat"))
    made[1] = replace(made[1], skill="removal", order=order)
    write_assignments(made, tmp_path / "0.parquet")
    assert list(read_assignments(tmp_path, clusters)) == made
    assert list(read_assignments(tmp_path, clusters[1:2])) == made[2:4]


def test_assignments_of_before_orders_are_read(tmp_path: Path) -> None:
    one = Assignment(id="c0/00", cluster=cluster("c0"), text="text", skill="view")
    write_assignments([one], tmp_path / "0.parquet")
    table = pq.read_table(tmp_path / "0.parquet").drop_columns(["order"])
    pq.write_table(table, tmp_path / "0.parquet")
    assert list(read_assignments(tmp_path, [one.cluster])) == [one]


def test_what_is_no_such_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no \.parquet files"):
        list(read_clusters(tmp_path))
    (tmp_path / "0.parquet").write_bytes(b"not parquet")
    with pytest.raises(BadInput, match="not a Parquet file"):
        list(read_pages(tmp_path))
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "0.parquet")
    with pytest.raises(BadInput, match="lacks columns"):
        list(read_clusters(tmp_path))


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    broken = cluster("c")
    object.__setattr__(broken, "similarity", "half")
    with pytest.raises(pa.ArrowException):
        write_clusters([broken], tmp_path / "0.parquet")
    assert not any(tmp_path.iterdir())
