"""Rating: blind, in an order of one's own, and on the disk before anything else happens."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_run import QUESTIONS, write_bench

from tutelage.benches.agreement.ratings import read_tasks
from tutelage.errors import BadInput
from tutelage.studio.items import order, read_items
from tutelage.studio.pictures import Pictures
from tutelage.studio.rate_tab import RatePage
from tutelage.studio.ratings import Store
from tutelage.studio.results import agreement, standings


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    write_bench(folder)
    return folder


def test_all_answers_to_some_questions_are_rated(run: Path) -> None:
    items = read_items(run / "bench", 7)
    assert len(items) == 8
    assert {item.model for item in items} == {"student", "renders"}
    assert all(item.picture.is_file() and item.demonstrations[0].is_file() for item in items)
    more = read_items(run / "bench", 10_000)
    assert len(more) == 2 * QUESTIONS
    assert {item.token for item in items} < {item.token for item in more}


def test_questions_that_somebody_has_not_answered_are_left_out(tmp_path: Path) -> None:
    write_bench(tmp_path)
    (tmp_path / "bench" / "student" / "0003-view.png").unlink()
    assert "0003/view" not in {item.question for item in read_items(tmp_path / "bench", 1000)}


def test_each_rater_has_an_order_of_their_own(run: Path) -> None:
    items = read_items(run / "bench", 1000)
    anna, again, bea = order(items, "anna"), order(items[::-1], "anna"), order(items, "bea")
    assert anna == again
    assert anna != bea
    assert set(anna) == set(bea)


def test_a_token_says_neither_question_nor_model(run: Path) -> None:
    items = read_items(run / "bench", 1000)
    assert len({item.token for item in items}) == len(items)
    assert not any(word in item.token for item in items for word in ("student", "render", "view"))


def test_a_bench_without_answers_has_nothing_to_rate(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no pictures to rate"):
        read_items(tmp_path, 10)


def test_a_bench_may_not_point_outside_itself(tmp_path: Path) -> None:
    write_bench(tmp_path, 1)
    file = tmp_path / "bench" / "questions.jsonl"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"demonstrations": ["../../secret.png"]}))
    with pytest.raises(BadInput, match="outside"):
        read_items(tmp_path / "bench", 10)


RATED = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.tuples(*[st.sampled_from([0.0, 1.0])] * 3))
)


@settings(max_examples=10)
@given(anna=RATED, bea=RATED)
def test_two_raters_at_once_lose_nothing(tmp_path_factory: pytest.TempPathFactory, anna: list, bea: list) -> None:
    store = Store(tmp_path_factory.mktemp("ratings"), "suti")

    def rate(rater: str, said: list) -> None:
        for question, model, values in said:
            store.add(rater, (question, model), values)

    threads = [threading.Thread(target=rate, args=pair) for pair in (("anna", anna), ("bea", bea))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rater, said in (("anna", anna), ("bea", bea)):
        assert store.of(rater) == {(question, model): values for question, model, values in said}


def test_what_is_exported_is_what_agreement_reads(tmp_path: Path) -> None:
    store = Store(tmp_path, "suti")
    said = {
        "anna": {("q1", "a"): (1, 1, 1), ("q1", "b"): (1, 0, 1), ("q2", "a"): (0, 1, 1)},
        "bea": {("q1", "a"): (1, 1, 0)},
    }
    for rater, ratings in said.items():
        for key, values in ratings.items():
            store.add(rater, key, values)
    assert [path.name for path in store.export()] == ["anna.tsv", "bea.tsv"]
    [read] = read_tasks(tmp_path / "ratings" / "suti")
    assert read.protocol.name == "SuTI"
    for rater, ratings in said.items():
        for (item, model), values in ratings.items():
            at = read.raters.index(rater), read.models.index(model), read.items.index(item)
            assert tuple(read.values[at]) == values
    assert int(np.isfinite(read.values).all(-1).sum()) == 4


def test_results_are_means_with_intervals_and_the_and_score(tmp_path: Path) -> None:
    store = Store(tmp_path, "suti")
    for number in range(6):
        store.add("anna", (f"q{number}", "a"), (1, 1, number % 2))
        store.add("bea", (f"q{number}", "a"), (1, number % 2, 1))
    ratings = store.ratings()
    assert ratings is not None
    found = {one.aspect: one for one in standings(ratings)}
    assert found["subject"].figure.value == 1
    assert found["text"].figure.value == pytest.approx(0.75)
    assert found["overall"].figure.value == pytest.approx(0.5)
    assert found["overall"].n == 6
    alphas = {row.metric.partition(":")[0]: row for row in agreement(ratings)}
    assert alphas["overall"].value == pytest.approx(1.0)
    assert alphas["subject"].value is None


def test_results_are_counted_again_when_somebody_said_something(tmp_path: Path) -> None:
    page, store = RatePage(tmp_path, Pictures()), Store(tmp_path, "suti")
    assert "Nothing was rated" in page.results("suti")
    store.add("anna", ("q1", "a"), (1, 1, 1))
    assert "1 rater, 1 question" in page.results("suti")
    assert page.results("suti") is page.results("suti")
    store.add("bea", ("q2", "a"), (1, 1, 1))
    assert "2 raters, 2 questions" in page.results("suti")
    (tmp_path / "ratings" / "suti" / "bea" / "log.jsonl").write_text("{}\n")
    assert "a line is no rating" in page.results("suti")


def test_imagenhubs_whole_is_a_geometric_mean(tmp_path: Path) -> None:
    store = Store(tmp_path, "imagenhub")
    store.add("anna", ("q", "a"), (0.5, 1))
    ratings = store.ratings()
    assert ratings is not None
    assert {one.aspect: one.figure.value for one in standings(ratings)}["O"] == pytest.approx(0.5**0.5)


def test_a_line_torn_by_a_kill_costs_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path, "suti")
    store.add("anna", ("q1", "a"), (1, 1, 1))
    log = tmp_path / "ratings" / "suti" / "anna" / "log.jsonl"
    with log.open("a") as file:
        file.write('{"question": "q2", "mod')
    assert list(store.of("anna")) == [("q1", "a")]
    store.add("anna", ("q3", "a"), (0, 0, 0))
    assert list(Store(tmp_path, "suti").of("anna")) == [("q1", "a"), ("q3", "a")]


@pytest.mark.parametrize("name", ["", ".hidden", "../anna", "a/b", "a" * 41, "anna bea", "\n"])
def test_a_name_that_is_no_files_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="give a name"):
        Store(tmp_path, "suti").add(name, ("q", "a"), (1, 1, 1))


@pytest.mark.parametrize("values", [(1, 1), (1, 1, 0.5), (1, 1, 2), (1, 1, float("nan"))])
def test_what_is_no_rating_is_refused(tmp_path: Path, values: tuple[float, ...]) -> None:
    store = Store(tmp_path, "suti")
    with pytest.raises(BadInput, match="no rating"):
        store.add("anna", ("q", "a"), values)
    assert store.raters() == []
