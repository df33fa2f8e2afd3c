"""VIEScore as a judge: verdicts with their parts, words, model and prompt."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tutelage.chat.fake_server import FakeServer, Faults
from tutelage.chat.settings import Budget, Manners
from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.judges.viescore import VieScore
from tutelage.triplet import Part
from tutelage.viescore.items import Item
from tutelage.viescore.pretend import MODEL, say, truth
from tutelage.viescore.rubric import Wording

QUICK = Manners(timeout=5.0, pause=0.01)


def item_of(triplet: Any) -> Item:
    pictures = (triplet.references[0].picture.data, triplet.target)
    return Item(id=triplet.id, task="subject-driven-generation", prompt=triplet.text, pictures=pictures)


def made(server: FakeServer, **changes: Any) -> VieScore:
    return VieScore(model=f"{server.url}#{MODEL}", **{"threshold": 3.0, "manners": QUICK, **changes})


@pytest.fixture
def server():
    with FakeServer(say) as one:
        yield one


def test_a_verdict_holds_everything(server: FakeServer, make_triplet: Any) -> None:
    triplet = make_triplet("a")
    (verdict,) = made(server).judge([triplet])
    sc, pq = truth(item_of(triplet), "SC"), truth(item_of(triplet), "PQ")
    least = min(sc.values()), min(pq.values())
    assert verdict.score == pytest.approx((least[0] * least[1]) ** 0.5)
    named = {"SC": least[0], **{f"SC.{name}": score for name, score in sc.items()}, "PQ": least[1]}
    named |= {f"PQ.{name}": score for name, score in pq.items()}
    assert verdict.parts == tuple(Part(name=name, score=score) for name, score in named.items())
    assert (verdict.model, verdict.prompt) == (MODEL, Wording().hash("subject-driven-generation"))
    assert verdict.words.startswith("SC: 2 pictures, judged by their bytes\nPQ: 1 pictures")
    assert verdict.keep == (verdict.score >= 3.0) == (not verdict.reason)


def test_the_task_follows_from_the_skill(server: FakeServer, make_triplet: Any) -> None:
    edit = make_triplet("a", skill="swap")
    repainted = make_triplet("b", skill="attribute", caption="a blue bear toy")
    for verdict in made(server).judge([edit, repainted]):
        assert verdict.prompt == Wording().hash("text-guided-editing")
    (plain,) = made(server, task="text-guided-generation").judge([edit])
    assert plain.prompt == Wording().hash("text-guided-generation")
    few = replace(edit, references=edit.references[:1])
    (none,) = made(server, task="multi-concept-composition").judge([few])
    assert (none.score, none.keep, none.model) == (None, False, MODEL)
    assert none.reason == "1 references, where multi-concept-composition shows 2"


def test_one_shot_asks_with_examples(server: FakeServer, make_triplet: Any) -> None:
    made(server, shots=1).judge([make_triplet("a")])
    assert {len(asked.body["messages"]) for asked in server.log} == {4}


def test_missing_is_said_and_what_there_is_is_kept(make_triplet: Any) -> None:
    def only_quality(body: Any) -> str:
        said = say(body)
        return said if "naturalness" in said else "Lovely!"

    with FakeServer(only_quality) as server:
        (overall,) = made(server).judge([make_triplet("a")])
        (quality,) = made(server, score="PQ", threshold=0.0).judge([make_triplet("a")])
    assert (overall.score, overall.keep) == (None, False)
    assert overall.reason.startswith("SC missing after 3 tries: unreadable (no JSON object")
    assert [part.name for part in overall.parts] == ["PQ", "PQ.naturalness", "PQ.artifacts"]
    assert (quality.keep, quality.score) == (True, overall.parts[0].score)


def test_what_was_never_asked_is_no_verdict(server: FakeServer, make_triplet: Any, tmp_path: Path) -> None:
    triplets = [make_triplet(key) for key in "abcd"]
    poor = made(server, cache=tmp_path)
    with pytest.raises(BadInput, match=r"the budget is spent; .* questions are left.*run again to resume"):
        replace(poor, manners=replace(QUICK, budget=Budget(requests=3))).judge(triplets)
    verdicts = poor.judge(triplets)
    assert len(server.log) == 8
    assert all(verdict.score is not None for verdict in verdicts)


def test_stalls_count_as_tries(make_triplet: Any) -> None:
    with FakeServer(say, Faults(stall=1.0)) as server:
        (verdict,) = made(server, manners=replace(QUICK, timeout=0.1)).judge([make_triplet("a")])
        assert len(server.log) == 6
    assert verdict.reason.startswith("SC missing after 3 tries: stalled (no answer in 0.1 seconds); stalled")


def test_thresholds_on_parts_are_moved_on_reading(server: FakeServer, make_triplet: Any, tmp_path: Path) -> None:
    triplets = [make_triplet(f"{number:02}") for number in range(12)]
    verdicts = made(server, threshold=10.0).judge(triplets)
    with Committer(tmp_path) as committer:
        committer.append(triplets, verdicts)
    corpus = Corpus(tmp_path)
    assert [corpus.verdicts([verdict.triplet])[verdict.triplet] for verdict in verdicts] == [[v] for v in verdicts]
    scores = [{part.name: part.score for part in verdict.parts} for verdict in verdicts]
    for low_sc, low_pq in ((0, 0), (2, 1), (1, 4)):
        gate = Gate(bands={"viescore.SC": (low_sc, 10), "viescore.PQ": (low_pq, 10)})
        wanted = [row for row, one in enumerate(scores) if one["SC"] >= low_sc and one["PQ"] >= low_pq]
        assert corpus.rows(gate).tolist() == wanted
    strict = Gate(bands={"viescore.SC.prompt": (5, 10)})
    assert corpus.rows(strict).tolist() == [row for row, one in enumerate(scores) if one["SC.prompt"] >= 5]
    with pytest.raises(BadInput, match=r"no verdicts of a judge 'viescore\.CS'"):
        corpus.rows(Gate(bands={"viescore.CS": (0, 10)}))


def test_a_threshold_is_a_score() -> None:
    with pytest.raises(BadInput, match="give one from 0 to 10"):
        VieScore(model="http://localhost/v1#m", threshold=11)
