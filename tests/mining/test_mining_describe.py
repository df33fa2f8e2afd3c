"""Names of subjects: by consensus of what captions and alt texts say, or by a model."""

import json

import pytest

from tutelage.mining.describe import LONGEST, answer, by_rule, describe, request, retitled, tidy
from tutelage.mining.words import PASSING
from tutelage.toybox.captions import vocabulary
from tutelage.toybox.scene import EXPRESSIONS

TOYS = frozenset(vocabulary())


class Says:
    """A language model that always says the same and remembers what it was asked."""

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, []

    def reply(self, requests):
        self.asked += requests
        return [self.text for _ in requests]


def test_what_most_pictures_are_called_is_the_name() -> None:
    pairs = [
        ("", "a smiling bear toy wearing a crown in the snow"),
        ("IMG_1.jpg", "a bear toy under the sea, back view"),
        ("handmade red bear, ships worldwide", "a sad dog toy on the beach"),
    ]
    assert by_rule(pairs) == "bear toy"
    assert by_rule(pairs[2:]) == "red bear dog toy"  # one picture is all there is to go by


def test_alt_texts_and_captions_vote_together() -> None:
    wrong = [("a cat toy", "a dinosaur toy"), ("", "a dinosaur toy")]
    assert by_rule([("a cat toy", "a cat toy")] * 2 + wrong) == "cat toy"


def test_moods_name_nobody() -> None:
    assert by_rule([("", "a smiling bear toy"), ("happy bear", "a smiling bear toy")]) == "bear toy"
    assert set(EXPRESSIONS) <= PASSING


def test_alt_texts_add_what_they_agree_on() -> None:
    alts = ("Hey Duggee plush, £9.99", "Official Hey Duggee plush SKU 12", "Hey Duggee, free shipping")
    pairs = [(alt, "a toy on the table") for alt in alts]
    assert by_rule(pairs) == "Hey Duggee plush toy"


def test_a_closed_vocabulary_keeps_brands_out() -> None:
    pairs = [(f"Official BrandX™ Bear SKU {n} buy now", "a bear toy in a room") for n in range(4)]
    assert by_rule(pairs) == "BrandX bear toy"
    assert by_rule(pairs, TOYS) == "bear toy"


def test_where_captions_disagree_their_commonest_last_word_is_left() -> None:
    assert by_rule([("", "a red cup"), ("", "a blue cup"), ("", "one plate"), ("", "a bowl")]) == "cup"
    assert by_rule([("", ""), ("", "in a room")]) == ""


def test_a_name_is_short() -> None:
    alt = " ".join(f"word{chr(97 + n)}" for n in range(20))
    assert len(by_rule([(alt, "a bear toy")] * 3).split()) == LONGEST


@pytest.mark.parametrize(
    ("caption", "subject", "said"),
    [
        ("a sad dog toy in the snow", "bear toy", "a sad bear toy in the snow"),
        ("a dog toy in the snow", "elephant toy", "an elephant toy in the snow"),
        ("pixel art of an elephant toy in space", "bear toy", "pixel art of a bear toy in space"),
        ("a toy on the table", "Hey Duggee toy", "a Hey Duggee toy on the table"),
        ("a sad bear toy in the snow", "bear toy", "a sad bear toy in the snow"),
        ("in a room", "can", "can, in a room"),
        ("", "can", "can"),
    ],
)
def test_captions_name_the_subject(caption: str, subject: str, said: str) -> None:
    assert retitled(caption, subject) == said


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Hey Duggee plush toy", "Hey Duggee plush toy"),
        ('"A red can."\nBecause both say so.', "red can"),
        ("the **bear**", "**bear"),
        ("I am sorry, but I cannot say what these pictures show without more", ""),
        ("", ""),
        ("a", ""),
    ],
)
def test_answers_are_tidied_or_refused(told: str, name: str) -> None:
    assert tidy(told) == name


def test_a_model_sees_every_alt_text_and_caption() -> None:
    model = Says("A red can.")
    assert describe([[("alt one", "caption one"), ("", "caption two")]], model, seed=3) == ["red can"]
    asked = model.asked[0]
    assert (asked.seed, asked.temperature) == (3, 0.0)
    task = json.loads(asked.messages[-1].text)
    assert task["pictures"] == [{"alt": "alt one", "caption": "caption one"}, {"alt": "", "caption": "caption two"}]


def test_the_built_in_model_reads_the_same_request() -> None:
    task = json.loads(request([("", "a bear toy in a room")] * 3, 0).messages[-1].text)
    assert answer(task, TOYS) == "bear toy"
