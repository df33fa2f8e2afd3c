"""Raters: what they are asked, what they may answer, and the figures of both benches that have them."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from made_dreambench import write_dreambench, write_plus
from tutelage.benches.dreambench.compositions import compositional
from tutelage.benches.dreambench.figures import Found, Frame
from tutelage.benches.dreambench.items import Collection, items
from tutelage.benches.dreambench.look import looks
from tutelage.benches.dreambench.marks import Marks, mark_rows, rated
from tutelage.benches.dreambench.measures import Comparing, photos_of
from tutelage.benches.dreambench.photographs import read_dreambench
from tutelage.benches.dreambench.plus import read_plus
from tutelage.benches.dreambench.rated import Rated
from tutelage.benches.dreambench.rating import Answer, Asked, Called, Rating
from tutelage.benches.dreambench.rubrics import CONCEPT, PROMPT, STYLE
from tutelage.benches.dreambench.scales import ratings, scale_rows
from tutelage.errors import BadInput

PICTURE = Image.new("RGB", (8, 8))


@pytest.fixture
def plus(tmp_path: Path) -> Collection:
    return read_plus(write_plus(tmp_path / "plus"))


@pytest.fixture
def compositions(tmp_path: Path) -> Collection:
    return compositional(read_dreambench(write_dreambench(tmp_path / "dreambench")))


def frame_of(collection: Collection) -> Frame:
    return Frame(collection=collection, asked=items(collection, 1), samples=1, fed="all", seed=0)


def found_by(frame: Frame, measures: Sequence[Rating]) -> Found:
    told = {one.name: one.measure(frame.asked, [PICTURE] * len(frame.asked)) for one in measures}
    ids = [item.id for item in frame.asked]
    return Found(name="student", told={name: dict(zip(ids, each, strict=True)) for name, each in told.items()})


def test_a_rater_sees_what_the_criterion_says(plus: Collection) -> None:
    seen: list[Asked] = []

    def rate(asked: Asked) -> Answer:
        seen.append(asked)
        return Answer(score=2)

    frame = frame_of(plus)
    found_by(frame, ratings(Called(name="somebody", function=rate), repeats=2))
    assert len(seen) == 2 * 2 * 18
    kitten, style = (next(one for one in seen if one.id.startswith(name)) for name in ("live", "style"))
    assert (kitten.criterion, style.criterion) == (CONCEPT, STYLE)
    assert (len(kitten.photos), kitten.text, kitten.subject) == (1, "", "kitten")
    following = [one for one in seen if one.criterion == PROMPT]
    assert {one.repeat for one in following} == {0, 1}
    assert following[0].text == "a photo of a kitten, number 0"
    assert not following[0].photos


def test_figures_of_the_scales(plus: Collection) -> None:
    """The kitten is kept fully and the style not at all; photos follow the prompt, nothing else does."""

    def rate(asked: Asked) -> Answer:
        if asked.criterion is PROMPT:
            return Answer(score=4 if int(asked.text[-1]) < 4 else 1)
        return Answer(score=4 if asked.subject == "kitten" else 0)

    frame = frame_of(plus)
    rows = {
        row.metric: row for row in scale_rows(frame, found_by(frame, ratings(Called(name="r", function=rate))), "r")
    }
    pf = (4 * 4 + 5 * 1) / 9 / 4
    assert rows["CP"].value == 0.5
    assert rows["PF"].value == pytest.approx(pf)
    assert rows["CP x PF"].value == pytest.approx(0.5 * pf)
    assert (rows["CP: animal"].value, rows["CP: style"].value) == (1, 0)
    assert (rows["PF: photorealistic"].value, rows["PF: imaginative"].value) == (1, 0.25)
    assert rows["CP: agreement of repeats (alpha)"].value == 1
    assert (rows["CP"].n, rows["CP"].missing) == (18, 9)
    assert rows["CP"].protocol == "3 subjects x 9 prompts x 1, rated by r, 3 times"


def test_what_a_rater_does_not_say_is_missing_and_never_made_up(plus: Collection) -> None:
    def rate(asked: Asked) -> Answer:
        if asked.repeat == 1:
            return Answer(score=None, reason="refused")
        return Answer(score=9 if asked.repeat == 2 else 3)

    frame = frame_of(plus)
    found = found_by(frame, ratings(Called(name="r", function=rate)))
    rows = {row.metric: row for row in scale_rows(frame, found, "r")}
    assert rows["CP"].value == rows["PF"].value == 0.75
    assert rows["CP: agreement of repeats (alpha)"].value is None
    assert rows["unrated: CP: refused"].missing == 18
    assert rows["unrated: PF: the score 9 is not from 0 to 4"].missing == 18


def test_all_three_marks_or_not_all(compositions: Collection) -> None:
    """Subject and text by level: overall is their AND, of those that have all three."""

    def rate(asked: Asked) -> Answer:
        if asked.criterion.name == "photorealism" and asked.subject == "boot":
            return Answer(score=None, reason="too dark")
        return Answer(score=int(asked.criterion.name != "text" or len(asked.text) % 2))

    frame = frame_of(compositions)
    rows = {row.metric: row for row in mark_rows(frame, found_by(frame, rated(Called(name="r", function=rate))), "r")}
    right = [len(item.prompt.text) % 2 for item in frame.asked]
    assert rows["subject"].value == 1
    assert rows["text"].value == pytest.approx(np.mean(right))
    kept = [mark for item, mark in zip(frame.asked, right, strict=True) if item.subject.kind != "boot"]
    assert rows["overall"].value == pytest.approx(np.mean(kept))
    assert rows["overall"].n == len(kept)
    level = [mark for item, mark in zip(frame.asked, right, strict=True) if item.prompt.group == "level 2"]
    assert rows["text: level 2"].value == pytest.approx(np.mean(level))
    assert rows["text"].protocol.endswith("judged by r")


def test_another_rater_rubric_or_repeat_is_asked_anew(plus: Collection) -> None:
    item = items(plus, 1)[0]
    one, other = (Called(name=name, function=lambda _: Answer(score=1)) for name in ("one", "other"))
    keys = {
        Rating(rater=rater, criterion=criterion, repeat=repeat).key(item)
        for rater in (one, other)
        for criterion in (CONCEPT, PROMPT)
        for repeat in (0, 1)
    }
    assert len(keys) == 8


def test_networks_mark_what_they_can_tell(compositions: Collection, tiny_vit: Path, tiny_clip: Path) -> None:
    """A photo of the subject is the subject and a photo; plain colour is no photo."""
    dino, clip = (Comparing(look) for look in looks(tiny_vit, tiny_clip, device="cpu"))
    marks = Marks(collection=compositions, dino=dino, clip=clip)
    asked = items(compositions, 1)
    by_subject = {item.subject.name: item for item in asked}
    for item in by_subject.values():
        [told] = marks.measure([item], photos_of(item.subject)[:1])
        assert told["photorealism"] == 1
        means = {
            one.name: float((dino.photos(one) @ dino.photos(item.subject)[0]).mean()) for one in compositions.subjects
        }
        assert told["subject"] == (max(means, key=lambda name: means[name]) == item.subject.name)
    noise = Image.fromarray(np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8))
    texts = {
        prompt.text: float(clip.text(prompt.text) @ clip.look.pictures([noise])[0])
        for prompt in compositions.prompts["cat2"]
    }
    cats = [item for item in asked if item.subject.name == "cat2"]
    best = max((item for item in cats if item.prompt.group == "level 1"), key=lambda item: texts[item.prompt.text])
    told = {item.id: marks.measure([item], [noise])[0]["text"] for item in cats}
    assert told[best.id] == 1
    assert sum(told[item.id] for item in cats if item.prompt.group == "level 1") == 1


def test_too_little_to_compare_with_is_told(tmp_path: Path, tiny_vit: Path, tiny_clip: Path) -> None:
    dino, clip = (Comparing(look) for look in looks(tiny_vit, tiny_clip, device="cpu"))
    few = compositional(read_dreambench(write_dreambench(tmp_path / "few", photos=1)))
    with pytest.raises(BadInput, match="3 photos are too few"):
        Marks(collection=few, dino=dino, clip=clip)


def test_scores_from_a_file(tmp_path: Path, plus: Collection) -> None:
    path, asked = tmp_path / "scores.jsonl", items(plus, 1)
    rows = [{"id": asked[0].id, "criterion": "prompt following", "score": 3}]
    rows += [{"id": asked[1].id, "criterion": "prompt following", "repeat": 1, "score": None, "reason": "blank"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    rater = Rated.read(path)
    told = [Rating(rater=rater, criterion=PROMPT, repeat=n).measure(asked[:2], [PICTURE] * 2) for n in (0, 1)]
    assert told[0] == [{"score": 3, "reason": ""}, {"score": None, "reason": "not rated"}]
    assert told[1] == [{"score": None, "reason": "not rated"}, {"score": None, "reason": "blank"}]
    path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
    with pytest.raises(BadInput, match=r"line 3: .* has a score for prompt following already"):
        Rated.read(path)
    path.write_text('{"id": 3}\n', encoding="utf-8")
    with pytest.raises(BadInput, match="line 1: no score"):
        Rated.read(path)
