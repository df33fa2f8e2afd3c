"""The rows of `tutelage bench judges` as tables for a screen: who tells what, beside raters, and what gates keep."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from rich.console import Console
from rich.table import Table

from tutelage.benches.base import Row, shown

AUC: Final = "AUC: "
RATED: Final = "Spearman with raters: "
SHARE: Final = "share: "
PRECISION: Final = "precision: "
TRUTH: Final = "truth"
"""The row of what is true of how many."""
NAMED: Final[Mapping[str, str]] = {TRUTH: "(share true)", "raters": "raters with each other"}

WORDS: Final = ("gate", "chosen by")
"""Columns of words."""

FIRST: Final = len("subject and text:")
"""Width of the longest name."""

Figures = Mapping[tuple[str, str], Row]
"""(judge or gate, metric) → its figure."""


def print_tables(rows: Sequence[Row], precision: float) -> None:
    """Print three tables for each protocol; figures by fault are in the rows alone.

    Args:
        rows: of `bench.measure`.
        precision: wanted of a gate.
    """
    console = Console(highlight=False)
    for protocol, group in itertools.groupby(rows, key=lambda row: row.protocol):
        figures = {(row.row, row.metric): row for row in group}
        tables = {
            f"{protocol}: AUC by what is true of the target": _figures(figures, (AUC, SHARE)),
            f"{protocol}: Spearman's correlation with raters who err, by what they mark": _figures(figures, (RATED,)),
            f"{protocol}: what gates keep, by what should be true of it; a precision of {precision:g} is wanted, "
            "thresholds are chosen on half of the clusters, and figures are of the other half": _gates(
                figures, precision
            ),
        }
        for title, table in tables.items():
            console.print(title, style="italic", markup=False)
            console.print(table, "")


def _figures(figures: Figures, kinds: Sequence[str]) -> Table:
    """Judges below each other, what is told beside each other."""
    told = {key: row for key, row in figures.items() if key[1].startswith(tuple(kinds))}
    columns = list(dict.fromkeys(metric.partition(": ")[2] for _, metric in told))
    names = sorted(dict.fromkeys(name for name, _ in told), key=lambda name: name not in NAMED)
    table = _table(["", *columns])
    for name in names:
        found = {metric.partition(": ")[2]: row for (who, metric), row in told.items() if who == name}
        table.add_row(NAMED.get(name, name), *(_cell(found[column]) if column in found else "" for column in columns))
    return table


def _gates(figures: Figures, precision: float) -> Table:
    """A gate a line, those for one truth together."""
    table = _table([*WORDS, "threshold", "precision", "recall", "kept"], FIRST)
    gates = [(name, metric.removeprefix(PRECISION)) for name, metric in figures if metric.startswith(PRECISION)]
    for goal in dict.fromkeys(_goal(how) for _, how in gates):
        table.add_row(f"{goal}:")
        for name, how in (gate for gate in gates if _goal(gate[1]) == goal):
            table.add_row(
                "  " + name.replace(" + ", "\n  + "), how.partition(", ")[2], *_gate(figures, name, how, precision)
            )
        table.add_row()
    return table


def _gate(figures: Figures, name: str, how: str, precision: float) -> list[str]:
    """Thresholds, precision, recall and share kept; where no threshold gives the precision, only that."""
    found = figures[name, f"{PRECISION}{how}"]
    if (name, f"kept: {how}") not in figures:
        return ["none", "not reached"]
    keys = [(name, f"threshold of {judge}: {how}") for judge in name.split(" + ")]
    limits = [f"≥ {shown(figures[key].value)}" for key in keys if key in figures]
    mark = "reached" if found.value is not None and found.value >= precision else "BELOW"
    rest = [_cell(figures[name, f"{figure}: {how}"]) for figure in ("recall", "kept")]
    return ["\n".join(limits), _cell(found, f" {mark}"), *rest]


def _goal(how: str) -> str:
    return how.partition(", ")[0]


def _table(columns: Sequence[str], first: int = 0) -> Table:
    """`first` is the least width of the first column."""
    table = Table(box=None, pad_edge=False)
    for at, name in enumerate(columns):
        side: Literal["left", "right"] = "left" if name in ("", *WORDS) else "right"
        table.add_column(name, justify=side, overflow="fold", min_width=0 if at else first)
    return table


def _cell(row: Row, mark: str = "") -> str:
    """A figure above its interval."""
    if row.value is None or row.low is None or row.high is None:
        return shown(row.value) + mark
    return f"{shown(row.value)}{mark}\n{_bare(row.low)}–{_bare(row.high)}"


def _bare(value: float) -> str:
    """Two decimals, without the nought before the point.

    >>> _bare(-0.284)
    '-.28'
    """
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"
