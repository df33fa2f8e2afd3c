"""Sets of edits → corpus → the same set, byte for byte."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_triplets import fill
from PIL import Image

from tutelage.corpus.commands import export_command, import_command
from tutelage.corpus.exports.omniedit import omniedit_row
from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.layouts.omniedit import SCHEMA


def picture(seed: int, form: str = "JPEG", size: tuple[int, int] = (9, 16)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def omniedit_set(number: int) -> dict[str, Any]:
    judged = number % 3 > 0
    scores = {"sc_score_1": 9, "sc_score_2": number % 10, "pq_score": 8, "o_score": 8.5 + number / 100}
    words = {"sc_reasoning": f"SC: fine\nPQ: {number}", "pq_reasoning": "natural"}
    told = {**scores, **words} if judged else dict.fromkeys([*scores, *words])
    return {
        "omni_edit_id": f"task_obj_swap_{number}",
        "task": ("swap", "env", "attribute_modification")[number % 3],
        "src_img": {"bytes": picture(number), "path": None},
        "edited_img": {"bytes": picture(100 + number, "PNG"), "path": None},
        "edited_prompt_list": ["make it so", f"wording {number}"][: 1 + number % 2],
        "width": 16,
        "height": 9,
        **told,
    }


def test_omniedit_comes_back_as_it_was(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([omniedit_set(number) for number in range(7)], schema=SCHEMA)
    (tmp_path / "set").mkdir()
    pq.write_table(table.slice(0, 4), tmp_path / "set" / "train-0.parquet")
    pq.write_table(table.slice(4), tmp_path / "set" / "train-1.parquet")
    import_command(tmp_path / "set", tmp_path / "corpus", layout="omniedit")
    export_command(tmp_path / "corpus", tmp_path / "out", format="omniedit")
    assert pq.read_table(tmp_path / "out" / "data").equals(table)


def test_a_set_is_taken_in_once(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([omniedit_set(1)], schema=SCHEMA), tmp_path / "set.parquet")
    for _ in range(2):
        import_command(tmp_path / "set.parquet", tmp_path / "corpus", layout="omniedit")
    corpus = Corpus(tmp_path / "corpus")
    assert len(corpus) == 1
    [made] = corpus.take([0])
    assert (made.text, made.wordings, made.skill) == ("make it so", ("wording 1",), "env")
    assert {said.judge: said.score for said in corpus.verdicts([made.id])[made.id]} == {
        "omniedit": 8.51,
        "omniedit-quality": 8.0,
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mood": "sad"}, "column 'mood' would be lost"),
        ({"edited_prompt_list": []}, "no list of instructions"),
        ({"edited_img": None}, "holds no picture"),
    ],
)
def test_what_would_be_lost_is_refused(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    pq.write_table(pa.Table.from_pylist([omniedit_set(1) | change]), tmp_path / "set.parquet")
    with pytest.raises(BadInput, match=says):
        import_command(tmp_path / "set.parquet", tmp_path / "corpus", layout="omniedit")


def test_a_judge_of_ours_fills_omniedits_columns() -> None:
    parts = [
        {"name": name, "score": score} for name, score in (("SC", 7.0), ("SC.edit", 7.0), ("SC.rest", 9.0), ("PQ", 8.0))
    ]
    said = {"judge": "viescore", "score": 7.48, "parts": parts, "words": "SC: done\nPQ: sharp"}
    row: Any = {"id": "a", "skill": "swap", "text": "do", "wordings": [], "target": picture(1), "verdicts": [said]}
    found = omniedit_row({**row, "references": [{"data": picture(2)}]})
    assert {name: found[name] for name in SCHEMA.names[7:]} == {
        "sc_score_1": 7,
        "sc_score_2": 9,
        "sc_reasoning": "done",
        "pq_score": 8,
        "pq_reasoning": "sharp",
        "o_score": 7.48,
    }


def pairs_set(folder: Path) -> Path:
    for name, seeds in (("0000001", (5, 1234567890123)), ("0000002", (5,))):
        inside = folder / name
        inside.mkdir(parents=True)
        words = {"input": f"a bear {name}", "edit": "give it a hat — ü", "output": "a bear with a hat"}
        (inside / "prompt.json").write_text(json.dumps(words | ({"url": "u"} if name.endswith("2") else {})))
        for seed in seeds:
            (inside / f"{seed}_0.jpg").write_bytes(picture(seed % 1000))
            (inside / f"{seed}_1.jpg").write_bytes(picture(seed % 1000 + 1))
            row = {"seed": str(seed), "p2p_threshold": 0.25, "cfg_scale": 7.1, "clip_sim_0": 0.3, "clip_sim_1": 0.25}
            with (inside / "metadata.jsonl").open("a") as file:
                file.write(json.dumps(row | {"clip_sim_dir": 0.21, "clip_sim_image": 0.9}) + "\n")
    (folder / "seeds.json").write_text(json.dumps([["0000001", ["5", "1234567890123"]], ["0000002", ["5"]]]))
    return folder


def contents(folder: Path) -> dict[str, Any]:
    """Files by name: JSON as what it says, the rest as bytes."""
    found: dict[str, Any] = {}
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        data = path.read_bytes()
        lines = [json.loads(line) for line in data.splitlines()] if path.suffix in (".json", ".jsonl") else None
        found[path.relative_to(folder).as_posix()] = data if lines is None else lines
    return found


def test_instruct_pix2pix_comes_back_as_it_was(tmp_path: Path) -> None:
    given = pairs_set(tmp_path / "set")
    import_command(given, tmp_path / "corpus", layout="instruct-pix2pix")
    export_command(tmp_path / "corpus", tmp_path / "out", format="instruct-pix2pix")
    assert contents(tmp_path / "out") == contents(given)


def test_numbers_of_the_set_are_verdicts(tmp_path: Path) -> None:
    import_command(pairs_set(tmp_path / "set"), tmp_path / "corpus", layout="instruct-pix2pix")
    corpus = Corpus(tmp_path / "corpus")
    said = {one.judge: one for one in corpus.verdicts(["0000001/5"])["0000001/5"]}
    scores = {judge: one.score for judge, one in said.items()}
    assert scores == {"instruct-pix2pix": None, "clip-captions": 0.25, "clip-direction": 0.21, "clip-image": 0.9}
    assert len(corpus.rows()) == 3


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("0000001/prompt.json", '{"input": "a", "edit": "b", "output": "c", "mood": "d"}', "'mood' of prompt.json"),
        ("0000001/metadata.jsonl", '{"seed": "5", "taste": 1}', "line 1: 'taste' would be lost"),
        ("0000001/metadata.jsonl", "5", "line 1: no object with a seed"),
        ("seeds.json", '[["0000001", ["05"]]]', "'05' is no seed"),
        ("seeds.json", "{}", "is no list of"),
    ],
)
def test_a_broken_set_is_answered(tmp_path: Path, file: str, text: str, says: str) -> None:
    folder = pairs_set(tmp_path / "set")
    (folder / file).write_text(text)
    (folder / "0000001" / "05_0.jpg").touch()
    with pytest.raises(BadInput, match=says):
        import_command(folder, tmp_path / "corpus", layout="instruct-pix2pix")


@pytest.mark.parametrize("form", ["omniedit", "instruct-pix2pix"])
def test_a_corpus_of_subjects_is_no_set_of_edits(tmp_path: Path, form: Any) -> None:
    path = fill(tmp_path / "corpus", range(4))
    with pytest.raises(BadInput, match="has 3 references; an edit has one"):
        export_command(path, tmp_path / "out", format=form)
    assert not (tmp_path / "out").exists()
