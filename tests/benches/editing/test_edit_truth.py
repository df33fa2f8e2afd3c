"""What is true of a pair: renders of the true edit are right, and what is spoiled is told."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from tutelage.benches.editing.truth import BEST, Examiner, PairMarks, frame, true_edit
from tutelage.errors import BadInput
from tutelage.toybox.edits import TASKS
from tutelage.toybox.masks import Segmenter
from tutelage.toybox.reader import Reader


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return Examiner(Reader.load(device="cpu"), Segmenter.load(device="cpu"))


@pytest.mark.parametrize("task", TASKS)
def test_the_true_pair_is_right_or_has_no_mark_and_doing_nothing_is_wrong(task: str, examiner: Examiner) -> None:
    said, idle = Counter[bool | None](), Counter[bool | None]()
    for number in range(3):
        truth = true_edit(task, number, 128)  # type: ignore[arg-type]
        before, after = truth.picture(truth.edit.before), truth.picture(truth.edit.after)
        marks = examiner.marks(truth, before, after, given=True)
        said[marks.right] += 1
        assert marks.outside in (None, BEST)
        shown = truth.picture(truth.shown)
        idle[examiner.marks(truth, shown, shown, given=True).done] += 1
    assert said[False] == 0
    assert said[True] > 0
    assert idle[True] == 0


def test_what_was_spared_is_measured_where_the_edit_may_touch_nothing(examiner: Examiner) -> None:
    truth = next(one for number in range(99) if not (one := true_edit("removal", number, 64)).toy)
    before = truth.picture(truth.edit.before)
    spoiled = Image.fromarray(np.asarray(before) ^ np.uint8(8))
    assert examiner.marks(truth, before, spoiled, given=True).outside == pytest.approx(20 * np.log10(255 / 8), abs=0.01)
    assert examiner.marks(truth, before, spoiled, given=False).outside is None


def test_a_mark_that_is_missing_makes_no_verdict() -> None:
    told = {"kept": True, "source": True, "outside": None}
    assert [PairMarks(done=done, **told).right for done in (True, False, None)] == [True, False, None]  # type: ignore[arg-type]


def test_edits_follow_their_number_and_have_the_area_of_a_square() -> None:
    assert true_edit("swap", 3, 64) == true_edit("swap", 3, 64)
    assert true_edit("swap", 3, 64).edit != true_edit("swap", 4, 64).edit
    assert frame(128, "1:1") == (128, 128)
    height, width = frame(128, "9:16")
    assert abs(height * width - 128**2) < 128
    assert width / height == pytest.approx(9 / 16, abs=0.01)


def test_what_does_not_exist_is_answered() -> None:
    with pytest.raises(BadInput, match="no task 'swop'"):
        true_edit("swop", 0, 64)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no aspect ratio '5:1'"):
        true_edit("swap", 0, 64, "5:1")
