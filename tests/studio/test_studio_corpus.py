"""Filters over a corpus beside the same said in plain Python, thresholds beside gates, and a person's word."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.report.markup import fragment
from tutelage.studio.cards import whole
from tutelage.studio.columns import Columns, Shelf, read_columns, span
from tutelage.studio.corpus_tab import SHOW, CorpusPage, View
from tutelage.studio.filters import Filter, by_score, matching, moved, stages
from tutelage.studio.person import PERSON, judge_by_hand
from tutelage.studio.pictures import Pictures
from tutelage.studio.settings import Studio
from tutelage.triplet import Part, Provenance, Triplet, Verdict

COUNT = 30
MADE = Provenance(teacher="omniedit-swap", base="abc123", seed=77)
JUDGE = "delta-clip"


@pytest.fixture(scope="module")
def path(make_corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("studio") / "corpus", COUNT)


@pytest.fixture(scope="module")
def columns(path: Path) -> Columns:
    return read_columns(Corpus(path))


def score(number: int) -> float:
    return np.nan if number % 5 == 4 else number / COUNT


PLAIN = {
    "drawn": lambda n: True,
    "kept": lambda n: n % 3 != 0,
    "rejected": lambda n: n % 3 == 0,
    f"lost at {JUDGE}": lambda n: n % 3 == 0,
    "not judged": lambda n: False,
}


@given(
    stage=st.sampled_from(list(PLAIN)),
    skill=st.sampled_from(["", "view", "accessory", "make it night", "nothing"]),
    task=st.sampled_from(["", "subject-driven", "editing"]),
    low=st.sampled_from([-np.inf, 0.1, 0.5]),
    high=st.sampled_from([np.inf, 0.4, 0.9]),
    words=st.sampled_from(["", "NUMBER 1", "number 7", "[", "%"]),
)
def test_filters_say_what_they_say(
    columns: Columns, stage: str, skill: str, task: str, low: float, high: float, words: str
) -> None:
    wanted = Filter(stage=stage, skill=skill, task=task, judge=JUDGE, low=low, high=high, words=words)
    skills = ("view", "accessory", "make it night")
    bounded = np.isfinite(low) or np.isfinite(high)
    plain = [
        n for n in range(COUNT)
        if PLAIN[stage](n) and skill in ("", skills[n % 3])
        and task in ("", "editing" if n % 3 == 2 else "subject-driven")
        and words.lower() in f"a bear toy, number {n}" and (not bounded or low <= score(n) <= high)
    ]  # fmt: skip
    assert matching(columns, wanted).tolist() == plain


def test_a_corpus_has_its_stages(columns: Columns) -> None:
    assert set(stages(columns)) == set(PLAIN)


@given(low=st.sampled_from([-np.inf, 0.0, 0.2, 0.7]), high=st.sampled_from([np.inf, 1.0, 0.75]))
def test_a_moved_threshold_is_a_gate(path: Path, columns: Columns, low: float, high: float) -> None:
    found = moved(columns, JUDGE, low, high)
    corpus = Corpus(path)
    before, after = set(corpus.rows().tolist()), set(corpus.rows(Gate(bands={JUDGE: (low, high)})).tolist())
    assert (found.before, found.after) == (len(before), len(after))
    assert set(np.flatnonzero(found.leaves).tolist()) == before - after
    assert set(np.flatnonzero(found.joins).tolist()) == after - before


def test_the_order_of_scores_puts_those_without_one_last(columns: Columns) -> None:
    rows = by_score(columns, np.arange(COUNT), JUDGE)
    assert rows[0] == 28
    assert {score(n) for n in rows[-6:]} != {0.0}
    assert all(n % 5 == 4 for n in rows[-6:])
    assert by_score(columns, np.arange(COUNT), JUDGE, falling=False)[0] == 0


def test_licences_are_those_of_any_reference(make_triplet, tmp_path: Path) -> None:
    def licensed(name: str, *licences: str) -> Triplet:
        one = make_triplet(name)
        shown = [replace(one.references[0], picture=replace(one.references[0].picture, licence=x)) for x in licences]
        return replace(one, references=tuple(shown))

    with Committer(tmp_path / "corpus") as committer:
        committer.append([licensed("a", "CC BY", "CC0"), licensed("b", ""), licensed("c", "CC0")])
    columns = read_columns(Corpus(tmp_path / "corpus"))
    assert set(columns.licences.values) == {"CC BY", "CC0", "unknown"}
    found = {name: matching(columns, Filter(licence=name)).tolist() for name in ("CC BY", "CC0", "unknown", "MIT")}
    assert found == {"CC BY": [0], "CC0": [0, 2], "unknown": [1], "MIT": []}


def test_a_triplet_is_shown_with_all_that_is_known_of_it(make_triplet) -> None:
    one = make_triplet("t", text="make it night", caption="a bear toy at night", provenance=MADE)
    origin = {"url": "https://example.com/a.jpg", "page": "/secret/place/b.html", "licence": "CC BY"}
    first = replace(one.references[0], picture=replace(one.references[0].picture, **origin))
    one = replace(one, references=(first, *one.references[1:]))
    parts = (Part(name="SC", score=0.25), Part(name="PQ", score=0.75))
    said = [
        Verdict(triplet=one.id, judge="viescore", score=0.5, keep=False, reason="below 0.6", parts=parts,
                words="the bear is gone", model="/secret/place/judge-7b"),
        Verdict(triplet=one.id, judge=JUDGE, score=None, keep=False, reason="/secret/place/x.png cannot be read"),
    ]  # fmt: skip
    shown = fragment(whole((one, said), Pictures()))
    for words in (
        "make it night", "a bear toy at night", "VIEScore", "0.500", "SC 0.250", "PQ 0.750", "below 0.6", "no score",
        "the bear is gone", "judge-7b", "x.png cannot be read", "omniedit-swap", "abc123", "77", one.id,
        "licence CC BY", 'href="https://example.com/a.jpg"', "b.html",
        *(reference.caption for reference in one.references),
    ):  # fmt: skip
        assert words in shown, words
    assert shown.count("picture/") == 1 + len(one.references)
    assert "secret" not in shown


@pytest.mark.parametrize("wanted", [Filter(stage="nowhere"), Filter(task="cooking"), Filter(judge="nobody", low=0)])
def test_what_there_is_not_is_refused(columns: Columns, wanted: Filter) -> None:
    with pytest.raises(BadInput, match="there is no"):
        matching(columns, wanted)


def test_an_empty_corpus_has_columns_too(tmp_path: Path) -> None:
    with Committer(tmp_path / "corpus"):
        pass
    columns = read_columns(Corpus(tmp_path / "corpus"))
    assert len(columns) == 0
    assert matching(columns, Filter()).tolist() == []
    assert span(np.empty(0)) == (0.0, 1.0)


def test_a_persons_word_stands_beside_the_judges_and_is_never_replaced(make_corpus, tmp_path: Path) -> None:
    shelf = Shelf(make_corpus(tmp_path / "corpus", 6), refresh=0)
    [(triplet, said)] = shelf.take([1])
    with pytest.raises(BadInput, match="say why"):
        judge_by_hand(shelf.path, triplet.id, False, "  ", said)
    judge_by_hand(shelf.path, triplet.id, False, "two  hats", said)
    [(_, said)] = shelf.take([1])
    assert [(one.judge, one.keep, one.reason) for one in said] == [(JUDGE, True, ""), (PERSON, False, "two hats")]
    with pytest.raises(BadInput, match="has rejected it already"):
        judge_by_hand(shelf.path, triplet.id, True, "", said)
    columns = shelf.columns()
    assert not columns.kept[1]
    assert columns.lost_at(PERSON).tolist() == [False, True, False, False, False, False]


def test_a_person_outvotes_the_judges(make_corpus, tmp_path: Path) -> None:
    shelf = Shelf(make_corpus(tmp_path / "corpus", 6), refresh=0)
    [(triplet, said)] = shelf.take([3])
    assert not shelf.columns().kept[3]
    judge_by_hand(shelf.path, triplet.id, True, "", said)
    columns = shelf.columns()
    assert columns.kept[3]
    assert not columns.lost_at(JUDGE)[3]
    assert not moved(columns, JUDGE, 0.9, 1.0).leaves[3]
    [(_, said)] = shelf.take([3])
    assert [(one.judge, one.keep) for one in said] == [(JUDGE, False), (PERSON, True)]


def test_the_page_has_a_corpus_as_soon_as_the_run_has(make_corpus, tmp_path: Path) -> None:
    page = CorpusPage(Studio(run=tmp_path, student="s", base="b"), Pictures())
    nothing, there, *_ = page.open()
    assert (nothing["visible"], there["visible"]) == (True, "hidden")
    assert page.find("drawn", "", "", "", "", "", 0, 1, SHOW, "as written") == (None, "", "")
    make_corpus(tmp_path / "corpus", 6)
    nothing, there, drawn, stage, skill, _, judge = page.open()
    assert (nothing["visible"], there["visible"]) == (False, True)
    assert "after ΔCLIP" in drawn
    assert f"lost at {JUDGE}" in stage["choices"]
    assert skill["choices"] == [("all", ""), "accessory", "make it night", "view"]
    assert judge["choices"] == [("none", ""), ("ΔCLIP", JUDGE)]
    assert "6 triplets of 6" in page.find("drawn", "", "", "", "", "", 0, 1, SHOW, "as written")[1]


def test_an_empty_range_is_said_where_results_are(path: Path) -> None:
    page = CorpusPage(Studio(run=path.parent, student="s", base="b"), Pictures())
    view, about, gallery = page.find("drawn", "", "", "", "", JUDGE, 0.7, 0.2, SHOW, "as written")
    assert view == View((), ())
    assert "from 0.7 to 0.2 is empty" in about
    assert "Nothing matches" in gallery


def test_a_corpus_that_is_being_written_says_so(make_corpus, tmp_path: Path) -> None:
    path = make_corpus(tmp_path / "corpus", 2)
    with Committer(path), pytest.raises(BadInput, match="another process"):
        judge_by_hand(path, "t001/0/0", True, "", [])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
@example([0.97])
@example([1.0, 1.0])
@example([0.0])
def test_a_span_holds_all_scores_and_has_room(scores: list[float]) -> None:
    low, high = span(np.asarray(scores))
    assert low <= min(scores)
    assert max(scores) <= high
    assert low < high


def test_a_choice_that_is_told_again_leaves_the_sliders_where_they_were_moved_to(path: Path) -> None:
    page = CorpusPage(Studio(run=path.parent, student="s", base="b"), Pictures())
    low, high, ranged = page.ends(JUDGE, "")
    assert (low["minimum"], high["maximum"], ranged) == (low["value"], high["value"], JUDGE)
    assert "value" not in page.ends(JUDGE, ranged)[0]
    assert "value" in page.ends("", ranged)[0]
