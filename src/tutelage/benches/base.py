"""What a bench is, and its result as rows: written as JSON, printed as tables."""

import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from tutelage.benches.intervals import Interval
from tutelage.errors import BadInput

T = TypeVar("T")


BENCH: Final = "checkpoints"
"""Name of the bench over the shipped checkpoints."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure."""

    bench: str
    protocol: str
    """How it was measured, by name; equal names are comparable."""
    row: str
    """What was measured: a checkpoint, a student, or what stands beside it, such as `renders`."""
    metric: str
    """Kind of figure, and what of: an attribute, a direction, a label."""
    value: float | None
    """None: nothing was there to measure."""
    low: float | None
    """Lower end of the 95 % interval; None: no interval."""
    high: float | None
    """Upper end."""
    n: int
    """Items it is made from."""
    missing: int = 0
    """Items that gave no figure."""


def checkpoint_row(row: str, protocol: str, metric: str, interval: Interval, n: int) -> Row:
    """A row of the bench over the checkpoints; `interval` is (value, low, high)."""
    return interval_row(BENCH, protocol, row, metric, interval, n)


def interval_row(bench: str, protocol: str, row: str, metric: str, interval: Interval, n: int, missing: int = 0) -> Row:
    """A row of any bench; `interval` is (value, low, high)."""
    value, low, high = interval
    told = {"bench": bench, "protocol": protocol, "row": row, "metric": metric}
    return Row(**told, value=value, low=low, high=high, n=n, missing=missing)


class Bench(Protocol):
    """Something that measures."""

    def run(self) -> list[Row]:
        """Measure; the same bench gives the same rows."""
        ...


@dataclass(frozen=True, kw_only=True)
class CheckpointBench:
    """What every bench of a checkpoint can be told."""

    checkpoint: str
    """A shipped name, a folder or a Hub id."""
    items: float = 1.0
    """Scale of the counts."""
    seed: int = 0
    device: str = "auto"
    workers: int = 2
    """Processes that render."""


@dataclass(frozen=True)
class AtMost:
    """A figure that must not be larger."""

    value: float


Targets = Mapping[tuple[str, str, str], float | AtMost]
"""(bench, row, metric) → the least value wanted, or the greatest."""

FIELDS: Final = tuple(field.name for field in dataclasses.fields(Row))


def write_json(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as a JSON list of objects with the fields of `Row`.

    Raises:
        BadInput: the file cannot be written.
    """
    text = json.dumps([dataclasses.asdict(row) for row in rows], indent=1, ensure_ascii=False, allow_nan=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}); give another file") from error


def print_table(rows: Sequence[Row], targets: Targets | None = None) -> None:
    """Print a table for each bench and protocol; a figure with a target gets "reached" or "BELOW" beside it."""
    from rich.console import Console

    console = Console(highlight=False)
    for (bench, protocol), group in itertools.groupby(rows, key=lambda row: (row.bench, row.protocol)):
        console.print(_table(f"{bench}: {protocol}", list(group), targets or {}))


def scaled(count: int, items: float, least: int = 1) -> int:
    """A count of items times the scale asked for, and at least `least`."""
    return max(least, round(count * items))


def progress(steps: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield the steps with a bar on stderr, if that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(steps, what, total=total, console=console, transient=True, disable=not console.is_terminal)


def _table(title: str, rows: Sequence[Row], targets: Targets) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("row", "metric"):
        table.add_column(name, overflow="fold")
    for name in ("value", "95 % interval", "n", "missing", "target"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        interval = f"{shown(row.low)} – {shown(row.high)}" if row.low is not None else ""
        goal = _goal(row.value, targets.get((row.bench, row.row, row.metric)))
        table.add_row(row.row, row.metric, shown(row.value), interval, f"{row.n:,}", f"{row.missing:,}", goal)
    return table


def shown(value: float | None) -> str:
    """A figure as people read it: three decimals, two above ten, none above ten thousand."""
    if value is None:
        return "missing"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"


def _goal(value: float | None, target: float | AtMost | None) -> str:
    if target is None:
        return ""
    if isinstance(target, AtMost):
        return f"≤ {target.value:g} {'reached' if value is not None and value <= target.value else 'ABOVE'}"
    return f"≥ {target:g} {'reached' if value is not None and value >= target else 'BELOW'}"
