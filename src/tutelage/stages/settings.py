"""What the steps of a run can be told, as data and light to import."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from tutelage.benches.subjects.questions import RENDERS
from tutelage.editing.pairs import PairMaker
from tutelage.errors import BadInput
from tutelage.mining.imagine import PROMPTS
from tutelage.run import FREE
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
    student: Literal["instruct-pix2pix", "concat-transformer", "controlnet", "editnet"] = "instruct-pix2pix"
    shape: EditShape = field(default_factory=EditShape)
    """What is added to the base; a student that starts from another one keeps its own."""
    training: EditTraining = field(default_factory=EditTraining)
    held_out: float = 0.0
    """Share of the source pictures, by a hash of their ids, that are not learnt from: they are asked about later."""

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise BadInput(f"held_out of learning is {self.held_out}; give a share of the pictures, from 0 to below 1")


@dataclass(frozen=True, kw_only=True)
class Wished:
    """Pairs that are drawn by Prompt-to-Prompt from captions before and after (InstructPix2Pix, §3.1)."""

    wishes: Path | None = None
    """A file with a JSON object a line: input and output, two captions, and edit, the instruction between them, as
    InstructPix2Pix's own. None: captions and instructions of the toybox's pairs."""
    maker: PairMaker = field(default_factory=lambda: PairMaker(base=""))
    """Its base, if it names none, is the run's."""
    keep: int = 4
    """Pairs of a wish at most, those that change most as their captions do."""
    rejected: bool = False
    """Store the other tries as well, as rejected."""
    clip: str = "openai/clip-vit-large-patch14"
    """Of the judges: a shipped name, a folder or a Hub id."""
    similarity: float = 0.7
    """Least cosine of source and target."""
    direction: float = 0.2
    """Least cosine of the directions in which pictures and captions change."""
    captions: float = 0.2
    """Least cosine of each picture and its caption."""

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise BadInput(f"keep is {self.keep}; give at least 1 pair a wish")


@dataclass(frozen=True, kw_only=True)
class EditBenching:
    """Which edits an editor is measured with at the end of a run.

    Where the pages are the toybox they are of held-out toys, whose truth is known; elsewhere of the pictures that
    `learning.held_out` names.
    """

    items: int = 10
    """Edits of each task."""
    ratios: tuple[str, ...] = ("1:1",)
    """Aspect ratios of the toybox's that take turns, width to height."""
    side: int = 128
    """Of a square picture of the toybox, in pixels; other ratios have its area."""
    specialists: bool = field(default=True, metadata=FREE)
    """Whether specialists, made as the run made them, answer too."""
    beside: tuple[str, ...] = field(default=(), metadata=FREE)
    """Other editors that answer: shipped names, folders or Hub ids."""
    steps: int = 24
    """Denoising steps."""
    text_guidance: float = 7.5
    image_guidance: float = 1.5
    """InstructPix2Pix's."""
    clip: str = field(default="toybox-clip", metadata=FREE)
    """CLIP for similarities: a shipped name, a folder or a Hub id."""
    curve: tuple[float, ...] = field(default=(1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2), metadata=FREE)
    """Image guidance of the curve of image similarity against direction; empty: no curve."""
    curve_items: int = field(default=2, metadata=FREE)
    """Edits of each task that the curve is drawn from."""
    curve_runs: int = field(default=3, metadata=FREE)
    """Times that they are drawn, with other noise."""
    seed: int = 0
    """Of edits, noise and resamples."""

    def __post_init__(self) -> None:
        for name in ("items", "side", "steps", "curve_items", "curve_runs"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} of the bench is {getattr(self, name)}; give at least 1")
        if not self.ratios or self.seed < 0:
            raise BadInput("the bench needs an aspect ratio and a seed from 0")


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
