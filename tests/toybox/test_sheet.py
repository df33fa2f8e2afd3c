"""Contact sheets: everything is where it should be, and nothing is asked twice."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tutelage.errors import BadInput
from tutelage.toybox.sampling import HELD_OUT, subject_at
from tutelage.toybox.sheet import COLUMNS, contact_sheet, grid, row_scenes, sheet_command, words

RED = np.full((20, 30, 3), (255, 0, 0), np.uint8)
TALL = np.full((40, 10, 3), (0, 0, 255), np.uint8)


def test_pictures_of_any_size_stand_in_rows() -> None:
    sheet = np.asarray(grid([[RED, TALL], [TALL]], gap=2))
    assert sheet.shape == (2 + 40 + 2 + 40 + 2, 2 + 30 + 2 + 10 + 2, 3)
    assert (sheet[2:22, 2:32] == RED).all()
    assert (sheet[2:42, 34:44] == TALL).all()
    assert (sheet[44:84, 12:22] == TALL).all()
    assert (sheet[44:84, 34:44] == 255).all()


def test_captions_stand_above_columns_and_below_pictures() -> None:
    above = np.asarray(grid([[RED, RED]], gap=2, captions=["left", "right"]))
    assert (above[2:20, 2:32] < 200).any()
    assert (above[22:42, 2:32] == RED).all()
    below = np.asarray(contact_sheet([RED] * 3, 2, captions=["a", "b", "c"]))
    assert below.shape == (4 + 38 + 4 + 38 + 4, 4 + 30 + 4 + 30 + 4, 3)
    assert (below[24:42, 4:34] < 200).any()
    assert contact_sheet([RED] * 3, 3).size == (4 + 3 * 34, 28)


@pytest.mark.parametrize("text", ["", "hat", "a caption far too long for a strip this wide", "…"])
def test_captions_keep_to_their_width(text: str) -> None:
    strip = words(text, 48)
    assert strip.shape == (18, 48, 3)
    assert (strip < 200).any() == bool(text)


def test_the_sheet_is_a_picture_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "sheet.png"
    sheet_command(out=out, rows=2, size=32)
    first = out.read_bytes()
    sheet_command(out=out, rows=2, size=32)
    assert out.read_bytes() == first
    with Image.open(out) as sheet:
        assert sheet.size == (len(COLUMNS) * 36 + 4, 4 + 18 + 4 + 2 * 36)
    assert "24 pictures" in capsys.readouterr().out


def test_no_picture_of_a_row_is_twice_on_it() -> None:
    for row in range(12):
        scenes = row_scenes(subject_at(row, split=HELD_OUT), row)
        assert len(set(scenes)) == len(scenes)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda out: sheet_command(out=out / "a.png", rows=0), "rows"),
        (lambda out: sheet_command(out=out / "a.png", size=3), "size"),
        (lambda out: sheet_command(out=out / "a.txt"), "endings"),
        (lambda out: sheet_command(out=out, rows=1, size=16), "endings"),
        (lambda out: grid([]), "at least one picture"),
        (lambda out: grid([[RED]], captions=["a", "b"]), "2 captions for 1"),
        (lambda out: contact_sheet([RED], 0), "columns"),
        (lambda out: contact_sheet([RED], 1, captions=[]), "0 captions for 1"),
        (lambda out: contact_sheet([], 1), "at least one picture"),
    ],
)
def test_impossible_sheets_are_refused(tmp_path: Path, call, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        call(tmp_path)
