"""The bench's figures as tables: generators below each other, metrics beside each other, intervals below figures."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from tutelage.benches.base import Row, shown
from tutelage.benches.subjects.figures import METRICS


def print_tables(rows: Sequence[Row]) -> None:
    """Print a table over all skills, then one for each skill."""
    console = Console(highlight=False)
    names = list(dict.fromkeys(row.row for row in rows))
    skills = dict.fromkeys(row.metric.partition(": ")[2] for row in rows)
    figures = {(row.row, row.metric): row for row in rows}
    for skill in skills:
        columns = {metric: f"{metric}: {skill}" if skill else metric for metric in METRICS}
        table = _table(skill or rows[0].protocol, columns)
        for name in names:
            table.add_row(name, *(_cell(figures.get((name, metric))) for metric in columns.values()))
        console.print(table)


def in_tables(row: Row) -> bool:
    """Whether `print_tables` shows a row: seconds, and what compares generators, it does not."""
    return row.metric.partition(": ")[0] in METRICS


def _table(title: str, columns: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("", overflow="fold", min_width=8)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True, min_width=11)
    return table


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return shown(row.value) if row.low is None else f"{shown(row.value)}\n{shown(row.low)}–{shown(row.high)}"
