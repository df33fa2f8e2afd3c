"""SuTI's Algorithm 1 as a run: pages → clusters → assignments → triplets → corpus → student → figures → a page."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from tutelage.errors import BadInput
from tutelage.executors.base import Executor, Resources
from tutelage.executors.local import Local
from tutelage.executors.ray import Ray
from tutelage.judges.delta_clip import DeltaClip
from tutelage.judges.likeness import Likeness
from tutelage.judges.panel import Panel
from tutelage.judges.safety import Safety
from tutelage.mining.settings import Mining
from tutelage.run import FREE, open_run, take_steps
from tutelage.sources.toybox import Toybox
from tutelage.stages.settings import Benching, Imagining, Learning
from tutelage.teachers.dreambooth import DreamBooth
from tutelage.teachers.fleet import Fleet
from tutelage.toybox.checkpoints import checkpoint


@dataclass(frozen=True, kw_only=True)
class SubjectDriven:
    """A student of a subject's pictures and a text, from pages."""

    out: Path
    """The run directory, which is all that a run knows: the same command resumes."""
    pages: str = "toybox"
    """`toybox`, or a .parquet, a .tar, a folder of either, or a folder with a folder of pictures for each subject."""
    base: str = "toybox-sd"
    """What experts and student start from: a shipped name, a folder, or a Hub id of Stable Diffusion or SDXL."""
    crawl: Toybox = Toybox()
    """Which crawl `toybox` is."""
    mining: Mining = Mining()
    imagining: Imagining = Imagining()
    teacher: Fleet | DreamBooth | None
    """Its base, if it names none, is the run's. None: a subject's own pictures are the targets, by their captions."""
    delta_clip: DeltaClip
    likeness: Likeness
    safety: Safety
    """It must be given a classifier, or be switched off by name."""
    learning: Learning = field(metadata=FREE)
    """May change: `student/config.json` says what the student was trained with."""
    bench: Benching | None = field(default=None, metadata=FREE)
    """Which held-out toys to measure the student with; None: none."""
    seed: int = 0
    dry_run: bool = field(default=False, metadata=FREE)
    """Print what would be done, how long it would take and how much disk it needs, and do none of it."""
    only: tuple[Literal["mine", "imagine", "teach", "learn", "bench"], ...] = field(default=(), metadata=FREE)
    """Do these steps and no others, so that several machines can share a run: one teaches, others learn. None: all."""
    workers: int | None = field(default=None, metadata=FREE)
    """Processes that teach and judge; each holds the networks. On a CPU one a core is fastest. None: this one alone; on
    Ray, as many as the cluster has room for."""
    executor: Literal["local", "ray"] = field(default="local", metadata=FREE)
    """Where workers run: on this machine, or on a Ray cluster, where pages are sorted too."""
    ray_address: str = field(default="", metadata=FREE)
    """`auto` (the cluster that this machine belongs to) or host:port; empty: Ray is started on this machine."""
    device: str = field(default="auto", metadata=FREE)
    """auto, cpu, cuda, cuda:1, ... or mps."""

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise BadInput(f"workers is {self.workers}; give at least 1")
        if self.ray_address and self.executor != "ray":
            raise BadInput(f"--ray-address {self.ray_address} is of no use here; give --executor ray as well")

    def run(self) -> None:
        """Do what is not done yet.

        Raises:
            BadInput: a setting is wrong, a model cannot be had, or nothing is left to go on with.
        """
        self.safety.check()
        if self.dry_run:
            from tutelage.stages.plan import print_plan

            print_plan(self)
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
        steps = {"mine": self.mine, "imagine": self.imagine, "teach": self.teach, "learn": self.learn}
        every = steps if self.bench is None else {**steps, "bench": self.measure}
        return {name: step for name, step in every.items() if not self.only or name in self.only}

    def mine(self) -> dict[str, int]:
        """Pages → clusters (§3.1)."""
        from tutelage.stages.mined import mine_pages, source_of

        self.placed().take_frames()
        return mine_pages(source_of(self.pages, self.crawl), replace(self.mining, device=self.device), self.out)

    def imagine(self) -> dict[str, int]:
        """Clusters → unseen prompts (§3.2)."""
        from tutelage.stages.mined import imagine_prompts

        return imagine_prompts(self.imagining, replace(self.mining, device=self.device), self.seed, self.out)

    def teach(self) -> dict[str, int]:
        """Assignments → triplets and verdicts (Eq. 4 and 6)."""
        from tutelage.stages.mined import assignments_of, count_assignments
        from tutelage.stages.taught import teach

        total = count_assignments(self.out)
        assignments = assignments_of(self.out, self.imagining)
        occupied = Resources.on(self.device)
        return teach(assignments, total, self.teachers(), self.panel(), self.out, self.placed(), occupied)

    def learn(self) -> dict[str, int]:
        """Kept triplets → student (Eq. 5)."""
        from tutelage.stages.card import write_card
        from tutelage.stages.learnt import MODEL, learn

        counts = learn(self.lesson(), self.seed, self.device, self.out)
        write_card(self.out / MODEL, self.out, self.lesson(), counts["triplets"])
        return counts

    def measure(self) -> dict[str, int]:
        """Student, experts and renders on toys that nobody has seen."""
        from tutelage.stages.measured import measure

        assert self.bench is not None
        return measure(self.bench, self.teachers(), self.base, self.device, self.out)

    def lesson(self) -> Learning:
        """What the student is told, with what the run decides filled in."""
        return self.learning if self.learning.base else replace(self.learning, base=self.base)

    def placed(self) -> Executor:
        """Where steps run."""
        if self.executor == "ray":
            return Ray(address=self.ray_address, workers=self.workers)
        return Local(workers=self.workers or 1)

    def teachers(self) -> Fleet | DreamBooth | None:
        """The teacher with what the run decides filled in."""
        if self.teacher is None:
            return None
        base = checkpoint(str(self.teacher.base or self.base))
        return replace(self.teacher, base=base, seed=self.seed, device=self.device)

    def panel(self) -> Panel:
        """The judges; all see every triplet, so that thresholds can be moved later."""
        clip = replace(self.delta_clip, clip=checkpoint(str(self.delta_clip.clip)), device=self.device)
        likeness = replace(self.likeness, network=checkpoint(str(self.likeness.network)), device=self.device)
        safety = replace(self.safety, device=self.device)
        return Panel(judges=(clip, likeness) if safety.off else (clip, likeness, safety), ask_all=True)
