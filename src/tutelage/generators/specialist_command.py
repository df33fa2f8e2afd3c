"""`tutelage bench specialists`: the seven specialists on held-out toys."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tutelage.benches.base import print_table, write_json
from tutelage.errors import BadInput
from tutelage.recipes.omniedit import TOYBOX, omniedit
from tutelage.run import FREE, open_run
from tutelage.teachers.specialists.settings import Drawing
from tutelage.toybox.edits import TASKS, Task

if TYPE_CHECKING:
    from tutelage.judges.base import Judge


@dataclass(frozen=True, kw_only=True)
class SpecialistBench:
    """Which of the specialists' pairs are right by the truth, before and after the judges; masks; what they spare.

    Specialists and judges are those of the recipe `omniedit`. The same command resumes; with another distilled judge it
    draws nothing anew.
    """

    out: Path
    """Folder for the pairs and rows.json."""
    items: int = 100
    """Edits of each task."""
    tasks: tuple[Task, ...] = TASKS
    base: str = "toybox-sd"
    """What specialists draw with: a shipped name, a folder or a Hub id."""
    branch: str = "toybox-brush-net"
    """What those that inpaint see the surroundings with: a shipped name, a folder or a Hub id of a branch; empty:
    nothing."""
    drawing: Drawing = TOYBOX
    side: int = 128
    """Of a square picture, in pixels; other ratios have its area."""
    ratios: tuple[str, ...] = ("1:1",)
    """Aspect ratios that take turns, width to height."""
    seed: int = 0
    """Of edits, noise and resamples."""
    distilled: str = field(default="", metadata=FREE)
    """Folder or Hub id of a judge that `tutelage distill` made: what it keeps of the same pairs is measured too."""
    network: str = field(default="toybox-dino", metadata=FREE)
    """What it was made with besides toybox-clip; empty: nothing."""
    json: Path | None = field(default=None, metadata=FREE)
    """File to write the rows to as well."""
    workers: int = field(default=1, metadata=FREE)
    """Processes that draw."""
    device: str = field(default="auto", metadata=FREE)
    """auto, cpu, cuda, cuda:1, ... or mps."""

    def __post_init__(self) -> None:
        if self.items < 1 or not self.tasks or not self.ratios or self.workers < 1 or self.seed < 0:
            raise BadInput("give at least 1 item, task, ratio and worker, and a seed from 0")


def specialists_command(bench: SpecialistBench) -> None:
    """Measure specialists on held-out toys.

    Raises:
        BadInput: a value is wrong, or a checkpoint cannot be loaded.
    """
    from tutelage.benches.editing.truth import Examiner
    from tutelage.generators.edits import write_rows
    from tutelage.generators.specialist_bench import edits, mark_pairs, mask_overlaps, rows_of, teach_pairs
    from tutelage.toybox.masks import Segmenter
    from tutelage.toybox.reader import Reader

    distilled = _distilled(bench)
    asked = edits(bench.tasks, bench.items, bench.side, bench.ratios, bench.seed)
    open_run(bench, bench.out)
    told = (bench.base, bench.drawing, bench.seed, bench.device, bench.workers, bench.branch)
    masks = teach_pairs(bench.out, asked, *told)
    examiner = Examiner(Reader.load(device=bench.device), Segmenter.load(device=bench.device))
    marked = list(mark_pairs(bench.out, asked, examiner, distilled))
    rows = rows_of(asked, marked, mask_overlaps(asked, masks, bench.device), bench.seed)
    write_rows(bench.out, rows)
    if bench.json is not None:
        write_json(rows, bench.json)
    print_table(rows)


def _distilled(bench: SpecialistBench) -> "Judge | None":
    """The distilled judge as the recipe would seat it, if there is one.

    Raises:
        BadInput: it cannot be loaded.
    """
    if not bench.distilled:
        return None
    judge = replace(omniedit(), distilled=bench.distilled, network=bench.network, device=bench.device).distilled_judge()
    judge.judge([])  # sooner than after hours of drawing
    return judge
