"""A reply is scores as they were given, or it is unreadable: never anything between."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tutelage.viescore.reply import LONGEST_REPLY, objects, read

NAMES = ("edit_success", "over_editing")
GOOD = '{"reasoning": "a hat, as asked", "scores": {"edit_success": 7, "over_editing": 10}}'
RIGHT = {"edit_success": 7, "over_editing": 10}
values = st.recursive(
    st.none() | st.booleans() | st.integers(-20, 20) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "x"]), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "reply",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Let me see {{ }} and {{'a': 1}}. {GOOD} That is all.",
        f'<think>{{"scores": {{"edit_success": 1, "over_editing": 1}}}}</think>{GOOD}',
        '{"scores": [7, 10], "reasoning": "a hat, as asked"}',
        '{"score": ["7", 10.0], "reasoning": "a hat, as asked"}',
        '{"scores": {"over_editing": 10, "edit_success": 7, "mood": 3}, "reasoning": "a hat, as asked"}',
    ],
)
def test_scores_are_found_where_models_put_them(reply: str) -> None:
    found = read(reply, NAMES)
    assert (found.scores, found.reasoning, found.fault) == (RIGHT, "a hat, as asked", "")


def test_one_score_may_stand_alone() -> None:
    assert read('{"scores": 8}', ("prompt",)).scores == {"prompt": 8}
    assert read('{"scores": 8}', NAMES).fault


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("", "no JSON object"),
        ("I would say 8 out of 10.", "no JSON object with scores in the reply 'I would say 8 out of 10.'"),
        (GOOD[:-2], "no JSON object"),
        (GOOD.replace('"', "'"), "no JSON object"),
        ('{"edit_success": 7, "over_editing": 10}', "no JSON object"),
        ('{"scores": [7]}', "not one for each"),
        ('{"scores": [7, 8, 9]}', "not one for each"),
        ('{"scores": null}', "not one for each"),
        ('{"scores": {"edit_success": 7}}', "'over_editing' is missing"),
        ('{"scores": [7, 11]}', "'over_editing' is 11, not a whole number from 0 to 10"),
        ('{"scores": [-1, 7]}', "'edit_success' is -1"),
        ('{"scores": [7.5, 7]}', "'edit_success' is 7.5"),
        ('{"scores": [true, 7]}', "'edit_success' is true"),
        ('{"scores": ["8/10", 7]}', "'edit_success' is \"8/10\""),
        ('{"scores": ["seven", 7]}', "'edit_success' is"),
        ('{"scores": [NaN, 7]}', "no JSON object"),
        ('{"scores": [7, 7], "score": [8, 8]}', "scores twice"),
        ('{"scores": [7, 7], "scores": [8, 8]}', "scores twice"),
        ('{"scores": {"edit_success": 7, "edit_success": 8, "over_editing": 1}}', "not one for each"),
        (f"{GOOD} No: " + '{"scores": {"edit_success": 7}}', "'over_editing' is missing"),
        ('{"scores": [' + "9" * 5000 + ", 7]}", "no JSON object"),
        ("[" * 50_000 + GOOD[:-1], "no JSON object"),
        (GOOD + " " * LONGEST_REPLY, "longer than"),
    ],
)
def test_nothing_is_rounded_clipped_or_guessed(reply: str, says: str) -> None:
    found = read(reply, NAMES)
    assert found.scores == {}
    assert says in found.fault


@given(st.text())
@example("{" * 3000)
@example('{"scores":' * 3000)
def test_any_text_is_read_without_a_score_made_up(text: str) -> None:
    found = read(text, NAMES)
    assert bool(found.fault) != bool(found.scores)
    assert set(found.scores) <= set(NAMES)


@given(values, st.text(max_size=10))
def test_any_json_gives_what_it_says_or_nothing(given_scores, around: str) -> None:
    """An independent account of what counts as a score."""

    def whole(value) -> bool:
        digits = isinstance(value, str) and value.strip().isascii() and value.strip().isdigit()
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return (number and value in range(11)) or (digits and int(value) in range(11) and len(value.strip()) < 3)

    listed = given_scores
    if isinstance(given_scores, dict):
        listed = [given_scores.get(name) for name in NAMES]
    found = read(around.replace("{", "") + json.dumps({"scores": given_scores}) + around.replace("{", ""), NAMES)
    if isinstance(listed, list) and len(listed) == 2 and all(map(whole, listed)):
        assert found.scores == {name: int(value) for name, value in zip(NAMES, listed, strict=True)}
    else:
        assert found.scores == {}
        assert found.fault


@given(st.lists(st.integers(0, 10), min_size=2, max_size=2), st.text(), st.text())
def test_what_is_said_well_is_read(scores: list[int], reasoning: str, before: str) -> None:
    said = json.dumps({"reasoning": reasoning, "scores": dict(zip(NAMES, scores, strict=True))})
    found = read(before.replace("{", "(") + said, NAMES)
    assert (found.reasoning, list(found.scores.values())) == (reasoning, scores)


def test_objects_are_outermost() -> None:
    assert list(objects('x {"a": {"b": 1}} y {"c": 2} {')) == [{"a": {"b": 1}}, {"c": 2}]
