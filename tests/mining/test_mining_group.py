"""Pictures by page: every page once, faults counted, sizes kept, whatever the order and the parts."""

import random
from collections.abc import Sequence
from pathlib import Path

import daft
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutelage.mining.group import Page, grouped, pages, pages_in, split
from tutelage.mining.settings import LEAST, MOST

Row = dict[str, object]


def row(page: str, number: int, fault: str | None = None, image: bytes | None = None) -> Row:
    return {
        "url": f"{page}/{number:03d}.png",
        "page_url": page,
        "image": image or f"{page} {number}".encode(),
        "alt_text": None if number % 5 == 4 else f"alt {number}",
        "licence": "cc0",
        "fault": fault,
    }


def frame(rows: Sequence[Row]) -> daft.DataFrame:
    columns = {name: [one[name] for one in rows] for name in row("", 0)}
    made = daft.from_pydict(columns)
    return made.with_column("fault", made["fault"].cast(daft.DataType.string()))


def grouped_pages(rows: Sequence[Row], **others) -> list[Page]:
    settings = {"seed": 0, **others}
    return sorted(pages(grouped(frame(rows)), **settings), key=lambda page: page.url)


def test_pages_hold_their_pictures_and_count_their_faults() -> None:
    rows = [row("a", n) for n in range(4)] + [row("a", 8, "tiny"), row("a", 9, "truncated"), row("a", 10, "tiny")]
    rows += [row("b", 0), row("b", 1), row("b", 2, "tiny"), row("c", 0, "no image")]
    random.Random(0).shuffle(rows)
    a, b, c = grouped_pages(rows)
    assert (a.url, a.found, a.faults, a.copies) == ("a", 7, {"tiny": 2, "truncated": 1}, 0)
    assert [(p.url, p.data, p.alt, p.page) for p in a.pictures[:2]] == [
        ("a/000.png", b"a 0", "alt 0", "a"),
        ("a/001.png", b"a 1", "alt 1", "a"),
    ]
    assert (len(a.pictures), a.pictures[0].licence) == (4, "cc0")
    assert (b.found, b.faults, b.pictures) == (3, {"tiny": 1}, ())
    assert (c.found, c.faults, c.pictures) == (1, {"no image": 1}, ())


def test_equal_bytes_count_once() -> None:
    (page,) = grouped_pages([row("a", n, image=b"same" if n > 2 else None) for n in range(6)])
    assert (page.copies, len(page.pictures)) == (2, 4)
    assert page.pictures[-1].url == "a/003.png"
    (page,) = grouped_pages([row("a", n, image=b"same") for n in range(6)])
    assert (page.copies, page.pictures) == (5, ())


def test_of_many_pictures_the_same_ten_stay_in_any_order() -> None:
    rows = [row("a", n) for n in range(25)]
    (page,) = grouped_pages(rows)
    assert len(page.pictures) == MOST
    assert page.found == 25
    (again,) = grouped_pages(rows[::-1])
    assert again == page
    (other,) = grouped_pages(rows, seed=1)
    assert other.pictures != page.pictures
    (most,) = grouped_pages(rows, most=25)
    assert set(page.pictures) < set(most.pictures)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=40), st.integers(1, 5))
def test_parts_change_nothing(tmp_path_factory, drawn: list[tuple[int, bool]], parts: int) -> None:
    rows = [row(f"page {page}", n, None if fine else "tiny") for n, (page, fine) in enumerate(drawn)]
    if not rows:
        return
    folder = tmp_path_factory.mktemp("parts") / "crawl"
    found = [page for path in split(frame(rows), folder, parts).values() for page in pages_in(path, seed=0)]
    assert sorted(found, key=lambda page: page.url) == grouped_pages(rows)
    assert {page.url for page in found} == {f"page {page}" for page, _ in drawn}
    for page in found:
        fine = sum(fine for number, fine in drawn if f"page {number}" == page.url)
        assert len(page.pictures) == (min(fine, MOST) if fine >= LEAST else 0)
        assert page.found - sum(page.faults.values()) == fine


def test_a_crawl_is_split_once(tmp_path: Path) -> None:
    rows = [row(f"page {n}", 0) for n in range(20)]
    first = split(frame(rows), tmp_path / "parts", 4)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "parts").rglob("*.parquet")}
    assert split(frame([]), tmp_path / "parts", 4) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "parts").rglob("*.parquet")} == before


def test_a_split_that_was_cut_off_is_done_anew(tmp_path: Path) -> None:
    rows = [row(f"page {n}", 0) for n in range(20)]
    whole = split(frame(rows), tmp_path / "parts", 2)
    (tmp_path / "parts" / "_SUCCESS").unlink()
    again = split(frame(rows), tmp_path / "parts", 2)
    assert again == whole
    assert sum(len(pages_in(path, seed=0)) for path in again.values()) == 20


def test_bytes_of_faulty_pictures_do_not_travel() -> None:
    counted = grouped(frame([row("a", n, "tiny" if n else None) for n in range(5)])).to_pylist()
    assert [one["pictures"] for one in counted] == [None]


@pytest.mark.parametrize("missing", ["image", "licence"])
def test_the_columns_beside_the_page_are_whatever_the_source_gives(missing: str) -> None:
    rows = frame([row("a", n) for n in range(3)]).exclude(missing)
    (found,) = grouped(rows).to_pylist()
    assert set(found["pictures"][0]) == set(row("", 0)) - {"page_url", "fault", missing}
