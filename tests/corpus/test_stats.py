"""Survival by judge and skill, and at other thresholds."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_triplets import Growing, fill, triplet, verdicts

from tutelage.corpus.commands import stats_command
from tutelage.corpus.reader import Corpus
from tutelage.corpus.stats import OMNIEDIT, Alone, Balance, WhatIf, alone, balance, survival, what_if
from tutelage.corpus.writer import Committer
from tutelage.triplet import EDITS, Verdict

COUNT = 24
KEPT = [number for number in range(COUNT) if number % 2 == 1 and number % 10 != 9]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("corpora") / "corpus", range(COUNT))


def test_survival_and_what_if(path: Path) -> None:
    corpus = Corpus(path)
    everything, *by_skill = survival(corpus)
    assert (everything.skill, everything.made) == ("all", COUNT)
    assert everything.after == {"delta_clip": 12, "copy": len(KEPT)}
    assert [row.skill for row in by_skill] == sorted(row.skill for row in by_skill)
    assert sum(row.made for row in by_skill) == COUNT
    assert sum(row.after["copy"] for row in by_skill) == len(KEPT)
    tried = what_if(corpus)
    least = next(row for row in tried if row.judge == "delta_clip")
    sure = [number for number in range(COUNT) if number % 10 != 9]
    assert (least.threshold, least.at_least, least.at_most) == (0.0, len(sure), 1)
    rising = [row.at_least for row in tried if row.judge == "delta_clip"]
    assert rising == sorted(rising, reverse=True)
    (flat,) = [row for row in tried if row.judge == "copy"]
    assert (flat.threshold, flat.at_least, flat.at_most) == (0.5, len(KEPT), len(KEPT))


def test_balance_of_tasks_before_and_after(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of three swaps and a style, two swaps are kept; a corpus of subjects has no such table."""
    assert balance(Corpus(path)) == []
    tasks = ("swap", "swap", "style", "swap")
    with Committer(tmp_path / "edits") as committer:
        made = [replace(triplet(number), skill=task) for number, task in enumerate(tasks)]
        said = [
            Verdict(triplet=one.id, judge="taste", score=0.5, keep=number in (0, 3)) for number, one in enumerate(made)
        ]
        committer.append(made, said)
    swap, style = balance(Corpus(tmp_path / "edits"))
    assert swap == Balance(task="swap", made=3, kept=2, of_made=0.75, of_kept=1.0, paper=1.5 / 5.05)
    assert (style.task, style.kept, style.of_kept) == ("style", 0, 0.0)
    stats_command(tmp_path / "edits")
    said_so = capsys.readouterr().out
    assert "balance of tasks" in said_so
    assert "1,500,000 → 150,000" in said_so


def test_the_papers_table_adds_up() -> None:
    assert [sum(pair[at] for pair in OMNIEDIT.values()) for at in (0, 1)] == [5_050_000, 505_000]
    assert set(OMNIEDIT) == set(EDITS)


def test_each_judge_by_itself(path: Path) -> None:
    assert alone(Corpus(path)) == [
        Alone(judge="delta_clip", judged=COUNT, kept=COUNT // 2, unscored=0),
        Alone(judge="copy", judged=COUNT, kept=COUNT - 2, unscored=2),
    ]


def test_thresholds_that_are_asked_for(path: Path) -> None:
    tried = [row for row in what_if(Corpus(path), [0.2, 0.05, 0.2]) if row.judge == "delta_clip"]
    sure = [number for number in range(COUNT) if number % 10 != 9]
    assert tried == [
        WhatIf(
            judge="delta_clip",
            threshold=least,
            at_least=sum(number >= 100 * least for number in sure),
            at_most=sum(number <= 100 * least for number in sure),
        )
        for least in (0.05, 0.2)
    ]


def test_a_judge_that_was_asked_about_some_only(tmp_path: Path) -> None:
    """As on a panel, where the second sees what the first let through."""
    with Committer(tmp_path) as committer:
        for number in range(10):
            first, second = verdicts(number)
            committer.append([triplet(number)], [first, second] if first.keep else [first])
    corpus = Corpus(tmp_path)
    assert [(row.judged, row.kept, row.unscored) for row in alone(corpus)] == [(10, 5, 0), (5, 4, 1)]
    assert survival(corpus)[0].after == {"delta_clip": 5, "copy": 4}
    least = what_if(corpus)[0]
    assert (least.judge, least.at_least) == ("delta_clip", 9)


def test_a_corpus_that_grows_meanwhile(tmp_path: Path) -> None:
    corpus = Growing(fill(tmp_path, range(4), calls=1))
    everything, *by_skill = survival(corpus)
    assert everything.made == sum(row.made for row in by_skill) >= 8
    assert everything.after == {name: sum(row.after[name] for row in by_skill) for name in everything.after}
    assert what_if(corpus)[0].at_most == 1


def test_an_empty_corpus_has_no_judges(tmp_path: Path) -> None:
    Committer(tmp_path).close()
    corpus = Corpus(tmp_path)
    assert (alone(corpus), what_if(corpus), [row.made for row in survival(corpus)]) == ([], [], [0])
