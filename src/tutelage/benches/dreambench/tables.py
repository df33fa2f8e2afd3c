"""A bench's rows as tables: who answered below each other, metrics beside each other, intervals below figures."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from tutelage.benches.base import Row, shown
from tutelage.benches.dreambench.figures import MISSING, UNRATED
from tutelage.benches.dreambench.likeness import ABOVE, flagged

Figures = Mapping[tuple[str, str], Row]
"""(generator, metric) → its figure."""
COLUMNS: Final = 5
"""Of a printed table at most: more do not fit a terminal."""


class Block(NamedTuple):
    """One table."""

    protocol: str
    title: str
    names: list[str]
    metrics: list[str]
    figures: Figures


def tables(rows: Sequence[Row]) -> list[Block]:
    """One table for each protocol, and one for each group of prompts in it."""
    groups: dict[tuple[str, str], dict[tuple[str, str], Row]] = {}
    for row in rows:
        if not _in_words(row.metric):
            groups.setdefault((row.protocol, _part(row.metric)), {})[row.row, row.metric] = row
    made = []
    for (protocol, part), figures in groups.items():
        title = f"{protocol}{f': {part}' if part else ''}"
        names, metrics = _unique(name for name, _ in figures), _unique(what for _, what in figures)
        made.append(Block(protocol, title, names, metrics, figures))
    return made


def remarks(rows: Sequence[Row]) -> list[str]:
    """What figures alone do not say: whose pictures look like copies, and what is missing and why."""
    flags = [f"{name}, {protocol.partition(', ')[2]}: {why}" for (protocol, name), why in flagged(rows).items()]
    return flags + [
        f"{row.row}: {row.missing:,} of {row.n:,} {row.metric}"
        for row in rows
        if row.metric.startswith((MISSING, UNRATED))
    ]


def print_rows(rows: Sequence[Row]) -> None:
    """Print everything."""
    console = Console(highlight=False)
    flags = flagged(rows)
    for block in tables(rows):
        for at in range(0, len(block.metrics), COLUMNS):
            part = block._replace(title=block.title if at == 0 else "", metrics=block.metrics[at : at + COLUMNS])
            console.print(_table(part, {name for protocol, name in flags if protocol == block.protocol}))
    for line in remarks(rows):
        console.print(line, markup=False)


def _table(block: Block, flagged: Set[str]) -> Table:
    table = Table(title=block.title, title_justify="left", box=None, pad_edge=False)
    table.add_column("", overflow="fold", min_width=12)
    for metric in block.metrics:
        table.add_column(short(metric), justify="right", min_width=11, overflow="fold")
    for name in block.names:
        cells = (_cell(block.figures.get((name, metric))) for metric in block.metrics)
        table.add_row(f"{name} !" if name in flagged else name, *cells)
    return table


def short(metric: str) -> str:
    """A metric without the group that its table is of.

    >>> short("subject: level 2")
    'subject'
    """
    return metric.partition(": ")[0]


def _part(metric: str) -> str:
    return metric.partition(": ")[2]


def _in_words(metric: str) -> bool:
    """Whether a figure is told below the tables."""
    return metric.startswith((MISSING, UNRATED)) or metric.endswith(ABOVE)


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return shown(row.value) if row.low is None else f"{shown(row.value)}\n{shown(row.low)}–{shown(row.high)}"
