"""What a comparison of editors is told; light to import."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tutelage.edit import IMAGE, STEPS, TEXT
from tutelage.errors import BadInput
from tutelage.recipes.omniedit import LEARNING, TOYBOX
from tutelage.run import FREE
from tutelage.stages.settings import EditLearning
from tutelage.teachers.specialists.settings import Drawing

LESSON: Final = replace(LEARNING, base="")
"""As in the recipe, on any base."""


@dataclass(frozen=True, kw_only=True)
class EditExperiment:
    """Students of one run's pairs, all in as many steps, on edits of held-out toys whose truth is known."""

    run: Path = Path("runs/omniedit")
    """A run of `tutelage run omniedit`: its pairs and what judges said of them. It is left as it is."""
    out: Path = Path("runs/reproduce-edits")
    """Folder for students, pictures and results; the same command resumes. Comparisons share what they can."""
    json: Path | None = field(default=None, metadata=FREE)
    """File to write the result to as well."""
    items: int = 100
    """Edits of each of the seven tasks."""
    learning: EditLearning = LESSON
    """How every student is trained; its base is below. Where the run's own was trained like that, it is taken as it is.
    """
    unet: str = "toybox-sd"
    """What instruct-pix2pix starts from, and specialists draw with: a shipped name, a folder or a Hub id."""
    branch: str = "toybox-brush-net"
    """What specialists that inpaint see the surroundings with; empty: nothing."""
    dit: str = "toybox-dit"
    """What concat-transformer, controlnet and editnet start from."""
    refined: Path | None = None
    """The corpus that `tutelage run refine` made of the run's; None: there is none, and refinement is not compared."""
    beside: tuple[str, ...] = field(default=(), metadata=FREE)
    """Other editors that answer at 1:1, however they were trained: shipped names, folders or Hub ids."""
    drawing: Drawing = TOYBOX
    """How specialists draw."""
    side: int = 128
    """Of a square picture, in pixels; other ratios have its area."""
    steps: int = STEPS
    """Denoising steps of students."""
    text_guidance: float = TEXT
    image_guidance: float = IMAGE
    seed: int = 0
    """Of edits, noise and resamples; students are trained with the run's."""
    device: str = field(default="auto", metadata=FREE)
    """auto, cpu, cuda, cuda:1, ... or mps."""
    workers: int = field(default=1, metadata=FREE)
    """Processes in which specialists draw."""

    def __post_init__(self) -> None:
        for name in ("items", "side", "steps", "workers"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; give at least 1")
        if not 0 <= self.seed < 2**31:
            raise BadInput(f"seed is {self.seed}; give a number from 0 to 2**31 - 1")
        if len({Path(one).name for one in self.beside}) < len(self.beside):
            raise BadInput(f"--beside {' '.join(self.beside)}: rows are named after folders; give each its own name")
        if self.json is not None and (self.json.is_dir() or not self.json.absolute().parent.is_dir()):
            raise BadInput(f"--json {self.json}: give a file in a folder that exists")

    def lesson(self, student: str = "") -> EditLearning:
        """How a student of that kind is trained; empty: of the kind that the settings name."""
        kind = student or self.learning.student
        base = self.unet if kind == "instruct-pix2pix" else self.dit
        if kind == self.learning.student:
            base = self.learning.base or base
        return replace(self.learning, student=kind, base=base)  # type: ignore[arg-type]
