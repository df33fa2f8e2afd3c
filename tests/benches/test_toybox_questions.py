"""What is asked: in the words students learn from, and never what a demonstration shows."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.benches.subjects.questions import (
    CHOICES,
    FIVE,
    MOST_DEMONSTRATIONS,
    SubjectsBench,
    questions,
    questions_of,
)
from tutelage.errors import BadInput
from tutelage.mining.grammar import imagine
from tutelage.toybox.captions import named
from tutelage.toybox.sampling import TRAIN, subject_at
from tutelage.toybox.scene import KINDS, OUTDOORS
from tutelage.triplet import SKILLS

EVERY = SubjectsBench(subjects=24, skills=SKILLS, demonstrations=MOST_DEMONSTRATIONS)


def test_a_question_for_every_skill_toy_by_toy_and_kinds_take_turns() -> None:
    asked = questions(EVERY)
    assert [question.id for question in asked[:7]] == [
        *(f"0000/{skill}" for skill in SKILLS),
        "0001/recontextualisation",
    ]
    assert [question.subject.kind for question in asked[:: len(SKILLS)]] == [*KINDS, *KINDS]
    assert len({question.subject for question in asked}) == 24
    assert not {question.subject for question in asked} & {subject_at(n, split=TRAIN) for n in range(500)}
    assert SubjectsBench().skills == FIVE == SKILLS[:5]


@pytest.mark.parametrize("skill", SKILLS)
def test_prompts_are_worded_as_the_students_are(skill: str) -> None:
    """The grammar that imagines training prompts can say each of them."""
    known = {imagine("@", skill, seed) for seed in range(25_000 if skill == "composition" else 2_000)}
    asked = [question for question in questions(EVERY) if question.skill == skill]
    plain = {question.text.replace(f"{question.subject.kind} toy", "@") for question in asked}
    # "an" goes with the kind, and @ stands for it
    assert {text.replace("an @", "a @") for text in plain} <= known
    assert len(plain) > 12


@pytest.mark.parametrize(("skill", "names"), [(skill, n) for skill, n in zip(FIVE, (2, 3, 3, 3, 3), strict=True)])
def test_a_prompt_names_kind_place_and_the_one_thing(skill: str, names: int) -> None:
    for question in questions(EVERY):
        if question.skill == skill:
            said = named(question.target, "short")
            weather = "environment" in said and skill == "recontextualisation"
            assert len(said) == names + weather, question.text


@settings(max_examples=60, deadline=None)
@given(number=st.integers(0, 10_000), seed=st.integers(0, 2**40))
def test_no_demonstration_shows_what_is_asked_for(number: int, seed: int) -> None:
    asked = questions_of(number, replace(EVERY, seed=seed))
    shown = asked[0].demonstrations
    assert all(question.demonstrations == shown for question in asked)
    assert len({scene.place for scene in shown}) == len(shown) == MOST_DEMONSTRATIONS
    assert len({scene.view for scene in shown[:4]}) == 4
    assert all(scene.environment == "day" or scene.place in OUTDOORS for scene in shown)
    for question in asked:
        assert question.target.subject == shown[0].subject
        assert question.target.place not in {scene.place for scene in shown}
        for name, choices in CHOICES.items():
            value = getattr(question.target, name)
            assert value not in choices or value not in {getattr(scene, name) for scene in shown}, question.id


def test_a_composition_asks_for_two_of_the_things_asked_for_one_by_one() -> None:
    for number in range(200):
        *single, both = questions_of(number, EVERY)
        said = named(both.target, "short")
        other = {item for question in single for item in named(question.target, "short").items()}
        two = {(name, value) for name, value in said.items() if name not in ("kind", "scene")}
        assert len(two) == 2, both.text
        assert two <= other


def test_questions_do_not_depend_on_how_many_there_are() -> None:
    few = questions(SubjectsBench(subjects=2, skills=("view",), demonstrations=2))
    many = {question.id: question for question in questions(EVERY)}
    assert [question.target for question in few] == [many[question.id].target for question in few]
    assert [question.demonstrations for question in few] == [many[q.id].demonstrations[:2] for q in few]
    assert questions(replace(EVERY, seed=1))[0].target != many["0000/recontextualisation"].target


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"subjects": 0}, "subjects of the toybox bench is 0"),
        ({"demonstrations": 6}, "give 1 to 5"),
        ({"demonstrations": 0}, "give at least 1"),
        ({"candidates": 1}, "candidates of the toybox bench is 1"),
        ({"renders": 3}, "give at least 4"),
        ({"seed": -1}, "seed of the toybox bench is -1"),
        ({"skills": ("veiw",)}, "Did you mean 'view'"),
        ({"skills": ()}, "name at least one"),
        ({"skills": ("view", "view")}, "none twice"),
    ],
)
def test_wrong_settings_are_told(changes: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        SubjectsBench(**changes)
