"""`tutelage agreement`: scores beside human raters, and raters beside each other."""

from collections.abc import Sequence
from pathlib import Path

from tutelage.benches.agreement.alpha import Level
from tutelage.benches.base import Row, shown, write_json
from tutelage.errors import BadInput


def agreement_command(
    ratings: Path,
    /,
    *,
    scores: tuple[Path, ...] = (),
    alpha: Level = "interval",
    json: Path | None = None,
    seed: int = 0,
) -> None:
    """Print how far scores agree with human raters: Spearman's ρ by task beside the human–human ceiling.

    A task is a folder with a TSV file a rater: uid<TAB>model..., cells such as [0.5, 1]. A table of scores has the
    columns item, model and score, and may have task, aspect and judge; the modules under tutelage/benches/agreement say
    more.

    Args:
        ratings: Folder of ratings: of one task, or with a folder for each.
        scores: Tables of judges' or metrics' scores: CSV, TSV, JSON, JSON lines or Parquet.
        alpha: How values differ for Krippendorff's α: nominal, ordinal or interval.
        json: File to write the rows to as well.
        seed: Of the resamples.

    Raises:
        BadInput: a file cannot be read or written, or is not what it should be.
    """
    from tutelage.benches.agreement.figures import rows_of
    from tutelage.benches.agreement.ratings import read_tasks
    from tutelage.benches.agreement.scores import check_fit, read_scores

    if not 0 <= seed < 2**63:
        raise BadInput(f"--seed {seed} is not within 0 to 2**63 - 1")
    tasks = read_tasks(ratings)
    judges = [judge for path in scores for judge in read_scores(path)]
    for judge in judges:
        check_fit(judge, tasks)
    names = [judge.judge for judge in judges]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadInput(f"two tables hold scores of '{min(twice)}'; rename a file, or name the judges in a column")
    rows = rows_of(tasks, judges, alpha, seed)
    print_rows(rows)
    if json is not None:
        write_json(rows, json)


def print_rows(rows: Sequence[Row]) -> None:
    """Print a table for each task: aspects beside each other, intervals below figures."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for protocol in dict.fromkeys(row.protocol for row in rows):
        cells = {(row.row, *row.metric.split(": ", 1)): row for row in rows if row.protocol == protocol}
        aspects = list(dict.fromkeys(aspect for _, aspect, _ in cells))
        table = Table(title=protocol, title_justify="left", box=None, pad_edge=False)
        for name in ("", ""):
            table.add_column(name, overflow="fold")
        for aspect in aspects:
            table.add_column(aspect, justify="right", no_wrap=True)
        for who, figure in dict.fromkeys((who, figure) for who, _, figure in cells):
            table.add_row(who, figure, *(_cell(cells.get((who, aspect, figure))) for aspect in aspects))
        console.print(table)


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    interval = "" if row.low is None else f"\n{shown(row.low)} – {shown(row.high)}"
    return f"{shown(row.value)}{interval}\nn {row.n:,}{f', missing {row.missing:,}' if row.missing else ''}"
