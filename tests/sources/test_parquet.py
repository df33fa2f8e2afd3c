"""Parquet: columns by any common name, damage named."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_pictures import jpeg, rows

from tutelage.errors import BadInput
from tutelage.sources.parquet import Parquet
from tutelage.toybox.pages import make_page
from tutelage.toybox.writers import write_parquet


def test_common_names_of_columns_are_known(tmp_path: Path) -> None:
    image = {"bytes": jpeg(), "path": None}
    table = {"image_url": ["u", None], "page": ["p", None], "jpg": [image, image], "caption": ["c", None]}
    pq.write_table(pa.table({**table, "license": ["cc0", None], "width": [1, 2]}), tmp_path / "a.parquet")
    found = rows(Parquet(path=tmp_path).frame())
    assert found == [
        {"url": "u", "page_url": "p", "image": jpeg(), "alt_text": "c", "licence": "cc0", "fault": None},
        {"url": "a.parquet#1", "page_url": "", "image": jpeg(), "alt_text": "", "licence": "", "fault": "no page"},
    ]


def test_text_that_is_not_utf8_is_no_fault(tmp_path: Path) -> None:
    table = {"url": ["a", "b"], "page_url": ["p", "p"], "image": [jpeg(), jpeg()]}
    data = pa.array([b"fine", b"caf\xe9"])
    strings = pa.Array.from_buffers(pa.string(), 2, data.buffers())
    for name, column in (("bytes", data), ("strings", strings)):
        pq.write_table(pa.table({**table, "alt_text": column}), tmp_path / f"{name}.parquet")
        found = rows(Parquet(path=tmp_path / f"{name}.parquet").frame())
        assert [(row["alt_text"], row["fault"]) for row in found] == [("fine", None), ("caf�", None)]


def test_columns_of_other_kinds(tmp_path: Path) -> None:
    table = {"page_url": pa.array(["p"]).dictionary_encode(), "image": [jpeg()]}
    pq.write_table(pa.table({**table, "url": [7]}), tmp_path / "number.parquet")
    pq.write_table(pa.table({**table, "url": ["u"], "alt_text": [["a", "list"]]}), tmp_path / "list.parquet")
    found = rows(Parquet(path=tmp_path).frame())
    assert [(row["url"], row["fault"]) for row in found] == [("list.parquet", "file with other columns"), ("7", None)]


@pytest.mark.parametrize("columns", [{"image": ["path.jpg"], "page": ["p"]}, {"jpg": [b""], "label": ["cat"]}])
def test_unusable_columns_are_named(tmp_path: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=f"needs columns url.* has {next(iter(columns))}: "):
        Parquet(path=tmp_path).frame()


def test_one_damaged_file_among_many_is_named(tmp_path: Path) -> None:
    crawl = [make_page(index, size=48) for index in range(4)]
    for at in range(4):
        write_parquet(crawl[at : at + 1], tmp_path / f"{at}.parquet")
    (tmp_path / "0.parquet").write_bytes(b"PAR1 nothing PAR1")
    (tmp_path / "2.parquet").write_bytes((tmp_path / "2.parquet").read_bytes()[:-100])
    pq.write_table(pa.table({"x": [1]}), tmp_path / "4.parquet")
    body = bytearray((tmp_path / "3.parquet").read_bytes())
    body[4:400] = bytes(396)  # the footer stays whole
    (tmp_path / "3.parquet").write_bytes(body)
    found = rows(Parquet(path=tmp_path).frame())
    assert [row["url"] for row in found if row["fault"] is None] == [entry.url for entry in crawl[1].entries]
    assert {row["url"]: row["fault"] for row in found if row["fault"]} == {
        "0.parquet": "damaged file", "2.parquet": "damaged file", "3.parquet": "damaged file",
        "4.parquet": "file with other columns",
    }  # fmt: skip
