"""Parts → a frame that reads no more than is used."""

import dataclasses
import pickle
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from made_pictures import jpeg

from tutelage.sources.base import SCHEMA, Found
from tutelage.sources.folder import Folder
from tutelage.sources.parquet import Parquet
from tutelage.sources.scan import packed, pages
from tutelage.sources.webdataset import WebDataset
from tutelage.toybox.pages import make_page
from tutelage.toybox.writers import write_parquet, write_shard


@dataclasses.dataclass(frozen=True)
class Long:
    """A source of many parts which note what is asked of them."""

    asked: Path

    def parts(self) -> Iterator["LongPart"]:
        return (LongPart(self.asked, number) for number in range(200))


@dataclasses.dataclass(frozen=True)
class LongPart:
    asked: Path
    number: int

    def batches(self, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
        with self.asked.open("a") as file:
            file.write(f"{','.join(columns)}\n")
        return packed((Found(url=f"{self.number}/{at}", page_url="p") for at in range(100)), columns)


def test_no_more_is_read_than_is_used(tmp_path: Path) -> None:
    source = Long(tmp_path / "asked")
    frame = pages(source)
    assert not source.asked.exists()
    assert frame.select("url").limit(120).to_pydict() == {"url": [f"{at // 100}/{at % 100}" for at in range(120)]}
    asked = source.asked.read_text().split()
    assert set(asked) == {"url"}
    assert len(asked) < 100


def test_filtered_columns_are_read_too(tmp_path: Path) -> None:
    frame = pages(Long(tmp_path / "asked"))
    assert frame.where(frame["fault"].is_null()).select("url").limit(2).to_pydict() == {"url": ["0/0", "0/1"]}


def test_batches_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutelage.sources.scan.BATCH_BYTES", 1000)
    found = [Found(url=str(at), page_url="p", image=bytes(100)) for at in range(25)]
    assert [batch.num_rows for batch in packed(found, ["url"])] == [10, 10, 5]
    assert [batch.num_rows for batch in packed(found * 4, ["url"])][:3] == [10, 10, 10]


def test_parts_can_be_sent_to_other_machines(tmp_path: Path) -> None:
    page = make_page(0, size=48)
    write_parquet([page], tmp_path / "a.parquet")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    write_shard([page], tmp_path / "a", 0)
    (tmp_path / "b" / "0.jpg").write_bytes(jpeg())
    there = (Parquet(path=tmp_path / "a.parquet"), WebDataset(path=tmp_path / "a"), Folder(path=tmp_path / "b"))
    for found in there:
        part = next(found.parts())
        sent = pickle.loads(pickle.dumps(part))
        assert list(sent.batches(SCHEMA.names)) == list(part.batches(SCHEMA.names))
