"""Exports lose nothing, in any format."""

import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any, get_args

import datasets
import pyarrow.parquet as pq
import pytest
import webdataset
from made_triplets import Growing, fill, triplet, verdicts
from PIL import Image

from tutelage.corpus.commands import Format, export_command
from tutelage.corpus.exports import EXPORTS, base, export
from tutelage.corpus.exports.webdataset import ending
from tutelage.corpus.imports import IMPORTS
from tutelage.errors import BadInput
from tutelage.triplet import Triplet

Row = dict[str, Any]

COUNT = 24
KEPT = [number for number in range(COUNT) if number % 2 == 1 and number % 10 != 9]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("corpora") / "corpus", range(COUNT))


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "SHARD_ROWS", 10)
    monkeypatch.setattr("tutelage.corpus.exports.webdataset.SHARD_ROWS", 10)


def wanted(number: int) -> Row:
    """All there is to know about a triplet."""
    made: Triplet = triplet(number)
    names = ("id", "text", "caption", "subject", "skill", "cluster", "target", "mask")
    references = [
        {
            "key": reference.picture.key,
            "caption": reference.caption,
            "url": reference.picture.url,
            "page": reference.picture.page,
            "alt": reference.picture.alt,
            "licence": reference.picture.licence,
            "data": reference.picture.data,
        }
        for reference in made.references
    ]
    told = ("judge", "score", "keep", "reason", "words", "model", "prompt")
    said = [
        {
            **{name: getattr(v, name) for name in told},
            "parts": [{"name": part.name, "score": part.score} for part in v.parts],
        }
        for v in verdicts(number)
    ]
    origin = {"teacher": made.provenance.teacher, "base": made.provenance.base, "seed": made.provenance.seed}
    plain = {name: getattr(made, name) for name in names}
    plain["wordings"] = list(made.wordings)
    return {**plain, **origin, "kept": number in KEPT, "references": references, "verdicts": said}


def from_parquet(out: Path) -> list[Row]:
    assert len(list(out.iterdir())) == 3
    return [row for file in sorted(out.iterdir()) for row in pq.read_table(file).to_pylist()]


def from_webdataset(out: Path) -> list[Row]:
    rows = []
    for sample in webdataset.WebDataset([str(file) for file in sorted(out.iterdir())], shardshuffle=False):
        row = json.loads(sample["json"])
        assert row["text"] == sample["txt"].decode()
        for at, reference in enumerate(row["references"]):
            reference["data"] = sample[f"reference{at}.png"]
        rows.append({**row, "target": sample["target.png"], "mask": sample.get("mask.png", b"")})
    return rows


def from_datasets(out: Path, cache: Path) -> list[Row]:
    loaded = datasets.load_dataset(str(out), split="train", cache_dir=str(cache))
    assert isinstance(loaded[0]["target"], Image.Image)
    assert isinstance(loaded[0]["references"][1]["data"], Image.Image)
    rows = [row for batch in loaded.with_format("arrow").iter(8) for row in batch.to_pylist()]
    for row in rows:
        row["target"] = row["target"]["bytes"]
        for reference in row["references"]:
            reference["data"] = reference["data"]["bytes"]
    return rows


def test_the_command_offers_every_format() -> None:
    assert set(get_args(Format)) == set(EXPORTS)


@pytest.mark.parametrize("form", sorted(set(EXPORTS) - set(IMPORTS)))
def test_nothing_is_lost(path: Path, tmp_path: Path, form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    export_command(path, tmp_path / "out", format=form)
    assert capsys.readouterr().out == f"24 triplets: {tmp_path / 'out'}\n"
    readers = {"parquet": from_parquet, "webdataset": from_webdataset}
    cache = tmp_path / "cache"
    rows = from_datasets(tmp_path / "out", cache) if form == "datasets" else readers[form](tmp_path / "out")
    assert rows == [wanted(number) for number in range(COUNT)]


def test_the_card_tells_licences(path: Path, tmp_path: Path) -> None:
    export_command(path, tmp_path / "out", format="datasets")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "24 triplets" in card
    assert f"{len(KEPT)} of them kept" in card
    assert "* cc-by: in 12 triplets\n* cc0: in 12 triplets" in card


def test_only_what_a_gate_lets_through(path: Path, tmp_path: Path) -> None:
    export_command(path, tmp_path / "out", format="parquet", gate=(("delta_clip", 0.05, 0.12),), rejected=False)
    table = pq.read_table(tmp_path / "out")
    assert table["id"].to_pylist() == [triplet(number).id for number in (5, 6, 7, 8, 10, 11, 12)]
    assert table["kept"].to_pylist() == [True] * 7


def test_an_export_is_whole_or_not_there(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tutelage.corpus.exports.parquet.pq.ParquetWriter", stop)
        with pytest.raises(KeyboardInterrupt):
            export_command(path, tmp_path / "out", format="parquet")
    assert list(tmp_path.iterdir()) == []
    export_command(path, tmp_path / "out", format="parquet")
    with pytest.raises(BadInput, match="not empty"):
        export_command(path, tmp_path / "out", format="parquet")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
    with pytest.raises(BadInput, match="Did you mean 'parquet'"):
        export("parkuet")


def test_what_comes_meanwhile_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path / "corpus", range(4), calls=1)
    count = base.export_corpus(Growing(tmp_path / "corpus"), tmp_path / "out", "parquet")
    found = pq.read_table(tmp_path / "out", columns=["id", "kept"]).to_pylist()
    assert found == [{"id": triplet(at).id, "kept": at % 2 == 1 and at % 10 != 9} for at in range(count)]


def test_where_nothing_can_be_written(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"cannot be made a folder \(Not a directory\)"):
        export_command(path, tmp_path / "file" / "out")
    with pytest.raises(BadInput, match="is not empty"):
        export_command(path, tmp_path / "file")
    with pytest.raises(BadInput, match="no verdicts of a judge 'taste'"):
        export_command(path, tmp_path / "out", gate=(("taste", 0, 1),))
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_without_the_library_one_is_told(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(BadInput, match=r"pip install 'tutelage\[datasets\]'"):
        export_command(path, tmp_path / "out", format="datasets")


def test_archives_do_not_depend_on_the_clock(path: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        export_command(path, tmp_path / name)
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert names == ["00000.tar", "00001.tar", "00002.tar"]
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)
    with tarfile.open(tmp_path / "a" / "00002.tar") as tar:
        assert tar.getnames()[0] == "000000020.target.png"


def test_formats_of_pictures_are_told_by_their_bytes() -> None:
    for form, wanted_ending in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("GIF", "gif"), ("BMP", "bmp")):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, form)
        assert ending(buffer.getvalue()) == wanted_ending
    assert ending(b"") == "bin"
