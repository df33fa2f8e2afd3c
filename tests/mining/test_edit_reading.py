"""Instructions are read back as the edits that they were said of, in whatever words the grammar has for them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.mining import rewording
from tutelage.mining.edit_grammar import phrase_of, told
from tutelage.mining.edit_reading import edit_of
from tutelage.toybox.captions import caption
from tutelage.toybox.edits import TASKS, Edit, possible_tasks, random_edit
from tutelage.toybox.sampling import random_scene, random_subject
from tutelage.toybox.scene import Scene, colour_name, describe


def edit(task: str, seed: int) -> Edit:
    rng = np.random.default_rng([7, seed])
    scenes = (random_scene(rng, random_subject(rng)) for _ in range(200))
    scene = next(one for one in scenes if task in possible_tasks(one))
    return random_edit(task, scene, rng)


def words_of(one: Edit) -> list[str]:
    """The instruction in all ways that the grammar has for it."""
    task = {"instruction": one.instruction, "count": 9}
    return [one.instruction, *rewording.answer(task, 0).splitlines()]


def shown(scene: Scene) -> dict[str, str]:
    """What a scene shows, without what an instruction leaves open."""
    return {name: value for name, value in describe(scene).items() if name not in ("head", "accent", "pattern")}


@given(task=st.sampled_from(TASKS), seed=st.integers(0, 10_000))
def test_an_instruction_is_read_back(task: str, seed: int) -> None:
    wanted = edit(task, seed)
    for said in words_of(wanted):
        found = edit_of(said, wanted.before)
        assert found is not None, said
        assert (found.task, found.instruction) == (task, said)
        assert phrase_of(found) == phrase_of(wanted), said
        if task == "swap":
            assert shown(found.after) == shown(wanted.after), said
        elif task != "addition" or wanted.before.subject is not None:
            assert caption(found.after) == caption(wanted.after), said
        assert json.dumps(told(found))


def test_what_is_taken_away_was_there() -> None:
    bear = edit("attribute", 0).before
    found = edit_of("Remove the crown, please.", bear)
    assert found is not None
    assert (found.task, found.before.accessory, found.after.accessory) == ("removal", "crown", "none")


def test_a_swap_without_a_colour_keeps_the_colours() -> None:
    bear = edit("swap", 3).before
    assert bear.subject is not None
    other = "cat" if bear.subject.kind != "cat" else "dog"
    found = edit_of(f"turn it into a {other}", bear)
    assert found is not None
    assert found.after.subject is not None
    assert (found.task, found.after.subject.kind) == ("swap", other)
    assert colour_name(found.after.subject.head) == colour_name(bear.subject.head)


@pytest.mark.parametrize("said", ["", "hello", "make it better", "remove the tree", "put a house in the picture"])
def test_what_the_toybox_does_not_know_is_no_edit(said: str) -> None:
    assert edit_of(said, edit("swap", 1).before) is None


def test_nobody_can_be_taken_away_or_painted_where_nobody_is() -> None:
    empty = edit("removal", 5).before.without_subject()
    for said in ("remove the bear toy", "swap the bear toy for a red cat toy", "paint its head red"):
        assert edit_of(said, empty) is None
    found = edit_of("add a red bear toy", empty)
    assert found is not None
    assert found.task == "addition"
