"""What an experiment is told; light to import."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tutelage.benches.subjects.questions import CANDIDATES, RENDERS, SubjectsBench
from tutelage.errors import BadInput
from tutelage.generators.dream import TUNING
from tutelage.generators.experts import TOYBOX, ExpertSettings
from tutelage.generators.networks import GUIDANCE, STEPS
from tutelage.run import FREE
from tutelage.teachers.settings import Training

MOST: Final = 2.0
"""Above every ΔCLIP."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What all experiments have in common. Each stands on a finished run, and leaves it as it is."""

    run: Path = Path("runs/suti")
    """The run: its clusters, triplets and student, and how that student was trained."""
    out: Path = Path("runs/reproduce")
    """Folder for students, pictures and results; the same command resumes. Experiments share what they can."""
    json: Path | None = field(default=None, metadata=FREE)
    """File to write the result to as well."""
    subjects: int = 100
    """Toys that no training has seen, with five questions each."""
    learning_steps: int | None = None
    """Steps of every student; none: those of the run's own. With another number a student like it is trained too, so
    that budgets stay equal."""
    steps: int = STEPS
    """Denoising steps."""
    text_guidance: float = GUIDANCE
    subject_guidance: float = GUIDANCE
    seed: int = 0
    """Of toys, scenes, noise and resamples; students are trained with the run's."""
    candidates: int = CANDIDATES
    """Toys of its kind that the right one is picked from, itself included."""
    renders: int = RENDERS
    """Real pictures that say what a real picture is like."""
    device: str = field(default="auto", metadata=FREE)
    """auto, cpu, cuda, cuda:1, ... or mps."""
    workers: int = field(default=2, metadata=FREE)
    """Processes that render."""

    def __post_init__(self) -> None:
        if self.learning_steps is not None and self.learning_steps < 1:
            raise BadInput(f"learning-steps is {self.learning_steps}; give at least 1, or leave it out")
        if self.workers < 1:
            raise BadInput(f"workers is {self.workers}; give at least 1")
        if self.json is not None and (self.json.is_dir() or not self.json.absolute().parent.is_dir()):
            raise BadInput(f"--json {self.json}: give a file in a folder that exists")

    def bench(self, demonstrations: int = 4) -> SubjectsBench:
        """Which questions are asked.

        Raises:
            BadInput: a count is out of range.
        """
        return SubjectsBench(
            subjects=self.subjects,
            demonstrations=demonstrations,
            seed=self.seed,
            candidates=self.candidates,
            renders=self.renders,
        )


@dataclass(frozen=True, kw_only=True)
class Tables(Experiment):
    """Tables 1 to 3: one bench, of which each table takes what it needs."""

    beside: tuple[str, ...] = (
        *("dream-suti", "dreambooth", "textual-inversion", "null-text", "imagic", "sdedit", "base", "copy"),
    )
    """Who answers besides the student and re-imagen: names of `tutelage bench toybox --beside`."""
    base: str = "toybox-sd"
    """What experts start from, and who answers as base."""
    experts: ExpertSettings = TOYBOX
    """How experts are made; they draw in `steps` and with `text_guidance`, whatever their sampling says."""
    tuning: Training = TUNING
    """How dream-suti learns a toy."""


@dataclass(frozen=True, kw_only=True)
class Filter(Experiment):
    """Students of one corpus, by the ΔCLIP that a triplet must have."""

    thresholds: tuple[float, ...] = (0.1, 0.3, 0.47)
    """Besides none at all, rising. The paper's survival of 28 % is near .47 with toybox-clip."""
    likeness: bool = False
    """Have the run's limits of likeness as well at every point; the paper has ΔCLIP alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.thresholds) < 3 or sorted(set(self.thresholds)) != list(self.thresholds):
            raise BadInput(f"thresholds are {list(self.thresholds)}; give at least three, each above the one before")
        if self.thresholds[-1] >= MOST:
            raise BadInput(f"no ΔCLIP is above {self.thresholds[-1]}; give thresholds below {MOST:g}")
