"""Sets of edits in their makers' layouts."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tutelage.benches.editing.omniedit import RATIOS, nearest_ratio, read_omniedit
from tutelage.benches.editing.pairs import read_pairs
from tutelage.benches.editing.pie import decode_mask, encode_mask, read_pie
from tutelage.errors import BadInput


def png(size: tuple[int, int] = (6, 4), colour: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (colour, 0, 0)).save(file, "PNG")
    return file.getvalue()


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_masks_survive_run_lengths_and_get_a_border(mask: np.ndarray) -> None:
    found = decode_mask(encode_mask(mask), *mask.shape)
    border = np.ones_like(mask)
    border[1:-1, 1:-1] = False
    np.testing.assert_array_equal(found, mask | border)


def test_runs_go_along_rows_and_end_with_the_picture() -> None:
    mask = decode_mask([7, 2, 28, 99], 6, 6)
    inside = np.zeros((6, 6), np.bool_)
    inside[1, 1:3] = True
    inside[4, 4:] = inside[5] = True
    np.testing.assert_array_equal(mask[1:-1, 1:-1], inside[1:-1, 1:-1])


ENTRY = {
    "image_path": "3_delete_object_80/1_artificial/0001.png",
    "original_prompt": "a [red] bear",
    "editing_prompt": "a bear",
    "editing_instruction": "remove the red",
    "editing_type_id": "3",
    "blended_word": "",
    "mask": [8, 2],
}


def pie(folder: Path, *, inner: str = "annotation_images", **changes) -> Path:
    path = folder / inner / ENTRY["image_path"]
    path.parent.mkdir(parents=True)
    path.write_bytes(png())
    (folder / "mapping_file.json").write_text(json.dumps({"0001": ENTRY | changes}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("inner", ["annotation_images", "."])
def test_pie_bench_is_read(tmp_path: Path, inner: str) -> None:
    [question] = read_pie(pie(tmp_path, inner=inner))
    assert question.id == "3_delete_object_80/1_artificial/0001"
    assert (question.before, question.after, question.groups) == ("a red bear", "a bear", ("3 delete object",))
    assert question.mask is not None
    assert question.mask.shape == (4, 6)
    assert question.mask[1].tolist() == [True, False, True, True, False, True]
    assert read_pie(tmp_path, types=(4,)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mask": [1]}, "pairs of start and length"),
        ({"mask": [1, -1]}, "pairs of start and length"),
        ({"mask": [24, 1]}, "beyond a picture of 6 x 4"),
        ({"editing_type_id": "10"}, "no kind of edit '10'"),
        ({"image_path": "../secret.png"}, "no name of a file"),
        ({"image_path": "absent.png"}, "cannot be read"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(tmp_path: Path, changes: dict, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_pie(pie(tmp_path, **changes))
    assert says in str(caught.value)


def omniedit(path: Path, **changes) -> Path:
    row = {
        "omni_edit_id": "task_obj_1",
        "task": "env swap",
        "src_img": {"bytes": png((32, 18)), "path": None},
        "edited_prompt_list": [f"wording {n}" for n in range(5)],
    }
    pq.write_table(pa.Table.from_pylist([row | {"omni_edit_id": f"task_obj_{n}"} | changes for n in range(12)]), path)
    return path


def test_omniedit_is_read_and_wordings_follow_the_seed(tmp_path: Path) -> None:
    path = omniedit(tmp_path / "a.parquet")
    questions = read_omniedit(tmp_path, seed=1)
    assert len(questions) == 12
    assert questions[3].id == "env_swap/task_obj_3"
    assert questions[3].groups == ("env swap", "ratio 16:9")
    assert len({question.instruction for question in questions}) > 1
    assert [one.instruction for one in read_omniedit(path, seed=1, items=4)] == [q.instruction for q in questions[:4]]
    assert [one.instruction for one in read_omniedit(path, seed=2)] != [one.instruction for one in questions]


def test_every_ratio_is_nearest_to_itself() -> None:
    assert [nearest_ratio(*map(int, name.split(":"))) for name in RATIOS] == list(RATIOS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"omni_edit_id": "same"}, "two rows have the task and id"),
        ({"omni_edit_id": "../up"}, "no name of a file"),
        ({"edited_prompt_list": []}, "no list of instructions"),
        ({"src_img": None}, "src_img holds no picture"),
    ],
)
def test_what_is_wrong_with_a_row_is_named(tmp_path: Path, changes: dict, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_omniedit(omniedit(tmp_path / "a.parquet", **changes))
    assert says in str(caught.value)


def test_other_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no \.parquet"):
        read_omniedit(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="no column 'omni_edit_id'"):
        read_omniedit(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadInput, match="cannot be read as Parquet"):
        read_omniedit(tmp_path)


def pairs(folder: Path, count: int = 40) -> Path:
    for number in range(count):
        inside = folder / f"{number:07d}"
        inside.mkdir()
        words = {"input": "a bear", "edit": f"edit {number}", "output": "a bunny"}
        (inside / "prompt.json").write_text(json.dumps(words), encoding="utf-8")
        for seed in (1, 2):
            for which in (0, 1):
                (inside / f"{seed}_{which}.jpg").write_bytes(png(colour=which))
    entries = [[f"{number:07d}", ["1", "2"]] for number in range(count)]
    (folder / "seeds.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


def test_pairs_are_split_by_order_and_chosen_by_seed(tmp_path: Path) -> None:
    pairs(tmp_path)
    parts = {split: {one.id[:7] for one in read_pairs(tmp_path, split)} for split in ("train", "val", "test")}
    assert {split: (min(part), len(part)) for split, part in parts.items()} == {
        "train": ("0000000", 36),
        "val": ("0000036", 2),
        "test": ("0000038", 2),
    }
    one, other = (read_pairs(tmp_path, "train", seed=seed, items=10) for seed in (0, 1))
    assert [q.id for q in read_pairs(tmp_path, "train", seed=0, items=4)] == [q.id for q in one[:4]]
    assert [q.id for q in one] != [q.id for q in other]
    assert {question.id[-1] for question in one} == {"1", "2"}
    assert one[0].truth == png(colour=1)


def test_what_is_wrong_with_pairs_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_pairs(tmp_path)
    (tmp_path / "seeds.json").write_text('[["0000000", []]]')
    with pytest.raises(BadInput, match="no list of"):
        read_pairs(tmp_path)
    (tmp_path / "seeds.json").write_text('[["../x", ["1"]]]')
    with pytest.raises(BadInput, match="no name of a file"):
        read_pairs(tmp_path)
