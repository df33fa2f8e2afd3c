"""`tutelage reproduce NAME`: do an experiment, print what holds, and leave JSON and a page."""

import json
from typing import TYPE_CHECKING, Any

from tutelage.errors import BadInput
from tutelage.reproduce.edit_settings import EditExperiment
from tutelage.reproduce.settings import Experiment, Filter, Tables

if TYPE_CHECKING:
    from tutelage.reproduce.result import Result


def table1_command(experiment: Tables) -> None:
    """Table 1: SuTI beside DreamBooth, Textual Inversion and Re-Imagen by DINO, CLIP-I and CLIP-T."""
    from tutelage.reproduce.tables import table1

    write(table1(experiment))


def table2_command(experiment: Tables) -> None:
    """Table 2: all baselines by subject, text, photorealism and all three; seconds and bytes for each subject."""
    from tutelage.reproduce.tables import table2

    write(table2(experiment))


def table3_command(experiment: Tables) -> None:
    """Table 3: Dream-SuTI, the student trained once more on each subject."""
    from tutelage.reproduce.tables import table3

    write(table3(experiment))


def figure6_command(experiment: Experiment) -> None:
    """Figure 6: the student by how many demonstrations it is shown, from 0 to 5."""
    from tutelage.reproduce.experiments import figure6

    write(figure6(experiment))


def filter_command(experiment: Filter) -> None:
    """Section 5.3: students by the ΔCLIP that is asked of their triplets, at equal steps."""
    from tutelage.reproduce.experiments import filter_

    write(filter_(experiment))


def copy_paste_command(experiment: Experiment) -> None:
    """The first version, trained from one picture of a subject to another, beside the real one."""
    from tutelage.reproduce.experiments import copied

    write(copied(experiment))


def edits_command(experiment: EditExperiment) -> None:
    """OmniEdit's claims, all of them; each of the other commands `edit-...` makes one of the comparisons."""
    _compare(experiment, "edits")


def edit_specialists_command(experiment: EditExperiment) -> None:
    """One editor beside the seven specialists that made its pairs."""
    _compare(experiment, "edit-specialists")


def edit_sources_command(experiment: EditExperiment) -> None:
    """One editor of all tasks beside seven of one task each."""
    _compare(experiment, "edit-sources")


def edit_filter_command(experiment: EditExperiment) -> None:
    """An editor of what the judges kept beside one of all pairs."""
    _compare(experiment, "edit-filter")


def edit_refined_command(experiment: EditExperiment) -> None:
    """Editors of the same pairs, refined and as they were."""
    _compare(experiment, "edit-refined")


def edit_students_command(experiment: EditExperiment) -> None:
    """EditNet, ControlNet and channel concatenation on the same pairs and the same base."""
    _compare(experiment, "edit-students")


def edit_shapes_command(experiment: EditExperiment) -> None:
    """An editor on upright and wide pictures beside square ones."""
    _compare(experiment, "edit-shapes")


def _compare(experiment: EditExperiment, name: str) -> None:
    from tutelage.reproduce.edits import compare

    write(compare(experiment, name))


def write(result: "Result") -> None:
    """Print an experiment's figures and claims; write `NAME.json` and `NAME.html` into its folder.

    Raises:
        BadInput: a file cannot be written.
    """
    from tutelage.reproduce.page import page
    from tutelage.run import write_atomic

    experiment, told = result.experiment, result.plain()
    data = (json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    files = {experiment.out / f"{result.name}.json": data, experiment.out / f"{result.name}.html": page(result)}
    if experiment.json is not None:
        files[experiment.json] = data
    for path, content in files.items():
        try:
            write_atomic(path, content)
        except OSError as error:
            raise BadInput(f"{path} cannot be written ({error.strerror}); make room or rights for it") from error
    _print(result)
    print(f"page: {experiment.out / f'{result.name}.html'}")


def _print(result: "Result") -> None:
    from rich.console import Console

    from tutelage.benches.base import print_table

    wanted = {*result.metrics}
    print_table([row for row in result.rows if row.metric in wanted])
    console = Console(highlight=False)
    console.print(_table(result))


def _table(result: "Result") -> Any:
    from rich.table import Table

    table = Table(title=result.title, title_justify="left", box=None, pad_edge=False)
    for name in ("claim", "of", "paper", "limit", "ours", "95 % interval", "verdict"):
        table.add_column(name, overflow="fold", justify="left" if name in ("claim", "of", "verdict") else "right")
    for one in result.said:
        paper, value, low, high = (
            "" if x is None else f"{x:+.3f}" for x in (one.claim.paper, one.value, one.low, one.high)
        )
        limit, interval = f"{one.claim.least:+g}", f"{low} – {high}" if low else ""
        table.add_row(one.claim.text, one.claim.metric, paper, limit, value, interval, one.verdict)
    return table
