"""Prompts: of known words, by skill, and none that the cluster has already."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.mining.grammar import Plan, answer
from tutelage.mining.grammar import imagine as prompt
from tutelage.mining.imagine import LONGEST, PROMPTS, TRIES, Refusal, fault, imagine, request, skill_of, tidy
from tutelage.toybox.captions import ACCESSORY_WORDS, ENVIRONMENT_WORDS, STYLE_WORDS, caption, vocabulary
from tutelage.toybox.sampling import random_scene, random_subject
from tutelage.toybox.scene import EXPRESSIONS, FACE_VIEWS, KINDS
from tutelage.triplet import SKILLS, Assignment, Cluster, Picture, Reference

SEEDS = st.integers(0, 2**31 - 1)
SAID = Cluster(
    id="c0",
    subject="bear toy",
    references=(Reference(picture=Picture(data=b"0"), caption="a bear toy in the snow"),),
)


class GrammarModel:
    """The grammar as a language model; the one in `toys` needs networks beside it."""

    def reply(self, requests):
        import json

        return [answer(json.loads(request.messages[-1].text), request.seed) for request in requests]


class Lines:
    """A model that goes through a list of answers."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.asked = list(lines), []

    def reply(self, requests):
        self.asked += requests
        return [self.lines.pop(0) if self.lines else "nothing" for _ in requests]


def clusters(count: int) -> list[Cluster]:
    return [replace(SAID, id=f"c{n}", subject=f"{KINDS[n % len(KINDS)]} toy") for n in range(count)]


def skills_in(text: str) -> set[str]:
    """The skills, but a new place, that the words of a prompt call for."""
    calls = {
        "stylisation": any(words in text for words in STYLE_WORDS.values()),
        "view": " view" in text,
        "attribute": any(f" {mood} " in f" {text} " for mood in EXPRESSIONS if mood != "neutral"),
        "accessory": any(words in text for words in ACCESSORY_WORDS.values()),
    }
    return {skill for skill, called in calls.items() if called}


@given(SEEDS, st.sampled_from(SKILLS), st.sampled_from(KINDS))
def test_the_grammar_stays_inside_the_vocabulary(seed: int, skill: str, kind: str) -> None:
    text = prompt(f"{kind} toy", skill, seed)
    assert set(re.findall(r"\w+|,", text)) <= set(vocabulary())
    assert f"{kind} toy" in text
    assert text == prompt(f"{kind} toy", skill, seed)


@given(SEEDS, st.sampled_from(SKILLS))
def test_a_prompt_asks_for_its_skill_and_no_other(seed: int, skill: str) -> None:
    called = skills_in(prompt("bear toy", skill, seed))
    assert len(called) == 2 if skill == "composition" else called == {skill} - {"recontextualisation"}


@given(SEEDS)
def test_a_face_that_is_asked_for_can_be_seen(seed: int) -> None:
    text = prompt("bear toy", "composition", seed)
    if {"attribute", "view"} == skills_in(text):
        assert text.split(", ")[1].removesuffix(" view") in FACE_VIEWS


@given(SEEDS)
def test_a_plan_reads_like_the_caption_of_its_scene(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = random_scene(rng, random_subject(rng))
    seen = scene.expression != "neutral" and scene.view in FACE_VIEWS
    plan = Plan(
        place=scene.place,
        environment=ENVIRONMENT_WORDS.get(scene.environment, ""),
        style=STYLE_WORDS.get(scene.style, ""),
        view="" if scene.view == "front" else scene.view,
        expression=scene.expression if seen else "",
        accessory=ACCESSORY_WORDS.get(scene.accessory, ""),
    )
    assert plan.sentence(f"{scene.subject.kind} toy") == caption(scene, "short")


def test_every_skill_is_asked_for_equally_often() -> None:
    made = list(imagine(clusters(40), GrammarModel()))
    assert all(isinstance(one, Assignment) for one in made)
    assert Counter(one.skill for one in made) == dict.fromkeys(SKILLS, 40)
    few = Counter(skill_of(f"c{n}", number) for n in range(3000) for number in range(2))
    assert all(abs(count - 1000) < 120 for count in few.values())


def test_prompts_are_new_and_numbered() -> None:
    made = list(imagine(clusters(30), GrammarModel(), prompts=2 * PROMPTS))
    texts = [(one.cluster.id, one.text) for one in made]
    assert len(set(texts)) == len(texts) == 30 * 2 * PROMPTS
    assert not [text for _, text in texts if text == "a bear toy in the snow"]
    assert [one.id for one in made[:3]] == ["c0/00", "c0/01", "c0/02"]


def test_a_cluster_gets_the_same_prompts_in_any_company() -> None:
    together = {one.id: one.text for one in imagine(clusters(12), GrammarModel(), seed=5)}
    for cluster in reversed(clusters(12)):
        assert all(together[one.id] == one.text for one in imagine([cluster], GrammarModel(), seed=5))
    other = {one.id: one.text for one in imagine(clusters(12), GrammarModel(), seed=6)}
    assert sum(other[name] == text for name, text in together.items()) < len(together) / 4


def test_bad_answers_are_asked_for_again_with_another_seed() -> None:
    model = Lines("a dog", "A bear toy, in the SNOW!", "bear toy", "1. \"A bear toy in a tree.\"")  # fmt: skip
    (made,) = imagine([SAID], model, prompts=1)
    assert made.text == "A bear toy in a tree"
    assert len({asked.seed for asked in model.asked}) == len(model.asked) == 4


def test_a_prompt_that_cannot_be_had_is_told() -> None:
    (made,) = imagine([SAID], Lines(), prompts=1)
    assert isinstance(made, Refusal)
    assert (made.id, made.text, made.reason) == ("c0/00", "nothing", "does not name the subject")
    model = Lines()
    list(imagine([SAID], model, prompts=1))
    assert len(model.asked) == TRIES


def test_what_a_cluster_has_is_told_and_not_repeated() -> None:
    model = Lines("a bear toy in a tree", "a bear toy in a tree", "a bear toy in a hut")
    made = list(imagine([SAID], model, prompts=2))
    assert [one.text for one in made] == ["a bear toy in a tree", "a bear toy in a hut"]
    assert "a bear toy in a tree" in model.asked[-1].messages[-1].text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a toy bear in a tree", "name"),
        ("Bear toy.", "nothing but"),
        ("a bear toy in the snow.", "has"),
        ("a bear toy " + "very " * LONGEST + "big", "longer"),
        ("a bear toy in a tree", ""),
    ],
)
def test_what_is_wrong_with_a_prompt(text: str, says: str) -> None:
    reason = fault(text, SAID, ["a bear toy in the snow"])
    assert says in reason if says else not reason


def test_a_request_names_subject_and_skill() -> None:
    asked = request(SAID, "view", ["a"], 7)
    assert '"subject": "bear toy"' in asked.messages[-1].text
    assert all(skill in asked.messages[0].text for skill in SKILLS)
    assert tidy("\n - 'x'\nmore") == "x"
