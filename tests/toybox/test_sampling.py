"""Subjects and scenes from seeds: item 7 is item 7, and the two worlds of toys never meet."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tutelage.toybox.sampling import HELD_OUT, TRAIN, plain_scene, scene_at, subject_at
from tutelage.toybox.scene import KINDS, OUTDOORS, Scene, colour_name

INDEXES = st.integers(0, 10**9)


def test_training_and_held_out_toys_never_meet() -> None:
    worlds = [{subject_at(index, split=split) for index in range(1500)} for split in (TRAIN, HELD_OUT)]
    assert [len(world) for world in worlds] == [1500, 1500]
    assert not worlds[0] & worlds[1]


@given(INDEXES)
def test_an_item_does_not_depend_on_what_was_drawn_before(index: int) -> None:
    expected = subject_at(index), scene_at(subject_at(index), index, 2)
    np.random.default_rng(0).random(7)
    subject_at(index + 1)
    assert (subject_at(index), scene_at(subject_at(index), index, 2)) == expected


@given(INDEXES, st.sampled_from(KINDS))
def test_forcing_the_kind_changes_nothing_else(index: int, kind) -> None:
    free, forced = subject_at(index), subject_at(index, kind=kind)
    assert forced.kind == kind
    assert {**vars(free), "kind": kind} == vars(forced)


@given(INDEXES)
def test_patterns_show_on_every_body(index: int) -> None:
    subject = subject_at(index)
    assert colour_name(subject.body) != colour_name(subject.accent)


@given(INDEXES)
def test_there_is_weather_outdoors_only(index: int) -> None:
    scene = scene_at(subject_at(index), index, 0)
    assert scene.environment == "day" or scene.place in OUTDOORS


def test_the_catalogue_picture_is_plain() -> None:
    toy = subject_at(3)
    assert plain_scene(toy, 5) == Scene(subject=toy, layout=5)
