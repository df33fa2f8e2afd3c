"""Gates: what a person said of a triplet is its verdict, and everything that counts triplets says so."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_triplets import fill, triplet

from tutelage.corpus.exports.base import export_corpus
from tutelage.corpus.gate import KEPT, PERSON, Gate, Weighed, kept_by, passes, survivors
from tutelage.corpus.reader import Corpus
from tutelage.corpus.stats import alone, survival, what_if
from tutelage.corpus.writer import Committer
from tutelage.triplet import Verdict

SAID = st.sampled_from([None, True, False])
ROWS = st.lists(st.tuples(SAID, SAID, SAID), min_size=1, max_size=12)
NAMES = ("first", PERSON, "last")


def weighed(column: list[bool | None]) -> Weighed:
    return Weighed(
        score=np.asarray([np.nan if said is None else float(said) for said in column]),
        keep=np.asarray([said is not False for said in column]),
        seen=np.asarray([said is not None for said in column]),
    )


def verdicts_of(row: tuple[bool | None, ...]) -> list[Verdict]:
    return [
        Verdict(triplet="t", judge=name, score=float(said), keep=said, reason="" if said else "no")
        for name, said in zip(NAMES, row, strict=True)
        if said is not None
    ]


@given(ROWS)
def test_a_persons_word_is_the_verdict(rows: list[tuple[bool | None, ...]]) -> None:
    judges = {name: weighed([row[at] for row in rows]) for at, name in enumerate(NAMES)}
    wanted = [row[1] if row[1] is not None else False not in row for row in rows]
    assert passes(KEPT, judges, len(rows)).tolist() == wanted
    assert [kept_by(verdicts_of(row)) for row in rows] == wanted
    left = list(survivors(judges, len(rows)).values())
    assert left[-1].tolist() == wanted
    assert all((after <= before).all() for before, after in pairwise(left))


@given(ROWS, st.sampled_from([(0.5, 1.0), (0.0, 0.5)]))
def test_no_threshold_moves_what_a_person_judged(
    rows: list[tuple[bool | None, ...]], band: tuple[float, float]
) -> None:
    judges = {name: weighed([row[at] for row in rows]) for at, name in enumerate(NAMES)}
    moved = passes(Gate(bands={"first": band}), judges, len(rows))
    assert all(kept == row[1] for kept, row in zip(moved.tolist(), rows, strict=True) if row[1] is not None)


def test_a_band_for_the_person_asks_for_their_word() -> None:
    judges = {name: weighed([None, True, False]) for name in (PERSON,)} | {"first": weighed([True, False, True])}
    assert passes(Gate(bands={PERSON: (0.5, 1.0)}), judges, 3).tolist() == [False, True, False]


def test_stats_exports_and_readers_go_by_a_persons_word(tmp_path: Path) -> None:
    path = fill(tmp_path / "corpus", range(24))
    before = Corpus(path)
    kept = set(before.rows().tolist())
    [saved, *_], [dropped, *_] = sorted(set(range(24)) - kept), sorted(kept)
    with Committer(path) as committer:
        committer.append([], [
            Verdict(triplet=triplet(row).id, judge=PERSON, score=float(keep), keep=keep, reason="" if keep else "no")
            for row, keep in ((saved, True), (dropped, False))
        ])  # fmt: skip
    corpus, now = Corpus(path), (kept | {saved}) - {dropped}
    assert set(corpus.rows().tolist()) == now
    assert {one.id for one in corpus.triplets()} == {triplet(row).id for row in now}
    every = survival(corpus)[0]
    assert list(every.after) == ["delta_clip", "copy", PERSON]
    assert every.after[PERSON] == len(now)
    assert [(row.judge, row.judged) for row in alone(corpus)] == [("delta_clip", 24), ("copy", 24), (PERSON, 2)]
    assert all(row.at_least > 0 for row in what_if(corpus) if row.judge == "delta_clip")
    assert export_corpus(corpus, tmp_path / "out", "parquet", rejected=False) == len(now)
    said = corpus.verdicts([triplet(saved).id])[triplet(saved).id]
    assert [one.judge for one in said][-1] == PERSON
    assert not all(one.keep for one in said)


@pytest.mark.parametrize("keep", [True, False])
def test_a_sheet_is_framed_by_a_persons_word(keep: bool) -> None:
    from tutelage.corpus import sheet

    said = [Verdict(triplet="t", judge="first", score=0.0, keep=not keep, reason="no" if keep else ""),
            Verdict(triplet="t", judge=PERSON, score=float(keep), keep=keep, reason="" if keep else "no")]  # fmt: skip
    pixels = {pixel for _, pixel in sheet.sheet([(triplet(0), said)]).getcolors(1 << 20) or []}
    assert (sheet.KEPT in pixels, sheet.REJECTED in pixels) == (keep, not keep)
