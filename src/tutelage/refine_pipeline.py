"""Generative Data Refinement as a run: pairs that there are → the same drawn anew, judged before and after."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from tutelage.editing.refine import Refinement
from tutelage.errors import BadInput
from tutelage.executors.base import Resources
from tutelage.executors.local import Local
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.judges.panel import Panel
from tutelage.run import FREE, open_run, take_steps
from tutelage.toybox.checkpoints import checkpoint


@dataclass(frozen=True, kw_only=True)
class Refining:
    """A corpus of refined pairs."""

    out: Path
    """The run directory: the same command resumes."""
    data: Path
    """A corpus of edits, or a set in the layout of InstructPix2Pix (a folder) or OmniEdit (Parquet)."""
    pairs: int | None = None
    """Most pairs to go on with, the first ones; None: all."""
    kept: bool = False
    """Of a corpus, go on with the pairs that its judges kept alone."""
    captioner: str = ""
    """Who says what pictures without a caption show: `toybox-full`, `http://host:port/v1#model`, a folder or a Hub id;
    empty: all must have theirs. OmniEdit's layout has none."""
    refinement: Refinement
    """Who draws, and from how much noise."""
    clip_image: ClipImage
    clip_direction: ClipDirection
    seed: int = 0
    dry_run: bool = field(default=False, metadata=FREE)
    """Print what would be done, how long it would take and how much disk it needs, and do none of it."""
    workers: int = field(default=1, metadata=FREE)
    """Processes that draw and judge; each holds the networks."""
    device: str = field(default="auto", metadata=FREE)
    """auto, cpu, cuda, cuda:1, ... or mps."""

    def __post_init__(self) -> None:
        for name, value in (("workers", self.workers), ("pairs", self.pairs)):
            if value is not None and value < 1:
                raise BadInput(f"{name} is {value}; give at least 1")

    def run(self) -> None:
        """Do what is not done yet, and print what judges say before and after.

        Raises:
            BadInput: a setting is wrong, there are no pairs, or a model cannot be had.
        """
        if self.dry_run:
            from tutelage.stages.refine_plan import print_refine_plan

            print_refine_plan(self)
            return
        from tutelage.benches.base import print_table, write_json
        from tutelage.report.page import write_report
        from tutelage.stages.refined import compared

        open_run(self, self.out)
        take_steps(self.out, {"take": self.take, "refine": self.refine})
        rows = compared(self.out, self.seed)
        write_json(rows, self.out / "rows.json")
        print_table(rows)
        print(f"report: {write_report(self.out)}")

    def take(self) -> dict[str, int]:
        """Pairs, captioned and judged as they are."""
        from tutelage.stages.refined import take_in

        return take_in(self.data, self.captioner, self.pairs, self.panel(), self.device, self.out, kept=self.kept)

    def refine(self) -> dict[str, int]:
        """Pairs → the same drawn anew, and judged again."""
        from tutelage.stages.refined import refine_given

        occupied = Resources.on(self.device)
        return refine_given(self.redrawing(), self.panel(), self.out, Local(workers=self.workers), occupied)

    def redrawing(self) -> Refinement:
        """The refinement with what the run decides filled in."""
        models = {name: _named(getattr(self.refinement, name)) for name in ("base", "refiner")}
        return replace(self.refinement, **models, seed=self.seed, device=self.device)  # type: ignore[arg-type]

    def panel(self) -> Panel:
        """The paper's judges; both see every pair, so that thresholds can be moved later."""
        judges = (
            replace(judge, clip=checkpoint(str(judge.clip)), device=self.device)
            for judge in (self.clip_image, self.clip_direction)
        )
        return Panel(judges=tuple(judges), ask_all=True)


def _named(model: str | Path | None) -> str | Path | None:
    return None if model is None else checkpoint(str(model))
