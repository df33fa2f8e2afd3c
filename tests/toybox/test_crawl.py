"""The crawl: in the field's formats, with every kind of page, the truth kept apart, and resumable."""

import dataclasses
import hashlib
import io
import json
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image, UnidentifiedImageError

from tutelage.errors import BadInput
from tutelage.toybox import crawl, pages
from tutelage.toybox.crawl import crawl_command
from tutelage.toybox.pages import PAGE_KINDS, Page, make_page, scene_from
from tutelage.toybox.writers import PAGES_SCHEMA, whole

SIZE = 32
PAGES_IN_TEST = 25


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "PAGES_PER_PART", 10)


def run(out: Path, form="parquet", count: int = PAGES_IN_TEST, **others) -> Path:
    crawl_command(**{"pages": count, "out": out, "format": form, "size": SIZE, "workers": 1, **others})
    return out


def labels(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "labels.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def deck() -> list[Page]:
    return [make_page(index, size=SIZE) for index in range(PAGES_IN_TEST)]


def opens(image: bytes) -> bool:
    try:
        Image.open(io.BytesIO(image)).load()
    except (UnidentifiedImageError, OSError, SyntaxError):
        return False
    return True


def test_every_run_of_25_pages_holds_every_kind(deck: list[Page]) -> None:
    assert set(Counter(page.kind for page in deck)) == set(PAGE_KINDS)
    assert deck[3] == make_page(3, size=SIZE)
    assert deck[3] != make_page(3, size=SIZE, seed=1)
    addresses = [entry.url for page in deck for entry in page.entries]
    assert len(set(addresses)) == len(addresses)
    assert all(entry.page_url == page.url for page in deck for entry in page.entries)


def test_pages_are_what_their_label_says(deck: list[Page]) -> None:
    for page in deck:
        usable = [t.subject for t in page.truths if t.fault is None and t.subject is not None]
        most = max(Counter(usable).values(), default=0)
        assert (most >= 3 and len(set(usable)) == 1) == (page.kind in ("cluster", "branded")), page.kind
        assert 3 <= len(page.entries) <= 10 or page.kind == "too_few"
        for entry, truth in zip(page.entries, page.truths, strict=True):
            assert opens(entry.image) == (truth.fault not in ("truncated", "not an image"))


def test_faults_are_on_their_pages_only(deck: list[Page]) -> None:
    faults = {page.kind: {truth.fault for truth in page.truths} - {None} for page in deck}
    assert all(not faults[kind] for kind in ("cluster", "too_few", "mixed", "branded"))
    assert all("near duplicate" in fault for fault in faults["near_duplicates"])
    assert faults["broken"] <= {"truncated", "not an image"}
    assert faults["odd_shapes"] <= {"tiny", "absurd shape"}
    assert all(any(sign in entry.alt_text for sign in "™®") for p in deck if p.kind == "branded" for entry in p.entries)


def test_near_duplicates_look_alike(deck: list[Page]) -> None:
    def small(image: bytes) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(image)).convert("L").resize((8, 8)), float)

    for page in (page for page in deck if page.kind == "near_duplicates"):
        first = {t.scene: small(e.image) for e, t in zip(page.entries, page.truths, strict=True) if t.fault is None}
        assert len(first) <= 2
        for entry, truth in zip(page.entries, page.truths, strict=True):
            assert np.corrcoef(small(entry.image).ravel(), first[truth.scene].ravel())[0, 1] > 0.85


def test_scenes_come_back_from_json(deck: list[Page]) -> None:
    for truth in (truth for page in deck for truth in page.truths if truth.scene):
        assert scene_from(json.loads(json.dumps(dataclasses.asdict(truth.scene)))) == truth.scene


def test_parquet_holds_the_pages_and_no_truth(tmp_path: Path, deck: list[Page]) -> None:
    out = run(tmp_path / "crawl")
    assert sorted(path.name for path in out.iterdir()) == ["crawl.json", "labels.jsonl", "pages.parquet"]
    file = pq.ParquetFile(out / "pages.parquet")
    assert file.schema_arrow == PAGES_SCHEMA
    assert file.num_row_groups == 3  # one a part: a reader holds one part at a time
    rows = [dataclasses.asdict(entry) for page in deck for entry in page.entries]
    assert file.read().to_pylist() == rows
    told = labels(out)
    assert [row["kind"] for row in told] == [page.kind for page in deck]
    assert [image["url"] for row in told for image in row["images"]] == [row["url"] for row in rows]


def test_webdataset_is_laid_out_as_img2dataset_does(tmp_path: Path, deck: list[Page]) -> None:
    out = run(tmp_path / "crawl", "webdataset")
    entries = [entry for page in deck[:10] for entry in page.entries]
    with tarfile.open(out / "00000.tar") as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}
    assert list(files)[:3] == ["000000000.jpg", "000000000.json", "000000000.txt"]
    assert len(files) == 3 * len(entries)
    for at, entry in enumerate(entries):
        told = json.loads(files[f"00000{at:04d}.json"])
        assert files[f"00000{at:04d}.jpg"] == entry.image
        assert files[f"00000{at:04d}.txt"].decode() == told["caption"] == entry.alt_text
        assert told["sha256"] == hashlib.sha256(entry.image).hexdigest()
        assert (told["key"], told["url"], told["status"]) == (f"00000{at:04d}", entry.url, "success")
        assert (told["page_url"], told["licence"]) == (entry.page_url, entry.licence)
    table = pq.read_table(out / "00000.parquet").to_pylist()
    assert [row["key"] for row in table] == [f"00000{at:04d}" for at in range(len(entries))]
    assert json.loads((out / "00002_stats.json").read_text())["status_dict"].keys() == {"success"}
    assert len(labels(out)) == PAGES_IN_TEST


def counted(monkeypatch: pytest.MonkeyPatch, fail_at: int = -1) -> list[int]:
    made: list[int] = []

    def make(index: int, **settings) -> Page:
        if index == fail_at:
            raise KeyboardInterrupt
        made.append(index)
        return pages.make_page(index, **settings)

    monkeypatch.setattr(crawl, "make_page", make)
    return made


@pytest.mark.parametrize("form", ["parquet", "webdataset"])
def test_a_stopped_crawl_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form) -> None:
    counted(monkeypatch, fail_at=15)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", form)
    made = counted(monkeypatch)
    run(tmp_path / "a", form)
    assert made == list(range(10, PAGES_IN_TEST))
    run(tmp_path / "b", form)
    for path in (tmp_path / "b").iterdir():
        if not path.name.endswith("_stats.json"):
            assert (tmp_path / "a" / path.name).read_bytes() == path.read_bytes(), path.name
    made.clear()
    run(tmp_path / "a", form)
    assert made == []


def test_a_lost_shard_is_made_again_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = run(tmp_path, "webdataset")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "00001.tar").unlink()
    made = counted(monkeypatch)
    run(out, "webdataset")
    assert made == list(range(10, 20))
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert {name for name in before if before[name] != after[name]} <= {"00001_stats.json"}


@pytest.mark.e2e
def test_workers_change_nothing(tmp_path: Path) -> None:
    alone, together = run(tmp_path / "a", count=12), run(tmp_path / "b", count=12, workers=2)
    for name in ("pages.parquet", "labels.jsonl"):
        assert (alone / name).read_bytes() == (together / name).read_bytes()


def test_another_crawl_is_not_mixed_in(tmp_path: Path) -> None:
    run(tmp_path / "a", count=1)
    with pytest.raises(BadInput, match="has seed 0, not 1"):
        run(tmp_path / "a", count=1, seed=1)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "photo.jpg").touch()
    with pytest.raises(BadInput, match="no crawl"):
        run(tmp_path / "b")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"pages": 0}, "pages 0"),
        ({"workers": 0}, "workers 0"),
        ({"seed": -1}, "seed -1"),
        ({"size": 20}, "size 15x20"),
        ({"format": "parket"}, "did you mean 'parquet'"),
    ],
)
def test_impossible_crawls_are_refused(tmp_path: Path, wrong, says: str) -> None:
    with pytest.raises(BadInput, match=f"(?i){says}"):
        run(tmp_path, **wrong)
    assert not any(tmp_path.iterdir())


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a"

    def half() -> None:
        with whole(path) as temporary:
            temporary.write_text("half")
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        half()
    assert not any(tmp_path.iterdir())
