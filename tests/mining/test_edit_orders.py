"""Orders for edits: what the grammar knows, what is asked of other models, and what is refused."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.chat.base import Request
from tutelage.errors import BadInput
from tutelage.mining.edit_grammar import answer
from tutelage.mining.edit_orders import PAPER, SYSTEM, Ordering, order_edits, parse, request
from tutelage.mining.imagine import Refusal
from tutelage.mining.toys import Grammar
from tutelage.toybox.captions import caption
from tutelage.toybox.masks import labels_of
from tutelage.toybox.reading_back import scene_of
from tutelage.toybox.sampling import scene_at, subject_at
from tutelage.toybox.scene import OUTDOORS, describe
from tutelage.triplet import EDITS, Assignment, Cluster, Picture, Reference

HATTED = "a red bear toy with a blue head and green limbs wearing a hat in the snow, front view"
EVEN = Ordering(tasks=dict.fromkeys(EDITS, 1.0))


def pictured(said: str, key: str = "a") -> Cluster:
    return Cluster(id=key, subject=said, references=(Reference(picture=Picture(data=b"x"), caption=said),))


scenes = st.builds(
    lambda index, view: scene_at(subject_at(index), index, view), st.integers(0, 10**6), st.integers(0, 9)
)


@given(scenes, st.sampled_from(["full", "short"]))
def test_captions_are_read_back(scene: Any, level: Any) -> None:
    said = caption(scene, level)
    found = scene_of(said)
    assert found is not None
    assert caption(found, level) == said
    if level == "full":
        assert describe(found) == describe(scene)


def test_an_empty_place_is_read_back_and_other_words_are_not() -> None:
    found = scene_of("pixel art of an empty place in the snow at night")
    assert found is not None
    assert (found.subject, found.place, found.environment, found.style) == (None, "snow", "night", "pixel art")
    for said in (
        "",
        "a dog on a sofa",
        "a red bear toy",
        "a red bear toy in the snow, under view",
        "a bear in the snow",
    ):
        assert scene_of(said) is None


@given(scenes, st.sampled_from(EDITS), st.integers(0, 2**31 - 1))
def test_orders_of_the_grammar_pass_and_change_what_they_say(scene: Any, task: str, seed: int) -> None:
    """But for weather indoors."""
    said = caption(scene)
    reply = answer({"caption": said, "edit": task}, seed)
    if task == "environment" and scene.place not in OUTDOORS:
        assert reply == ""
        return
    found = parse(reply, task, said)
    assert not isinstance(found, str), found
    order, instruction = found
    made = scene_of(order.caption)
    assert made is not None
    changed = {name for name, value in describe(made).items() if describe(scene).get(name) != value}
    if task in ("environment", "style", "background"):
        assert changed == {"scene" if task == "background" else task}
    if order.phrase:
        assert labels_of(order.phrase)
    if task == "addition":
        assert instruction.startswith("add ")


@given(scenes, st.sampled_from(EDITS), st.integers(0, 99))
def test_a_short_caption_gets_no_edit_it_cannot_show(scene: Any, task: str, seed: int) -> None:
    reply = answer({"caption": caption(scene, "short"), "edit": task}, seed)
    assert not reply or not isinstance(parse(reply, task, caption(scene, "short")), str)


def test_each_picture_gets_other_tasks_whoever_is_beside_it() -> None:
    clusters = [pictured(HATTED, key) for key in "abcdefgh"]
    made = list(order_edits(clusters, Grammar(), EVEN))
    assert all(isinstance(one, Assignment) for one in made)
    assert Counter(one.id.partition("/")[0] for one in made) == dict.fromkeys("abcdefgh", 2)
    assert len({one.skill for one in made}) > 3
    assert list(order_edits(clusters[3:4], Grammar(), EVEN)) == [one for one in made if one.id.startswith("d/")]
    assert list(order_edits(clusters, Grammar(), EVEN, seed=1)) != made


def test_an_impossible_task_gives_its_turn_away() -> None:
    indoors = pictured("a red bear toy with a blue head and green limbs in a room, left view")
    made = list(order_edits([indoors], Grammar(), replace(EVEN, edits=6)))
    refused = [one for one in made if isinstance(one, Refusal)]
    assert {one.skill for one in refused} <= {"environment"}
    assert len(made) - len(refused) == 6
    [lost] = order_edits([pictured("a dog on a sofa")], Grammar(), replace(EVEN, tasks={"swap": 1.0}))
    assert isinstance(lost, Refusal)
    assert lost.reason == "not possible"


def test_tasks_come_as_often_as_they_weigh() -> None:
    clusters = [pictured(HATTED, str(at)) for at in range(300)]
    how = Ordering(tasks={"swap": 3.0, "style": 1.0}, edits=1, wordings=0)
    counts = Counter(one.skill for one in order_edits(clusters, Grammar(), how))
    assert 0.65 < counts["swap"] / 300 < 0.85


def test_wordings_are_other_ways_to_say_it() -> None:
    [made] = order_edits([pictured(HATTED)], Grammar(), Ordering(tasks={"removal": 1.0}, edits=1))
    assert isinstance(made, Assignment)
    assert made.order is not None
    assert len({made.text, *made.order.wordings}) == 4


class Scripted:
    """A language model that says what it is told to, and remembers what it was asked."""

    def __init__(self, **said: str) -> None:
        self.said, self.asked = said, list[Request]()

    def reply(self, requests: Sequence[Request]) -> list[str]:
        self.asked += requests
        return [self.said[json.loads(one.messages[-1].text)["task"]] for one in requests]


def test_any_model_may_be_asked_and_may_be_shown_the_picture() -> None:
    said = {"phrase": "the dog", "caption": "a sofa", "fill": "a sofa", "instruction": "take the dog away"}
    model = Scripted(
        order=f"Sure: {json.dumps(said)} .", reword="1. remove the dog\n- Take the dog away.\n* no dog, please"
    )
    [made] = order_edits([pictured("a dog on a sofa")], model, Ordering(tasks={"removal": 1}, edits=1, shown=True))
    assert isinstance(made, Assignment)
    assert made.order is not None
    assert made.order.wordings == ("remove the dog", "no dog, please")
    assert model.asked[0].messages[-1].pictures == (b"x",)
    assert all(task in SYSTEM for task in EDITS)
    assert request(pictured("a"), "swap", 0).messages[-1].pictures == ()


@pytest.mark.parametrize(
    ("reply", "task", "says"),
    [
        ("I cannot", "swap", "not possible"),
        ("{}", "swap", "not possible"),
        ('{"phrase": 3}', "swap", "not the fields"),
        ('{"phrase": ]}', "swap", "no JSON"),
        ('{"caption": "b", "instruction": "c"}', "swap", "names nothing to be found"),
        ('{"phrase": "a", "caption": "b", "instruction": "c"}', "style", "a phrase where everything may change"),
        ('{"phrase": "a", "caption": "Before!", "instruction": "c"}', "swap", "nothing changes"),
        (json.dumps({"phrase": "a", "caption": "b " * 61, "instruction": "c"}), "swap", "longer than 60 words"),
    ],
)
def test_what_is_wrong_with_a_reply_is_told(reply: str, task: str, says: str) -> None:
    found = parse(reply, task, "before")
    assert isinstance(found, str)
    assert says in found


def test_the_paper_asks_for_seven_tasks() -> None:
    assert set(PAPER) == set(EDITS)
    assert sum(PAPER.values()) == pytest.approx(5.05)


def test_the_grammar_knows_no_other_task() -> None:
    with pytest.raises(BadInput, match="knows mining's tasks alone"):
        Grammar().reply([replace(request(pictured("a"), "swap", 0), messages=())])
