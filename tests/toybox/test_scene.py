"""Scenes as data: colour names, what can be seen, nobody there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.toybox.scene import (
    ATTRIBUTES,
    COLOUR_JITTER,
    COLOURS,
    FACE_VIEWS,
    VIEWS,
    Colour,
    Scene,
    Subject,
    colour_name,
    describe,
)

TOY = Subject(kind="bear", body=COLOURS["red"], head=COLOURS["blue"], accent=COLOURS["green"])
JITTER = st.tuples(*[st.floats(-COLOUR_JITTER, COLOUR_JITTER)] * 3)


@given(st.sampled_from(sorted(COLOURS)), JITTER)
def test_a_colours_name_survives_jitter(name: str, jitter: Colour) -> None:
    red, green, blue = (min(max(c + j, 0.0), 1.0) for c, j in zip(COLOURS[name], jitter, strict=True))
    assert colour_name((red, green, blue)) == name


@pytest.mark.parametrize("view", VIEWS)
def test_the_expression_is_described_only_where_the_face_shows(view) -> None:
    assert ("expression" in describe(Scene(subject=TOY, view=view))) == (view in FACE_VIEWS)


def test_every_described_value_is_one_of_its_attribute() -> None:
    described = describe(Scene(subject=TOY))
    assert set(described) == set(ATTRIBUTES)
    assert all(value in ATTRIBUTES[attribute] for attribute, value in described.items())


def test_a_scene_without_its_subject_describes_the_place_alone() -> None:
    scene = replace(Scene(subject=TOY), accessory="hat", place="sea", expression="sad")
    assert describe(scene.without_subject()) == {"scene": "sea", "environment": "day", "style": "photo"}


def test_scenes_are_their_own_key() -> None:
    assert len({Scene(subject=TOY), Scene(subject=replace(TOY)), Scene(subject=TOY, layout=1)}) == 2
