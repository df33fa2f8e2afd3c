"""Pages → verdicts, and the limits that labels or survival rates ask for."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.errors import BadInput
from tutelage.mining.calibrate import best_rule, calibrate_command, read_labels, survival_rule
from tutelage.mining.cluster import (
    ALIKE,
    FEW,
    MIXED,
    SAME,
    Decision,
    Measured,
    decide,
    different,
    measure,
    pair_cosines,
    square,
)
from tutelage.mining.group import Page
from tutelage.mining.records import write_pages
from tutelage.mining.settings import Rule
from tutelage.triplet import Picture

RULE = Rule(low=0.4, high=0.9, duplicate=0.95)


def page_of(*pictures: int, **others) -> Page:
    shots = tuple(Picture(data=bytes([number]), url=f"u{number}") for number in pictures)
    return Page(url="p", found=len(shots), pictures=shots, **others)


def numbers(similarity: float, count: int = 3, likeness: float = 0.0, name: str = "p") -> Measured:
    pairs = count * (count - 1) // 2
    urls = tuple(map(str, range(count)))
    return Measured(
        page=name,
        found=count,
        faults={},
        copies=0,
        urls=urls,
        similarity=(similarity,) * pairs,
        likeness=(likeness,) * pairs,
    )


def unit(rng: np.random.Generator, count: int) -> np.ndarray:
    features = rng.normal(size=(count, 5)).astype(np.float32)
    return features / np.linalg.norm(features, axis=1, keepdims=True)


@given(st.integers(0, 2**31), st.integers(1, 8))
def test_pairs_hold_the_whole_matrix(seed: int, count: int) -> None:
    features = unit(np.random.default_rng(seed), count)
    pairs = pair_cosines(features)
    assert len(pairs) == count * (count - 1) // 2
    assert np.allclose(square(pairs, count), features @ features.T, atol=1e-5)


@given(st.integers(0, 2**31), st.integers(1, 8), st.floats(-1, 1))
def test_pictures_that_are_left_differ_and_the_others_are_like_one_of_them(seed: int, count: int, limit: float) -> None:
    features = unit(np.random.default_rng(seed), count)
    cosines = square(pair_cosines(features), count)
    left = different(cosines, limit)
    assert left[0] == 0
    assert all(cosines[a, b] < limit for a, b in itertools.combinations(left, 2))
    assert all((cosines[gone, left] >= limit).any() for gone in set(range(count)) - set(left))


@pytest.mark.parametrize(
    ("similarity", "reason"), [(0.39, MIXED), (0.4, ""), (0.65, ""), (0.9, ""), (0.91, ALIKE)]
)  # fmt: skip
def test_the_mean_must_lie_within_the_band(similarity: float, reason: str) -> None:
    decision = decide(numbers(np.float32(similarity).item(), 4), Rule(low=0.4 - 1e-6, high=0.9 + 1e-6, duplicate=2))
    assert (decision.kept, decision.reason) == (not reason, reason)
    assert decision.mean == pytest.approx(similarity)
    assert decision.pictures == (0, 1, 2, 3)


def test_near_duplicates_go_before_the_mean_is_taken() -> None:
    seen = Measured(
        page="p",
        found=4,
        faults={},
        copies=0,
        urls=("a", "b", "c", "d"),
        similarity=(1.0, 0.5, 0.5, 0.5, 0.5, 0.5),
        likeness=(0.99, 0.1, 0.1, 0.1, 0.1, 0.1),
    )
    assert decide(seen, RULE) == Decision(kept=True, pictures=(0, 2, 3), mean=0.5)
    assert decide(numbers(0.5, 5, likeness=0.96), RULE) == Decision(kept=False, reason=SAME, pictures=(0,))


def test_pages_without_enough_pictures_say_why() -> None:
    few = measure(Page(url="p", found=4, faults={"tiny": 2}), np.zeros((0, 2), np.float32))
    copies = measure(Page(url="p", found=5, copies=3), np.zeros((0, 2), np.float32))
    assert [decide(page, RULE).reason for page in (few, copies)] == [FEW, SAME]
    assert few.faults == {"tiny": 2}


def test_one_encoder_or_two() -> None:
    rng = np.random.default_rng(0)
    who, what = unit(rng, 3), unit(rng, 3)
    one, two = measure(page_of(1, 2, 3), who), measure(page_of(1, 2, 3), who, what)
    assert one.likeness == one.similarity == two.similarity
    assert two.likeness == pair_cosines(what)
    assert two.urls == ("u1", "u2", "u3")


@pytest.mark.parametrize("wrong", [{"low": 0.9, "high": 0.8}, {"high": 1.2}, {"least": 1}, {"duplicate": -3}])
def test_impossible_rules_are_refused(wrong) -> None:
    with pytest.raises(BadInput):
        Rule(**wrong)


def separable() -> tuple[list[Measured], dict[str, bool]]:
    spots = {"low": (0.1, 0.2, 0.3), "good": (0.5, 0.6, 0.7), "high": (0.9, 0.95, 0.99)}
    pages = [numbers(value, name=f"{kind} {value}") for kind, values in spots.items() for value in values]
    return pages, {page.page: page.page.startswith("good") for page in pages}


def test_separable_pages_are_separated_half_way() -> None:
    found = best_rule(*separable(), duplicates=(0.98,))
    assert (found.precision, found.recall, found.f1, found.kept) == (1.0, 1.0, 1.0, 3)
    assert (found.rule.low, found.rule.high) == (pytest.approx(0.4), pytest.approx(0.8))


def test_the_limit_for_duplicates_is_found_too() -> None:
    pages, good = separable()
    copies = [numbers(0.6, likeness=0.85, name=f"copies {n}") for n in range(5)]
    found = best_rule(pages + copies, good | {page.page: False for page in copies})
    assert found.f1 == 1.0
    assert 0.5 <= found.rule.duplicate <= 0.85


def brute_force(pages, good, recall) -> float:
    means = sorted(decide(page, Rule(low=-1, high=1, duplicate=2)).mean for page in pages)
    total, best = sum(good.values()), -1.0
    for low, high in itertools.combinations_with_replacement(means, 2):
        kept = [page for page in pages if low <= decide(page, Rule(low=-1, high=1, duplicate=2)).mean <= high]
        right = sum(good[page.page] for page in kept)
        if recall is None:
            best = max(best, 2 * right / (len(kept) + total))
        elif right >= recall * total:
            best = max(best, right / len(kept))
    return best


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=10, unique_by=lambda pair: pair[0]),
    st.sampled_from([None, 0.5, 1.0]),
)
def test_no_band_does_better_than_the_one_found(drawn: list[tuple[int, bool]], recall: float | None) -> None:
    pages = [numbers(value / 1000, name=str(value)) for value, _ in drawn]
    good = {str(value): label for value, label in drawn}
    if not any(good.values()):
        with pytest.raises(BadInput, match="none is good"):
            best_rule(pages, good)
        return
    found = best_rule(pages, good, recall=recall, duplicates=(2.0,))
    score = found.f1 if recall is None else found.precision
    assert score == pytest.approx(brute_force(pages, good, recall))
    kept = [page for page in pages if decide(page, found.rule).kept]
    assert (len(kept), sum(good[page.page] for page in kept)) == (found.kept, found.right)
    assert recall is None or found.recall >= recall


def test_a_recall_out_of_reach_is_told() -> None:
    pages, good = separable()
    lost = numbers(0.6, likeness=1.0, name="lost")
    with pytest.raises(BadInput, match="ask for less recall"):
        best_rule([*pages, lost], good | {"lost": True}, recall=1.0)


@pytest.mark.parametrize(("too_low", "low", "high"), [(1.0, 0.805, 1.0), (0.0, -1.0, 0.185), (0.5, 0.395, 0.595)])
def test_survival_rates_give_the_band(too_low: float, low: float, high: float) -> None:
    pages = [numbers(value / 100, name=str(value)) for value in range(100)] + [numbers(0.5, 1, name="few")]
    found = survival_rule(pages, Rule(duplicate=2), dropped=0.81, too_low=too_low)
    assert (found.kept, found.pages) == (19 if too_low != 0.5 else 20, 101)
    assert found.rule.low == pytest.approx(low, abs=0.006)
    assert found.rule.high == pytest.approx(high, abs=0.006)
    assert sum(decide(page, found.rule).kept for page in pages) == found.kept


def test_pages_of_duplicates_count_among_those_too_high() -> None:
    pages = [numbers(value / 10, name=str(value)) for value in range(10)]
    copies = [numbers(0.5, likeness=1.0, name=f"copies {n}") for n in range(10)]
    found = survival_rule(pages + copies, dropped=0.5, too_low=0.0)
    assert found.kept == 10
    with pytest.raises(BadInput, match="enough different"):
        survival_rule(copies)


def test_the_command_prints_flags(tmp_path: Path, capsys) -> None:
    pages, good = separable()
    write_pages([(page, decide(page, Rule()), "") for page in pages], tmp_path / "0.parquet")
    labels = tmp_path / "labels.jsonl"
    labels.write_text("".join(json.dumps({"page_url": url, "good": label}) + "\n" for url, label in good.items()))
    calibrate_command(tmp_path, labels=labels)
    assert "--rule.low 0.400 --rule.high 0.800" in (said := capsys.readouterr().out)
    assert "F1 1.000" in said
    calibrate_command(tmp_path, dropped=0.5, duplicate=0.7)
    assert "--rule.duplicate 0.7" in capsys.readouterr().out


def test_labels_are_good_or_a_kind(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"page_url": "a", "good": true}\n{"page_url": "b", "kind": "mixed"}\n')
    assert read_labels(path) == {"a": True, "b": False}
    assert read_labels(path, ("mixed",)) == {"a": True, "b": True}
    path.write_text('{"page_url": "a", "good": true}\n{"page": "b"}\n')
    with pytest.raises(BadInput, match="line 2"):
        read_labels(path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_labels(tmp_path / "absent")


@pytest.mark.parametrize("wrong", [{"recall": 1.5}, {"dropped": -1.0}, {"too_low": 2.0}])
def test_shares_are_shares(tmp_path: Path, wrong) -> None:
    with pytest.raises(BadInput, match="within 0 to 1"):
        calibrate_command(tmp_path, **wrong)
