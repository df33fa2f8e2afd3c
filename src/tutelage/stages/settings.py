"""What the steps of a run can be told, as data and light to import."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from tutelage.benches.subjects.questions import RENDERS
from tutelage.errors import BadInput
from tutelage.mining.imagine import PROMPTS
from tutelage.students.settings import EditShape, EditTraining, SutiShape, SutiTraining
from tutelage.training.settings import Schedule


@dataclass(frozen=True, kw_only=True)
class Imagining:
    """What is asked for of each subject."""

    prompts: int = PROMPTS
    """Prompts for a subject; skills take turns."""
    words: Literal["imagined", "captions"] = "imagined"
    """Unseen prompts from the language model, or the captions that the subject's own pictures came with."""
    subjects: int | None = None
    """Most subjects to go on with, the first ones; None: all that mining found."""

    def __post_init__(self) -> None:
        for name, value in (("prompts", self.prompts), ("subjects", self.subjects)):
            if value is not None and value < 1:
                raise BadInput(f"{name} of imagining is {value}; give at least 1")


@dataclass(frozen=True, kw_only=True)
class Course:
    """How any student is made of what was kept."""

    base: str = ""
    """What it starts from: a shipped name, a folder or a Hub id, maybe of a student; empty: what the run has."""
    schedule: Schedule
    gate: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Judge → least and greatest score of the triplets to learn from; a judge without one counts by what it kept."""
    optimiser: Literal["adafactor", "adamw"] = "adamw"
    """Adafactor is the paper's, with lr 1e-4."""
    bf16: bool = True
    """Compute in bfloat16; weights stay in float32."""
    weights: Literal["fp32", "fp16", "bf16"] = "fp16"
    """Number format of the finished student's weights."""


@dataclass(frozen=True, kw_only=True)
class Learning(Course):
    """How SuTI's apprentice is made."""

    student: ClassVar[str] = "suti"
    shape: SutiShape = field(default_factory=SutiShape)
    """Where the new attention is; a student that starts from another one keeps its own."""
    training: SutiTraining = field(default_factory=SutiTraining)
    early: int | None = None
    """Begin with so many kept triplets while experts are still at work, and take in more as they come, every hundred
    steps. None: begin when all is taught."""

    def __post_init__(self) -> None:
        if self.early is not None and self.early < 1:
            raise BadInput(f"early of learning is {self.early}; give at least 1")


@dataclass(frozen=True, kw_only=True)
class EditLearning(Course):
    """How an editor is made of pairs."""

    early: ClassVar[None] = None
    """It begins when all pairs are made, for they are sorted by size first."""
    student: Literal["instruct-pix2pix", "controlnet", "editnet"] = "instruct-pix2pix"
    shape: EditShape = field(default_factory=EditShape)
    """What is added to the base; a student that starts from another one keeps its own."""
    training: EditTraining = field(default_factory=EditTraining)


@dataclass(frozen=True, kw_only=True)
class Benching:
    """Which held-out toys the student is measured with at the end of a run."""

    subjects: int = 20
    """With five questions each."""
    renders: int = RENDERS
    """Real pictures that say what a real picture is like."""
    experts: bool = True
    """Whether experts, made as the run made them, answer too."""
    baselines: tuple[str, ...] = ()
    """Who answers as well, with what suits the toybox: dreambooth, textual-inversion, imagic, sdedit or expert."""
    interleaved: bool = False
    """Draw with Re-Imagen's guidance: at each step towards the text or towards the demonstrations."""
    beside: tuple[str, ...] = ()
    """Other students that answer: shipped names, folders or Hub ids."""
