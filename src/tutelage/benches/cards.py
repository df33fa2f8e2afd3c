"""Figures on a model card: a Markdown table at the end of a folder's README."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tutelage.benches.base import Row, shown
from tutelage.errors import BadInput

HEADING: Final = "## Figures"


def write_figures(folder: Path, rows: Sequence[Row], command: str) -> None:
    """Put `rows` into `folder/README.md`, in place of the figures of an earlier time; `command` printed them.

    Raises:
        BadInput: the folder has no model card.
    """
    card = folder / "README.md"
    if not card.is_file():
        raise BadInput(f"{card} is not there; only folders with a model card can take figures")
    kept = card.read_text(encoding="utf-8").partition(HEADING)[0].rstrip()
    card.write_text(f"{kept}\n\n{HEADING}\n\nOn held-out toys, by `{command}`.\n\n{table(rows)}\n", encoding="utf-8")


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head = "| protocol | row | metric | value | 95 % interval | n |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(_line(row) for row in rows)])


def _line(row: Row) -> str:
    interval = f"{shown(row.low)} – {shown(row.high)}" if row.low is not None else ""
    return f"| {row.protocol} | {row.row} | {row.metric} | {shown(row.value)} | {interval} | {row.n:,} |"
