"""Parquet, WebDataset and the toybox tell the same of the same pages."""

import dataclasses
from pathlib import Path

import pytest
from made_pictures import rows

from tutelage.sources.base import SCHEMA
from tutelage.sources.faults import inspected
from tutelage.sources.parquet import Parquet
from tutelage.sources.toybox import Toybox
from tutelage.sources.webdataset import WebDataset
from tutelage.toybox.pages import Page, make_page
from tutelage.toybox.writers import write_parquet, write_shard


@pytest.fixture(scope="module")
def crawl() -> list[Page]:
    return [make_page(index, size=48) for index in range(25)]


def test_nothing_is_told_to_daft_s_makers() -> None:
    from daft.scarf_telemetry import opted_out

    assert opted_out()


def test_formats_agree_and_keep_everything(tmp_path: Path, crawl: list[Page]) -> None:
    entries = [dataclasses.asdict(entry) for page in crawl[:8] for entry in page.entries]
    write_parquet(crawl[:8], tmp_path / "pages.parquet")
    write_shard(crawl[:4], tmp_path, 0)
    write_shard(crawl[4:8], tmp_path, 1)
    wanted = [{**entry, "fault": None} for entry in entries]
    for found in (Parquet(path=tmp_path / "pages.parquet"), WebDataset(path=tmp_path)):
        frame = found.frame()
        assert frame.column_names == SCHEMA.names
        assert sorted(rows(frame), key=lambda row: row["url"]) == sorted(wanted, key=lambda row: row["url"])


def test_faults_are_what_the_world_put_there(tmp_path: Path, crawl: list[Page]) -> None:
    write_parquet(crawl, tmp_path / "pages.parquet")
    seen = {row["url"]: row["fault"] for row in rows(inspected(Parquet(path=tmp_path).frame()))}
    for truth in (truth for page in crawl for truth in page.truths):
        usable = truth.fault is None or truth.fault == "texture" or truth.fault.startswith("near duplicate")
        assert seen[truth.url] == (None if usable else truth.fault)


def test_the_toybox_is_drawn_when_it_is_not_there(tmp_path: Path) -> None:
    world = Toybox(path=tmp_path / "crawl", pages=3, size=32, workers=1)
    first = rows(world.frame())
    assert {row["page_url"] for row in first} == {make_page(index, size=32).url for index in range(3)}
    drawn = (tmp_path / "crawl" / "pages.parquet").stat().st_mtime_ns
    assert rows(world.frame()) == first
    assert (tmp_path / "crawl" / "pages.parquet").stat().st_mtime_ns == drawn
