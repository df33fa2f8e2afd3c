"""What alt texts and captions name, without what shops and cameras add."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.mining.words import address_words, cleaned, names, normalised, noun_phrase
from tutelage.toybox.captions import caption
from tutelage.toybox.sampling import random_scene, random_subject

TEXT = st.text(max_size=60)


@pytest.mark.parametrize(
    ("alt", "left"),
    [
        ("NEW ToyCorp™ Bear 1234 – 20 % off today", "ToyCorp Bear"),
        ("Official BrandX™ Bear SKU 1234 buy now", "BrandX Bear"),
        ("BrandX® Bear #3412 | free shipping", "BrandX Bear"),
        ("Hey Duggee plush toy, £9.99!", "Hey Duggee plush toy"),
        ("handmade red bear, ships worldwide", "red bear"),
        ("see https://shop.example/bear?id=3 for the bear", "see for the bear"),
        ("backpack_dog", "backpack dog"),
        ("IMG_1234.jpg", ""),
        ("DSC-0042", ""),
        ("", ""),
    ],
)
def test_alt_texts_lose_what_is_not_seen(alt: str, left: str) -> None:
    assert cleaned(alt) == left


@pytest.mark.parametrize(
    ("sentence", "phrase"),
    [
        ("a pencil sketch of a sad bear toy wearing a hat on the beach", "sad bear toy"),
        ("there is a dog that is sitting on the grass", "dog"),
        ("A close-up of a red can on a table.", "red can"),
        ("pixel art of an elephant toy in a room", "elephant toy"),
        ("a glass of beer on a table", "glass"),
        ("wearing a hat", ""),
        ("", ""),
    ],
)
def test_the_noun_phrase_is_what_a_sentence_is_about(sentence: str, phrase: str) -> None:
    assert " ".join(noun_phrase(sentence)) == phrase


@given(st.integers(0, 2**31))
def test_of_a_toy_caption_the_kind_and_what_describes_it_are_left(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = random_scene(rng, random_subject(rng))
    phrase = noun_phrase(caption(scene, "short"))
    assert phrase[-2:] == [scene.subject.kind, "toy"]
    assert len(phrase) <= 3


@given(TEXT)
def test_any_text_can_be_read(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
    assert all(word in text for word in noun_phrase(text))
    assert cleaned(cleaned(text)) == cleaned(text)


def test_a_subject_is_named_by_its_words_in_a_row() -> None:
    assert names("A Bear-Toy, in the snow", "bear toy")
    assert not names("a toy bear", "bear toy")
    assert not names("a bear toyshop", "bear toy")
    assert not names("anything", "")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://toys.example/shop/red-teddy_bear2.html?size=3#top", "red teddy bear"),
        ("photos/backpack_dog/", "backpack dog"),
        ("dreambench/cat2", "cat"),
        ("https://toys.example/4711/", ""),
        ("", ""),
    ],
)
def test_words_of_an_address(address: str, words: str) -> None:
    assert address_words(address) == words
