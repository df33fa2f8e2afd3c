"""Ratios of performance: ways of doing one thing take turns in one run, so that a slow machine slows all of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from tutelage.benches.base import AtMost, Row, Targets, print_table, write_json
from tutelage.benches.hardware import hardware
from tutelage.benches.intervals import Floats, bootstrap

BENCH: Final = "performance"
RATIO: Final = "ratio"
AGE: Final = "greatest age of the newest row read, seconds"
GOALS: Final[Mapping[str, Mapping[str, float | AtMost]]] = {
    "cpu": {
        "R1": 10.0,
        "R2, batch 1": 3.0,
        "R2, batch 4": 1.7,
        "R4, batch 1": AtMost(1.15),
        "R4, batch 4": AtMost(1.15),
        "R6": 0.999,
        "R8": AtMost(1.75),
        "R9": 2.8,
        "R11": 20.0,
        "R14": 0.9,
        "R15": 0.9,
        "R16, 32 rows at once ÷ Parquet": 20.0,
        "R16, in order ÷ WebDataset": 1.0,
        "R17": 0.7,
        "R18": 0.95,
    },
    "cuda": {"R1": 8.0, "R2, batch 1": 2.0, "R2, batch 4": 2.0, "R12": 3.0},
}
"""Device → row → what performance asks for; on an accelerator the rest is as on a CPU."""


def by_turns(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each way, `repeats` times; every round does all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Round by round."""
    return [one / other for one, other in zip(over, under, strict=True)]


def ratio_row(name: str, values: Sequence[float], metric: str = RATIO) -> Row:
    """The median of repeats with its bootstrap interval, which for few repeats is their spread."""
    value, low, high = bootstrap(median_of(np.asarray(values, dtype=float)), len(values), seed=0)
    return Row(bench=BENCH, protocol=machine(), row=name, metric=metric, value=value, low=low, high=high, n=len(values))


def least_row(name: str, values: Sequence[float], metric: str = RATIO) -> Row:
    """The least of several, for what must hold for every one of them; its interval reaches to their greatest."""
    low, high = min(values), max(values)
    return Row(bench=BENCH, protocol=machine(), row=name, metric=metric, value=low, low=low, high=high, n=len(values))


def median_of(values: Floats) -> Callable[[Floats], Floats]:
    """The median of values (n,), for `intervals.bootstrap`; of two in the middle, their mean."""
    order = np.argsort(values)

    def statistic(weights: Floats) -> Floats:
        counted = weights[:, order].cumsum(1)
        total = counted[:, -1:]
        lower, upper = (counted >= total / 2).argmax(1), (counted > total / 2).argmax(1)
        middle: Floats = (values[order][lower] + values[order][upper]) / 2
        return middle

    return statistic


def machine() -> str:
    """The hardware, in words."""
    found: dict[str, Any] = hardware()
    return f"{found['accelerator'] or found['processor']}, {found['cores']} cores"


def report(rows: Sequence[Row], json: Path | None) -> None:
    """Print the rows beside their targets, and write them."""
    print_table(rows, targets())
    if json is not None:
        write_json(rows, json)


def targets() -> Targets:
    """Of this machine."""
    goals = {**GOALS["cpu"], **(GOALS["cuda"] if hardware()["accelerator"] else {})}
    return {(BENCH, row, RATIO): goal for row, goal in goals.items()} | {(BENCH, "R15", AGE): AtMost(30.0)}
