"""Captions: true, in good English, and made of known words only."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.toybox.captions import caption, named, spoken, varied_caption, vocabulary
from tutelage.toybox.sampling import random_scene, random_subject
from tutelage.toybox.scene import COLOURS, Scene, Subject, describe

SEEDS = st.integers(0, 2**31)
LEVELS = st.sampled_from(["full", "short"])
TOY = Subject(kind="bear", body=COLOURS["red"], head=COLOURS["blue"], accent=COLOURS["green"], pattern="spotted")


def drawn(seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    subject = random_subject(rng)
    return random_scene(rng, subject if rng.random() < 0.9 else None)


@given(SEEDS, LEVELS)
def test_what_is_named_is_what_is_there(seed: int, level) -> None:
    scene = drawn(seed)
    assert named(scene, level).items() <= describe(scene).items()


@given(SEEDS)
def test_a_prompt_can_be_read_back(seed: int) -> None:
    scene = drawn(seed)
    assert spoken(caption(scene, "short")) == named(scene, "short")


def test_what_is_said_first_counts() -> None:
    assert spoken("a dog toy beside a bear toy, at night") == {"kind": "dog", "environment": "night"}
    assert spoken("a teddybear") == {}


@given(SEEDS, LEVELS)
def test_every_word_is_known(seed: int, level) -> None:
    scene = drawn(seed)
    sentences = (caption(scene, level), varied_caption(scene, np.random.default_rng(seed)))
    assert {word for sentence in sentences for word in re.findall(r"\w+|,", sentence)} <= set(vocabulary())


@given(SEEDS, LEVELS)
def test_articles_are_right(seed: int, level) -> None:
    for sentence in (caption(drawn(seed), level), varied_caption(drawn(seed), np.random.default_rng(seed))):
        for article, first in re.findall(r"\b(an?) (\w)", sentence):
            assert (article == "an") == (first in "aeiou"), sentence


@given(SEEDS)
def test_full_captions_name_everything_short_ones_no_colour_of_the_toy(seed: int) -> None:
    scene = drawn(seed)
    assert all(value in caption(scene, "full") for name, value in named(scene).items() if name in ("body", "kind"))
    assert not {"body", "head", "accent", "pattern"} & set(named(scene, "short"))


@pytest.mark.parametrize(
    ("scene", "level", "sentence"),
    [
        (Scene(subject=TOY, place="snow"), "short", "a bear toy in the snow"),
        (Scene(subject=TOY, place="sea", view="back"), "short", "a bear toy under the sea, back view"),
        (
            Scene(subject=TOY, place="city", accessory="crown", environment="night", style="cartoon"),
            "full",
            "a cartoon of a red spotted bear toy with a blue head and green limbs wearing a crown in the city at night,"
            " front view",
        ),
        (Scene(subject=None, place="room"), "full", "an empty place in a room"),
    ],
)
def test_captions_read_like_prompts(scene: Scene, level, sentence: str) -> None:
    assert caption(scene, level) == sentence
