"""`tutelage plan`: tables on the terminal, and the same figures as JSON."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from tutelage.errors import BadInput
from tutelage.planning.plan import Busy, Recovery, Step, busiest, planned
from tutelage.planning.rates import Rates, rates_of
from tutelage.planning.settings import Planning
from tutelage.report.wording import UNKNOWN, duration
from tutelage.run import write_atomic


def plan_command(planning: Planning) -> None:
    """Say what a run of many subjects would take on a cluster, and what its failures would cost, from a run's rates.

    Teaching is simulated second by second with workers that are preempted and dawdle, by the code that drives every
    run. Mining and imagining are multiplied up.
    """
    with TemporaryDirectory(prefix="tutelage-") as folder:
        rates = rates_of(planning.run, Path(folder) / "corpus")
    steps, recoveries = [], []
    for subjects in planning.subjects:
        started = time.monotonic()
        some, recovery = planned(rates, planning.cluster, subjects, planning.steps or rates.steps, planning.seed)
        steps += some
        recoveries.append(recovery)
        print(f"{subjects:,} subjects simulated in {duration(time.monotonic() - started)}", file=sys.stderr)
    busy = list(busiest(rates, planning.cluster, planning.seed))
    _print(planning, rates, steps, recoveries, busy)
    if planning.json:
        _write(planning.json, rates, steps, recoveries, busy)


def _print(
    planning: Planning, rates: Rates, steps: Sequence[Step], recoveries: Sequence[Recovery], busy: Sequence[Busy]
) -> None:
    console = Console(highlight=False)
    cluster = planning.cluster
    each = rates.shard / rates.subjects / cluster.speed
    console.print(f"{cluster.workers:,} workers, {duration(each)} a subject, {rates.triplets:.1f} triplets, "
                  f"{rates.kept:.0%} kept; {cluster.cores:,} cores mine; {cluster.learners:,} learners")  # fmt: skip
    for table in (_steps(steps), _recoveries(recoveries), _busy(busy)):
        console.print()
        console.print(table)
    if rates.step is None:
        console.print("the run has trained no student for long enough to measure it: learning is left out")


def _steps(steps: Sequence[Step]) -> Table:
    table = _table("subjects", "step", "time", "cost", "disk", "limited by")
    for subjects in dict.fromkeys(step.subjects for step in steps):
        some = [step for step in steps if step.subjects == subjects]
        slowest = max(some, key=lambda step: step.seconds)
        for step in some:
            name = f"{step.name} (longest)" if step is slowest else step.name
            table.add_row(f"{subjects:,}" if step is some[0] else "", name, *_costs(step), step.limit)
        seconds, money, size = (sum(getattr(step, name) for step in some) for name in ("seconds", "money", "bytes"))
        table.add_row("", "all", duration(seconds), f"{money:,.0f}", decimal(round(size)), "")
    return table


def _costs(step: Step) -> tuple[str, str, str]:
    return duration(step.seconds), f"{step.money:,.0f}", decimal(round(step.bytes)) if step.bytes else UNKNOWN


def _recoveries(recoveries: Sequence[Recovery]) -> Table:
    table = _table("subjects", "workers died", "driver died", "work lost", "time lost", "cost of failures")
    for one in recoveries:
        lost = [duration(max(0.0, seconds)) for seconds in (one.again, one.seconds)]
        table.add_row(f"{one.subjects:,}", f"{one.deaths:,}", f"{one.restarts:,}", *lost, f"{one.money:,.0f}")
    return table


def _busy(busy: Sequence[Busy]) -> Table:
    table = _table("workers", "subjects an hour", "workers busy", "writer busy", "driver busy", "limited by")
    for one in busy:
        shares = [f"{value:.1%}" for value in (one.taught.workers, one.taught.writer, one.taught.driver)]
        table.add_row(f"{one.workers:,}", f"{one.subjects_per_hour:,.0f}", *shares, one.taught.limit)
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, justify="left" if name in ("step", "limited by") else "right")
    return table


def _write(
    path: Path, rates: Rates, steps: Sequence[Step], recoveries: Sequence[Recovery], busy: Sequence[Busy]
) -> None:
    tables: dict[str, Sequence[Step | Recovery | Busy]] = {"steps": steps, "recovery": recoveries, "busy": busy}
    figures = {"rates": asdict(rates), **{name: [asdict(row) for row in rows] for name, rows in tables.items()}}
    try:
        write_atomic(path, (json.dumps(figures, indent=1) + "\n").encode())
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}); give another file") from error
