"""OmniEdit's data as a run: pages → captioned pictures → orders → specialists' pairs → judged corpus."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tutelage.errors import BadInput
from tutelage.executors.base import Resources
from tutelage.executors.local import Local
from tutelage.judges.base import Judge
from tutelage.judges.clip_captions import ClipCaptions
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.judges.outside_mask import OutsideMask
from tutelage.judges.panel import Panel
from tutelage.judges.safety import Safety
from tutelage.judges.viescore import VieScore
from tutelage.mining.edit_orders import Ordering
from tutelage.run import FREE, append_log, open_run
from tutelage.sources.toybox import Toybox
from tutelage.teachers.specialists.guild import Specialists
from tutelage.toybox.checkpoints import checkpoint

UNFOUND: Final = (
    "what was to be masked is in none of the pictures; give other phrases or a lower masks.least in a new run"
)


@dataclass(frozen=True, kw_only=True)
class InstructionDriven:
    """A corpus of edits by instruction, from pages."""

    out: Path
    """The run directory: the same command resumes."""
    pages: str = "toybox"
    """`toybox`, or a .parquet, a .tar, a folder of either, or a folder with a folder of pictures for each subject."""
    base: str = "toybox-sd"
    """What specialists draw with: a shipped name, a folder, or a Hub id of Stable Diffusion or SDXL."""
    crawl: Toybox = Toybox()
    """Which crawl `toybox` is."""
    pictures: int | None = None
    """Most pictures to go on with; None: all."""
    captioner: str = "toybox-full"
    """`toybox` or `toybox-full`, `http://host:port/v1#model`, a folder or a Hub id; empty: alt texts are captions."""
    language_model: str = "toybox"
    """Who writes orders and rewrites instructions: `toybox`, `http://host:port/v1#model`, a folder or a Hub id."""
    ordering: Ordering
    teacher: Specialists
    """Its base, if it names none, is the run's."""
    clip_image: ClipImage
    clip_direction: ClipDirection
    clip_captions: ClipCaptions
    outside_mask: OutsideMask
    safety: Safety
    """It must be given a classifier, or be switched off by name."""
    viescore: VieScore | None = None
    """A multimodal model; None: it is not asked. `tutelage judge` adds its verdicts, or a distilled judge's, later."""
    seed: int = 0
    workers: int = field(default=1, metadata=FREE)
    """Processes that draw and judge. On a CPU one a core is fastest; each holds the networks."""
    device: str = field(default="auto", metadata=FREE)
    """auto, cpu, cuda, cuda:1, ... or mps."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise BadInput(f"workers is {self.workers}; give at least 1")
        if self.pictures is not None and self.pictures < 1:
            raise BadInput(f"pictures is {self.pictures}; give at least 1")

    def run(self) -> None:
        """Do what is not done yet.

        Raises:
            BadInput: a setting is wrong, a model cannot be had, or nothing is left to go on with.
        """
        self.safety.check()
        open_run(self, self.out)
        for stage, work in self.stages().items():
            started = time.monotonic()
            counts = work()
            seconds = time.monotonic() - started
            append_log(self.out, {"stage": stage, **counts, "seconds": seconds, "time": time.time()})
            print(f"{stage}: {', '.join(f'{value:,} {name}' for name, value in counts.items())}")
        from tutelage.corpus.commands import stats_command
        from tutelage.stages.taught import CORPUS

        stats_command(self.out / CORPUS)

    def stages(self) -> Mapping[str, Callable[[], dict[str, int]]]:
        """The steps in order; each does what is not done yet and counts what there is."""
        return {"caption": self.caption, "order": self.order, "teach": self.teach}

    def caption(self) -> dict[str, int]:
        """Pages → captioned pictures."""
        from tutelage.stages.mined import source_of
        from tutelage.stages.pictured import picture_pages

        return picture_pages(source_of(self.pages, self.crawl), self.captioner, self.pictures, self.device, self.out)

    def order(self) -> dict[str, int]:
        """Captions → tasks, instructions, and what specialists are told besides."""
        from tutelage.stages.pictured import order_pictures

        return order_pictures(self.ordering, self.language_model, self.device, self.seed, self.out)

    def teach(self) -> dict[str, int]:
        """Orders → pairs and verdicts."""
        from tutelage.stages.mined import count_assignments
        from tutelage.stages.pictured import orders_of
        from tutelage.stages.taught import teach

        total = count_assignments(self.out)
        asked = orders_of(self.out)
        occupied = Resources(gpus=None if self.device == "auto" else float(self.device.startswith("cuda")))
        placed = Local(workers=self.workers)
        told = (self.specialists(), self.panel(), self.out, placed, occupied)
        return teach(asked, total, *told, fruitless=UNFOUND)

    def specialists(self) -> Specialists:
        """The teacher with what the run decides filled in."""
        base = checkpoint(str(self.teacher.base or self.base))
        return replace(self.teacher, base=base, seed=self.seed, device=self.device)

    def panel(self) -> Panel:
        """The judges; the cheap ones see every pair, so that their thresholds can be moved later."""
        clips = [
            replace(judge, clip=checkpoint(str(judge.clip)), device=self.device)
            for judge in (self.clip_image, self.clip_direction, self.clip_captions)
        ]
        others: list[Judge] = [] if self.safety.off else [replace(self.safety, device=self.device)]
        others += [] if self.viescore is None else [replace(self.viescore, device=self.device)]
        return Panel(judges=(self.outside_mask, *clips, *others), ask_all=self.viescore is None)
