from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tutelage.corpus.writer import Committer
from tutelage.diffusion.features import picture_features
from tutelage.diffusion.load import weights_hash
from tutelage.errors import BadInput
from tutelage.judges.known import PICTURES, Known
from tutelage.judging import fingerprint
from tutelage.judging.fingerprint import fingerprint_command, write_known


def rows(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.fixture
def corpus(tmp_path: Path, make_triplet: Any) -> Path:
    """Two triplets of one cluster, and one whose target cannot be read."""
    first = make_triplet("a")
    triplets = [first, make_triplet("b", references=first.references, caption="a bear"), make_triplet("c", target=b"?")]
    with Committer(tmp_path / "corpus") as committer:
        committer.append(triplets)
    return tmp_path / "corpus"


def test_everything_of_a_corpus_is_known_once(corpus: Path, tmp_path: Path) -> None:
    counts = write_known(corpus, tmp_path / "known")
    assert counts == {"target": 2, "reference": 6, "text": 2, "": 1}
    found = rows(tmp_path / "known")
    assert [row["name"] for row in found if row["kind"] == "target"] == ["a/0/0", "b/0/0"]
    assert [row["text"] for row in found if row["kind"] == "text"] == ["a bear toy on the beach", "a bear"]
    assert {row["name"] for row in found if row["kind"] == "reference"} == {
        f"{key}/{n}" for key in "ac" for n in (0, 1, 2)
    }
    assert all(row["hash"] is not None and row["feature"] is None for row in found if row["kind"] in PICTURES)


def test_it_goes_on_where_it_stopped(
    corpus: Path, tmp_path: Path, tiny_clip: Path, make_triplet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "PART_ROWS", 2)
    features = picture_features(tiny_clip, "cpu")
    write_known(corpus, tmp_path / "whole", features)
    write_known(corpus, tmp_path / "cut", features)
    parts = sorted((tmp_path / "cut").glob("*.parquet"))
    assert len(parts) == 6
    for path in parts[3:]:
        path.unlink()
    assert write_known(corpus, tmp_path / "cut", features)[""] == 1
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")
    assert write_known(corpus, tmp_path / "cut", features) == Counter({"": 1})
    with Committer(corpus) as committer:
        committer.append([make_triplet("d")])
    assert write_known(corpus, tmp_path / "cut", features)["target"] == 1
    assert Known(tmp_path / "cut", ("target",)).row("d/0/0") == 2


def test_folders_and_texts(tmp_path: Path, make_triplet: Any, tiny_clip: Path) -> None:
    (tmp_path / "bench" / "toy").mkdir(parents=True)
    (tmp_path / "bench" / "toy" / "00.png").write_bytes(make_triplet("a").target)
    (tmp_path / "bench" / "notes.txt").write_text("no picture")
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "a toy"}\n\n{"text": "a bear", "caption": "A BEAR."}\n')
    fingerprint_command(tmp_path / "bench", tmp_path / "known", network=str(tiny_clip), device="cpu")
    [row] = rows(tmp_path / "known")
    assert (row["kind"], row["name"]) == ("picture", "toy/00.png")
    feature = picture_features(tiny_clip, "cpu").pictures([_image(make_triplet("a").target)])[0]
    assert row["feature"] == pytest.approx(feature.tolist(), abs=1e-3)
    assert Known(tmp_path / "known", ()).network == weights_hash(tiny_clip)
    write_known(tmp_path / "prompts.jsonl", tmp_path / "texts")
    assert Known(tmp_path / "texts", ("text",)).texts == {"a toy": "prompts.jsonl:1", "a bear": "prompts.jsonl:3"}


def _image(data: bytes) -> Any:
    from tutelage.diffusion.pictures import decode

    return decode(data)


def test_what_it_did_is_printed(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint_command(corpus, tmp_path / "known")
    left_out = "1 pictures cannot be read and were left out"
    assert capsys.readouterr().out.splitlines() == [
        f"6 references, 2 targets, 2 texts: {tmp_path / 'known'}",
        left_out,
    ]
    fingerprint_command(corpus, tmp_path / "known")
    assert capsys.readouterr().out.splitlines() == [f"nothing new: {tmp_path / 'known'}", left_out]


def test_other_networks_and_folders_are_refused(corpus: Path, tmp_path: Path, tiny_clip: Path, tiny_vit: Path) -> None:
    write_known(corpus, tmp_path / "known", picture_features(tiny_clip, "cpu"))
    for network in (None, picture_features(tiny_vit, "cpu")):
        with pytest.raises(BadInput, match="give its own network, or a new folder"):
            write_known(corpus, tmp_path / "known", network)
    with pytest.raises(BadInput, match=r"is not empty and holds no known\.json"):
        write_known(corpus, corpus)
    (tmp_path / "empty").mkdir()
    for source, says in {
        tmp_path / "absent": "is no corpus, no folder of pictures and no file of texts",
        tmp_path / "empty": "holds no pictures",
    }.items():
        with pytest.raises(BadInput, match=says):
            write_known(source, tmp_path / "new")


@pytest.mark.parametrize(
    ("line", "says"), [("{", "line 2: not JSON"), ('{"a": 1}', "line 2: no text"), ("3", "no text")]
)
def test_rows_without_texts_are_named(line: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "prompts.jsonl").write_text(f'{{"text": "a toy"}}\n{line}\n')
    with pytest.raises(BadInput, match=says):
        write_known(tmp_path / "prompts.jsonl", tmp_path / "known")
