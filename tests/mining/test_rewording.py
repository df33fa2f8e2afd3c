"""One instruction in several ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.mining.rewording import FAMILIES, answer, wordings
from tutelage.toybox.edits import TASKS, possible_tasks, random_edit
from tutelage.toybox.sampling import scene_at, subject_at


@given(st.integers(0, 10**6), st.sampled_from(TASKS))
def test_every_instruction_of_the_toybox_has_three_other_wordings(index: int, task: str) -> None:
    scene = scene_at(subject_at(index), index, 0)
    if task not in possible_tasks(scene):
        return
    said = random_edit(task, scene, np.random.default_rng(index)).instruction  # type: ignore[arg-type]
    found = answer({"instruction": said, "count": 3}, index).splitlines()
    assert len({said, *found}) == 4


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ("replace the old car with a horse", "swap the old car for a horse"),
        ("put the bear toy on the beach", "move the bear toy so that it is on the beach"),
        ("put a crown in the picture", "add a crown"),
        ("make its head red", "paint its head red"),
        ("make its body striped", "give it a striped body"),
        ("make the bear toy look sad", "the bear toy should look sad"),
        ("make it night", "let it be dark outside"),
        ("turn it into a cartoon", "redraw it as a cartoon"),
    ],
)
def test_each_family_says_the_same_of_anything(said: str, way: str) -> None:
    assert way in answer({"instruction": said, "count": 9}, 0).splitlines()


def test_what_it_does_not_know_it_leaves() -> None:
    assert answer({"instruction": "open the window a little", "count": 3}, 0) == ""


def test_families_have_no_two_ways_alike() -> None:
    assert all(len(set(ways)) == len(ways) >= 4 for _, ways in FAMILIES)


def test_unusable_lines_are_dropped() -> None:
    reply = "\n1) Remove the hat!\nremove the hat\n\n* No hat.\n" + "word " * 41
    assert wordings(reply, "take off the hat", 3) == ("Remove the hat!", "No hat.")
    assert wordings(reply, "no hat", 1) == ("Remove the hat!",)
