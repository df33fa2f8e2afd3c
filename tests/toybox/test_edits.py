"""Edits: one change, its words, and nothing outside the mask."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tutelage.errors import BadInput
from tutelage.toybox.edits import TASKS, Edit, edit_mask, possible_tasks, random_edit
from tutelage.toybox.render import render_labels
from tutelage.toybox.sampling import random_scene, random_subject, subject_at
from tutelage.toybox.scene import STYLES, Scene

SIZES = st.sampled_from([48, 64, (48, 72), (80, 48)])


def drawn_edit(task, seed: int, style=None) -> Edit:
    rng = np.random.default_rng(seed)
    scene = random_scene(rng, random_subject(rng) if rng.random() < 0.9 else None)
    scene = scene if style is None else replace(scene, style=style)
    assume(task in possible_tasks(scene))
    return random_edit(task, scene, rng)


@pytest.mark.parametrize("task", TASKS)
@given(seed=st.integers(0, 2**31), style=st.sampled_from(STYLES), size=SIZES)
@settings(max_examples=12, deadline=None)
def test_nothing_changes_outside_the_mask(task, seed: int, style, size) -> None:
    edit = drawn_edit(task, seed, style)
    before, after = (render_labels(scene, size)[0] for scene in (edit.before, edit.after))
    changed = (before != after).any(-1)
    assert not (changed & ~edit_mask(edit, size)).any()
    assert changed.any()


@pytest.mark.parametrize("task", ["environment", "style", "background"])
@given(seed=st.integers(0, 2**31))
@settings(max_examples=8, deadline=None)
def test_structure_stays(task, seed: int) -> None:
    edit = drawn_edit(task, seed)
    assert np.array_equal(*(render_labels(scene, 48)[1] for scene in (edit.before, edit.after)))


@pytest.mark.parametrize("task", TASKS)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_edits_are_sentences_that_change_something(task, seed: int) -> None:
    edit = drawn_edit(task, seed)
    assert edit == drawn_edit(task, seed)
    assert edit.before != edit.after
    assert edit.instruction == edit.instruction.strip() != ""
    assert "glassess" not in edit.instruction
    assert "a glasses" not in edit.instruction


def test_masks_of_parts_are_parts_of_the_frame() -> None:
    scene = Scene(subject=subject_at(0, kind="bear"), place="beach")
    crowned = Edit(task="addition", before=scene, after=replace(scene, accessory="crown"), instruction="add a crown")
    assert 0.01 < edit_mask(crowned, 64).mean() < 0.15
    gone = Edit(task="removal", before=scene, after=scene.without_subject(), instruction="remove the bear toy")
    assert edit_mask(crowned, 64).mean() < edit_mask(gone, 64).mean() < 0.6
    elsewhere = Edit(
        task="background", before=scene, after=replace(scene, place="sea"), instruction="put it in the sea"
    )
    assert 0.6 < edit_mask(elsewhere, 64).mean() < 0.95


@pytest.mark.parametrize(
    ("task", "scene", "says"),
    [
        ("stile", Scene(subject=None), "did you mean 'style'"),
        ("removal", Scene(subject=None), "nobody is there"),
        ("environment", Scene(subject=None, place="sea"), "a sea has no weather"),
    ],
)
def test_impossible_edits_are_refused(task, scene: Scene, says: str) -> None:
    with pytest.raises(BadInput, match=f"(?i){says}"):
        random_edit(task, scene, np.random.default_rng(0))
