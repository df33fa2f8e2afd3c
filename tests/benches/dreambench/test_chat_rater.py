"""A multimodal model as a rater, against a server whose model reads the right score off the picture."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tutelage.benches.dreambench.chat_rater import SIDE, ChatRater
from tutelage.benches.dreambench.rating import Asked, Criterion
from tutelage.benches.dreambench.rubrics import CONCEPT, CRITERIA, PROMPT, SUBJECT
from tutelage.chat.endpoint import Endpoint
from tutelage.chat.fake_server import FakeServer, Faults, parts_of
from tutelage.chat.settings import Budget, Manners
from tutelage.errors import BadInput
from tutelage.viescore import pretend

FORM = re.compile(r'from 0 to (\d+) for N: .*"(\w+)": N')
QUICK = Manners(timeout=0.5, pause=0.01, attempts=2)
MISBEHAVES = Faults(refuse=0.3, stall=0.1, bad_json=0.2)


def shown(body: Any) -> list[Image.Image]:
    urls = [part["image_url"]["url"] for part in parts_of(body["messages"][-1]) if "image_url" in part]
    return [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


def words(body: Any) -> str:
    return str(parts_of(body["messages"][-1])[-1]["text"])


def say(body: Any) -> str:
    """The red of the last picture is the score."""
    (_, name), red = FORM.findall(words(body))[-1], shown(body)[-1].getpixel((0, 0))[0]
    return json.dumps({"reasoning": "it is red", "scores": {name: red}})


def ask(number: int, score: int, criterion: Criterion = CONCEPT, repeat: int = 0) -> Asked:
    photos = [Image.new("RGB", (900, 300), "blue")] * 2 if criterion.sees_photos else []
    picture = Image.new("RGB", (8, 8), (score, number, repeat))
    text = 'say "4"' if criterion.sees_text else ""
    told = {"criterion": criterion, "photos": photos, "picture": picture, "text": text, "repeat": repeat}
    return Asked(id=f"cat/{number:02d}-0", subject="cat", **told)


def rater(server: FakeServer, cache: Path | None = None, manners: Manners = QUICK, **told: Any) -> ChatRater:
    model = Endpoint.at(f"{server.url}#fake", cache, manners, insist=False)
    return ChatRater(model=model, **told)


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.name)
def test_the_model_sees_what_the_criterion_lets_it_see(criterion: Criterion) -> None:
    with FakeServer(say) as server:
        [answer] = rater(server).rate([ask(0, 1, criterion)])
    body = server.log[0].body
    assert (answer.score, answer.reason) == (1, "it is red")
    assert [picture.size for picture in shown(body)[:-1]] == [(SIDE, 171)] * (2 if criterion.sees_photos else 0)
    assert criterion.rubric in words(body)
    assert ('The text: "say \\"4\\""' in words(body)) == criterion.sees_text
    assert f"from 0 to {criterion.most} for N" in words(body)


def test_repeats_and_tries_are_requests_of_their_own() -> None:
    with FakeServer(say, lambda *_: "prose") as server:
        answers = list(rater(server, temperature=1.0).rate([ask(0, 2, repeat=repeat) for repeat in range(2)]))
    assert [(one.score, one.reason) for one in answers] == [(None, "unreadable")] * 2
    assert sorted(one.body["seed"] for one in server.log) == list(range(6))
    with FakeServer(say, lambda *_: "refuse") as server:
        assert [one.reason for one in rater(server).rate([ask(0, 2)])] == ["refused"]
    assert [one.body.get("temperature") for one in server.log] == [0, 0.7, 0.7]


def test_a_score_off_the_scale_is_no_score() -> None:
    with FakeServer(say) as server:
        asked = [ask(0, 5), ask(1, 2, SUBJECT), ask(2, 11), ask(3, 4)]
        answers = list(rater(server).rate(asked))
    assert [one.score for one in answers] == [None, None, None, 4]
    assert [one.reason for one in answers[:3]] == ["the score is above 4", "the score is above 1", "unreadable"]


def test_no_score_is_made_up_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    asked = [ask(number, number % 5, (CONCEPT, PROMPT)[number % 2]) for number in range(40)]
    with FakeServer(say, MISBEHAVES) as server:
        answers = list(rater(server, tmp_path).rate(asked))
        sent = len(server.log)
        again = list(rater(server, tmp_path).rate(asked))
        assert len(server.log) == sent
    assert again == answers
    rated = [(one.score, number % 5) for number, one in enumerate(answers) if one.score is not None]
    assert all(score == right for score, right in rated)
    assert 0 < len(rated) < len(asked)
    assert {one.reason for one in answers if one.score is None} <= {"refused", "stalled", "unreadable"}
    assert sent <= 3 * len(asked)


def test_what_was_not_asked_for_want_of_money_is_told_and_goes_on_later(tmp_path: Path) -> None:
    asked = [ask(number, number % 5) for number in range(12)]
    with FakeServer(say) as server:
        with pytest.raises(BadInput, match=r"fake did not rate cat/.*: the budget is spent.*then run again to resume"):
            list(rater(server, tmp_path, Manners(budget=Budget(requests=5))).rate(asked))
        assert len(server.log) == 5
        answers = list(rater(server, tmp_path).rate(asked))
        assert len(server.log) == 12
    assert [one.score for one in answers] == [number % 5 for number in range(12)]


def test_the_pretended_judge_keeps_to_the_scale() -> None:
    asked = [ask(number, 0, criterion) for number in range(8) for criterion in (SUBJECT, CONCEPT)]
    with FakeServer(pretend.say) as server:
        answers = list(rater(server).rate(asked))
    assert all(one.score is not None for one in answers)
    assert {one.score for one in answers[::2]} == {0, 1}


def test_who_rated_names_the_model_and_how_it_was_asked() -> None:
    with FakeServer(say) as server:
        names = {rater(server).name, rater(server, temperature=1.0).name, rater(server, tries=1).name}
        assert len(names) == 3
        assert all(re.fullmatch(r"fake \(prompt [0-9a-f]{8}\)", name) for name in names)
        assert rater(server).name in names
