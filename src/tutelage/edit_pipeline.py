"""OmniEdit as a run: pages → captioned pictures → orders → specialists' pairs → corpus → student → figures → a page."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tutelage.errors import BadInput
from tutelage.executors.base import Resources
from tutelage.executors.local import Local
from tutelage.judges.base import Judge
from tutelage.judges.clip_captions import ClipCaptions
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.judges.distilled import Distilled
from tutelage.judges.outside_mask import OutsideMask
from tutelage.judges.panel import Panel
from tutelage.judges.safety import Safety
from tutelage.judges.tags import Tags
from tutelage.judges.viescore import VieScore
from tutelage.mining.edit_orders import Ordering
from tutelage.run import FREE, open_run, take_steps
from tutelage.sources.toybox import Toybox
from tutelage.stages.settings import EditBenching, EditLearning
from tutelage.teachers.specialists.guild import Specialists
from tutelage.toybox.checkpoints import checkpoint

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from tutelage.stages.edited import Beside

TOYBOX: Final = "toybox"
LEAST: Final = -1.0
"""A cosine that all reach."""
UNFOUND: Final = (
    "what was to be masked is in none of the pictures; give other phrases or a lower masks.least in a new run"
)


@dataclass(frozen=True, kw_only=True)
class InstructionDriven:
    """A student that edits as told, from pages."""

    out: Path
    """The run directory: the same command resumes."""
    pages: str = "toybox"
    """`toybox`, or a .parquet, a .tar, a folder of either, or a folder with a folder of pictures for each subject."""
    base: str = "toybox-sd"
    """What specialists draw with: a shipped name, a folder, or a Hub id of Stable Diffusion or SDXL. The student
    starts from it too, unless its settings name another."""
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
    tags: Tags | None = None
    """A classifier that reads pictures in the words of captions; None: none."""
    viescore: VieScore | None = None
    """A multimodal model; None: it is not asked. `tutelage judge` adds its verdicts later."""
    distilled: str = ""
    """Folder or Hub id of a judge that `tutelage distill` made with the CLIP of `clip_image`. It decides in place of
    the three thresholds on CLIP's numbers, which are stored all the same. Empty: none."""
    network: str = "toybox-dino"
    """What else the distilled judge was made with; empty: nothing."""
    learning: EditLearning = field(metadata=FREE)
    """May change: `student/config.json` says what the student was trained with."""
    bench: EditBenching | None = field(default=None, metadata=FREE)
    """Which edits to measure the student with; None: none."""
    seed: int = 0
    dry_run: bool = field(default=False, metadata=FREE)
    """Print what would be done, how long it would take and how much disk it needs, and do none of it."""
    only: tuple[Literal["caption", "order", "teach", "learn", "bench"], ...] = field(default=(), metadata=FREE)
    """Do these steps and no others. None: all."""
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
        if self.dry_run:
            from tutelage.stages.edit_plan import print_edit_plan

            print_edit_plan(self)
            return
        if int(os.environ.get("RANK", "0")):  # under `accelerate launch`, one process does all that cannot be shared
            if "learn" in self.stages():
                self.learn()
            return
        open_run(self, self.out)
        take_steps(self.out, self.stages())
        from tutelage.report.page import write_report

        print(f"report: {write_report(self.out)}")

    def stages(self) -> Mapping[str, Callable[[], dict[str, int]]]:
        """The steps in order; each does what is not done yet and counts what there is."""
        steps = {"caption": self.caption, "order": self.order, "teach": self.teach, "learn": self.learn}
        every = steps if self.bench is None else {**steps, "bench": self.measure}
        return {name: step for name, step in every.items() if not self.only or name in self.only}

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
        occupied = Resources.on(self.device)
        placed = Local(workers=self.workers)
        told = (self.specialists(), self.panel(), self.out, placed, occupied)
        return teach(asked, total, *told, fruitless=UNFOUND)

    def learn(self) -> dict[str, int]:
        """Kept pairs → student."""
        from tutelage.stages.edit_card import write_edit_card
        from tutelage.stages.learnt import MODEL, learn

        counts = learn(self.lesson(), self.seed, self.device, self.out)
        write_edit_card(self.out / MODEL, self.out, self.lesson(), counts["triplets"])
        return counts

    def measure(self) -> dict[str, int]:
        """Student and specialists on edits that the student has not seen."""
        from tutelage.stages.edited import measure_edits

        assert self.bench is not None
        return measure_edits(self.bench, self.beside())

    def beside(self) -> "Beside":
        """What the student is measured beside."""
        from tutelage.stages.edited import Beside

        told = {"out": self.out, "toys": self.pages == TOYBOX, "tasks": tuple(self.ordering.tasks)}
        given = {"teacher": self.specialists(), "panel": self.panel(), "held_out": self.learning.held_out}
        made: Callable[..., Beside] = Beside
        return made(**told, **given, workers=self.workers, device=self.device)

    def lesson(self) -> EditLearning:
        """What the student is told, with what the run decides filled in."""
        return self.learning if self.learning.base else replace(self.learning, base=self.base)

    def specialists(self) -> Specialists:
        """The teacher with what the run decides filled in."""
        base = checkpoint(str(self.teacher.base or self.base))
        branch = checkpoint(str(self.teacher.branch)) if self.teacher.branch else ""
        return replace(self.teacher, base=base, branch=branch, seed=self.seed, device=self.device)

    def distilled_judge(self) -> Distilled:
        """The judge that was distilled, with its networks turned into folders."""
        clip, network = checkpoint(str(self.clip_image.clip)), checkpoint(self.network) if self.network else None
        return Distilled(model=self.distilled, clip=clip, network=network, device=self.device)

    def panel(self) -> Panel:
        """The judges; the cheap ones see every pair, so that their thresholds can be moved later."""
        clips = [
            replace(judge, clip=checkpoint(str(judge.clip)), device=self.device)
            for judge in (self.clip_image, self.clip_direction, self.clip_captions)
        ]
        others: list[Judge] = [] if self.safety.off else [replace(self.safety, device=self.device)]
        if self.distilled:
            clips = [replace(judge, threshold=LEAST) for judge in clips]
            others.append(self.distilled_judge())
        if self.tags is not None:
            others.append(replace(self.tags, tagger=checkpoint(str(self.tags.tagger)), device=self.device))
        others += [] if self.viescore is None else [replace(self.viescore, device=self.device)]
        return Panel(judges=(self.outside_mask, *clips, *others), ask_all=self.viescore is None)
