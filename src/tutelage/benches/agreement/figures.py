"""Ratings and scores → rows.

Human–human is the ceiling: ρ of each rater with the mean of the others, over the items of one model. A judge's ρ is
with the mean of all raters. The whole (O, overall) is taken rater by rater before raters are averaged. Intervals are
bootstraps over items; an item brings the pictures of all models and the ratings of all raters along.

A model whose scores are all equal has no ρ: it is left out of the average, and its pictures count as missing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tutelage.benches.agreement.alpha import Coincidences, Level, alpha, coincidences
from tutelage.benches.agreement.correlation import AVERAGES, Pairs, averaged, mean, paired, spearman
from tutelage.benches.agreement.ratings import Ratings
from tutelage.benches.agreement.scores import Scores
from tutelage.benches.base import Row
from tutelage.benches.intervals import Floats, bootstrap, interval_of, resampled

BENCH: Final = "agreement"
HUMAN: Final = "human–human"
RATERS: Final = "raters"
ALL: Final = "all tasks"

Groups = list[list[Pairs]]
"""By model: the pairs of each rater with the others, or the one of a judge with all."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The correlations of one task, aspect and judge."""

    row: str
    aspect: str
    figures: dict[str, tuple[float, Floats]]
    """Average → its value, and its resamples."""
    n: int
    """Pictures in it."""
    missing: int


def rows_of(tasks: Sequence[Ratings], judges: Sequence[Scores], level: Level, seed: int) -> list[Row]:
    """The rows of every task, then, if there are several, those of the average over tasks."""
    found = {ratings.task: list(_compared(ratings, judges, seed)) for ratings in tasks}
    rows: list[Row] = []
    for ratings in tasks:
        protocol = f"{ratings.task}: {ratings.protocol.name}, {len(ratings.raters)} raters"
        rows += [row for one in found[ratings.task] for row in _rows(one, protocol)]
        rows += [alpha_row(ratings, aspect, level, protocol, seed) for aspect in ratings.aspects]
    return rows + _over_tasks(list(found.values())) if len(tasks) > 1 else rows


def human_groups(ratings: Floats) -> Groups:
    """Each rater's ratings with the mean of the others', by model; `ratings` is (raters, models, items)."""
    return [
        [paired(of_model[at], mean(np.delete(of_model, at, 0).T)) for at in range(len(of_model))]
        for of_model in ratings.swapaxes(0, 1)
    ]


def judge_groups(ratings: Floats, scores: Floats) -> Groups:
    """Scores (models, items) with the mean of all raters'."""
    return [[paired(score, mean(of_model.T))] for of_model, score in zip(ratings.swapaxes(0, 1), scores, strict=True)]


def _compared(ratings: Ratings, judges: Sequence[Scores], seed: int) -> Iterator[Compared]:
    """The ceiling of every aspect, if there is one, and every judge that scored it."""
    for aspect in ratings.aspects:
        said = ratings.of(aspect)
        if len(ratings.raters) > 1:
            yield _compare(HUMAN, aspect, human_groups(said), ratings, seed)
        for judge in judges:
            scores = judge.of(aspect, ratings)
            if scores is not None:
                yield _compare(judge.judge, aspect, judge_groups(said, scores), ratings, seed)


def _compare(row: str, aspect: str, groups: Groups, ratings: Ratings, seed: int) -> Compared:
    size, key = len(ratings.items), _seed(seed, ratings.task)
    once = [[spearman(pairs, np.ones((1, size))) for pairs in of_model] for of_model in groups]
    used = sum(
        len(np.unique(np.concatenate([pairs.items for pairs in of_model])))
        for of_model, rhos in zip(groups, once, strict=True)
        if np.isfinite(rhos).any()
    )

    def statistic(weights: Floats) -> Floats:
        rhos = [[spearman(pairs, weights) for pairs in of_model] for of_model in groups]
        return np.stack([averaged(rhos, average) for average in AVERAGES.values()], 1)

    values, draws = statistic(np.ones((1, size)))[0], resampled(statistic, size, key)
    figures = {name: (float(values[at]), draws[:, at]) for at, name in enumerate(AVERAGES)}
    rated = int(np.isfinite(ratings.of(aspect)).any(0).sum())
    return Compared(row=row, aspect=aspect, figures=figures, n=used, missing=rated - used)


def _over_tasks(tasks: Sequence[Sequence[Compared]]) -> list[Row]:
    """Averages over the tasks that have a figure; tasks are resampled apart from each other."""
    rows: list[Row] = []
    for row, aspect in dict.fromkeys((one.row, one.aspect) for task in tasks for one in task):
        same = [one for task in tasks for one in task if (one.row, one.aspect) == (row, aspect)]
        figures = {
            name: (
                float(average(np.asarray([one.figures[name][0] for one in same]))),
                average(np.stack([one.figures[name][1] for one in same], -1)),
            )
            for name, average in AVERAGES.items()
        }
        n, missing = sum(one.n for one in same), sum(one.missing for one in same)
        whole = Compared(row=row, aspect=aspect, figures=figures, n=n, missing=missing)
        rows += _rows(whole, f"{ALL}: {len(same)}")
    return rows


def _rows(compared: Compared, protocol: str) -> list[Row]:
    return [
        _row(protocol, compared.row, f"{compared.aspect}: ρ, {name}", *figure, compared.n, compared.missing)
        for name, figure in compared.figures.items()
    ]


def _row(protocol: str, row: str, metric: str, figure: float, draws: Floats, n: int, missing: int) -> Row:
    value, low, high = interval_of(figure, draws)
    return Row(
        bench=BENCH, protocol=protocol, row=row, metric=metric, value=value, low=low, high=high, n=n, missing=missing
    )


def alpha_row(ratings: Ratings, aspect: str, level: Level, protocol: str, seed: int) -> Row:
    """Krippendorff's α over pictures; resampled by items, each with the pictures of all models."""
    said = ratings.of(aspect)
    met = coincidences(said.reshape(len(said), -1))
    by_item = met.counts.reshape(len(ratings.models), len(ratings.items), *met.counts.shape[1:]).sum(0)
    found = Coincidences(met.values, by_item)
    value, low, high = bootstrap(
        lambda weights: alpha(found, weights, level), len(ratings.items), _seed(seed, ratings.task)
    )
    several = int((np.isfinite(said).sum(0) > 1).sum())
    missing = int(np.isfinite(said).any(0).sum()) - several
    return Row(
        bench=BENCH,
        protocol=protocol,
        row=RATERS,
        metric=f"{aspect}: Krippendorff α, {level}",
        value=value,
        low=low,
        high=high,
        n=several,
        missing=missing,
    )


def _seed(seed: int, task: str) -> int:
    """A seed of a task's own: tasks of equal size are not resampled alike."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{task}".encode()).digest()[:8])
