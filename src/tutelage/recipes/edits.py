"""Editors: students of (source, instruction, target), from pairs whose truth is known or from a corpus that is there.

Docstrings give the command; docs/log.md has what a step costs. The editor that ships is the student of `omniedit`.
"""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from tutelage.editing.pairs import PairMaker
from tutelage.editing.settings import Drawing
from tutelage.errors import BadInput
from tutelage.recipes.omniedit import CAPTIONS, DIRECTION, SIMILARITY
from tutelage.run import FREE, open_run, take_steps
from tutelage.stages.settings import EditLearning, Wished
from tutelage.students.settings import EditShape, EditTraining
from tutelage.toybox.checkpoints import checkpoint
from tutelage.toybox.pairs import Pairs
from tutelage.training.settings import Schedule

RUNS = Path("runs")

SIZES = ((128, 128), (96, 144), (144, 96), (112, 144), (144, 112), (96, 160), (160, 96))
"""The buckets of toybox-sd and toybox-dit for OmniEdit's seven aspect ratios, (height, width)."""


@dataclass(frozen=True, kw_only=True)
class InstructionEditing:
    """A student that edits a picture as told."""

    out: Path
    """The run directory: the same command resumes."""
    base: str = "toybox-sd"
    """What the student starts from: a shipped name, a folder or a Hub id; Stable Diffusion or SDXL for
    instruct-pix2pix, SD3 for the others."""
    corpus: Path | None = None
    """A corpus of edits to learn from, judged or not; None: pairs of the toybox, in the run's own."""
    pairs: Pairs = Pairs(sizes=SIZES)
    """Which pairs of the toybox, where no corpus is given."""
    made_by: Literal["exact", "prompt-to-prompt"] = "exact"
    """Exact pairs are rendered: the truth. Prompt-to-Prompt draws both pictures with the base, as InstructPix2Pix does;
    of the toybox's pairs it is told the captions alone."""
    wished: Wished = field(default_factory=Wished)
    """What Prompt-to-Prompt is told."""
    learning: EditLearning = field(metadata=FREE)
    """May change: `student/config.json` says what the student was trained with."""
    seed: int = 0
    only: tuple[Literal["pair", "learn"], ...] = field(default=(), metadata=FREE)
    """Do these steps and no others. None: all."""
    workers: int = field(default=1, metadata=FREE)
    """Processes that make pairs."""
    device: str = field(default="auto", metadata=FREE)
    """auto, cpu, cuda, cuda:1, ... or mps."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise BadInput(f"workers is {self.workers}; give at least 1")

    def run(self) -> None:
        """Do what is not done yet.

        Raises:
            BadInput: a setting is wrong, a model cannot be had, or no pair is kept.
        """
        if int(os.environ.get("RANK", "0")):  # under `accelerate launch`, one process does all that cannot be shared
            self.learn()
            return
        open_run(self, self.out)
        steps = {"pair": self.pair, "learn": self.learn}
        take_steps(self.out, {name: step for name, step in steps.items() if not self.only or name in self.only})

    def pair(self) -> dict[str, int]:
        """Edits of the toybox, or wishes → triplets, unless a corpus is given."""
        if self.corpus is not None:
            return {}
        if self.made_by == "prompt-to-prompt":
            from tutelage.stages.wished import grant_wishes

            base = checkpoint(str(self.wished.maker.base or self.base))
            maker = replace(self.wished.maker, base=base, seed=self.seed, device=self.device)
            return grant_wishes(replace(self.wished, maker=maker), self.pairs, self.out, self.workers, self.device)
        from tutelage.stages.paired import write_truth

        return write_truth(self.pairs, self.out, self.workers)

    def learn(self) -> dict[str, int]:
        """Kept triplets → student."""
        from tutelage.stages.edit_card import write_edit_card
        from tutelage.stages.learnt import MODEL, learn

        how = self.learning if self.learning.base else replace(self.learning, base=self.base)
        counts = learn(how, self.seed, self.device, self.out, self.corpus)
        write_edit_card(self.out / MODEL, self.out, how, counts["triplets"])
        return counts


def instruct_pix2pix() -> InstructionEditing:
    """InstructPix2Pix (Brooks et al. 2023) on toybox-sd, from exact pairs of all seven tasks.

    `tutelage run instruct-pix2pix`
    """
    schedule = Schedule(steps=12_000, batch=32, lr=3e-4, warmup=200, decay=0.5, ema=0.999)
    return InstructionEditing(
        out=RUNS / "instruct-pix2pix",
        learning=EditLearning(student="instruct-pix2pix", training=EditTraining(), schedule=schedule),
    )


def prompt_to_prompt() -> InstructionEditing:
    """InstructPix2Pix from pairs that toybox-sd drew itself by Prompt-to-Prompt, as its own are made.

    `tutelage run prompt-to-prompt`. For Stable Diffusion give `--base OWNER/NAME --wished.wishes FILE --wished.clip
    openai/clip-vit-large-patch14`, and InstructPix2Pix's numbers: `--wished.maker.tries 100 --wished.maker.guidance 7.5
    15 --wished.maker.drawing.steps 100 --wished.similarity 0.7 --wished.direction 0.2 --wished.captions 0.2`.
    """
    drawing = Drawing(steps=12, scheduler="DDIMScheduler")
    maker = PairMaker(base="", tries=8, guidance=(2.0, 5.0), drawing=drawing)
    wished = Wished(
        maker=maker, clip="toybox-clip", similarity=SIMILARITY, direction=DIRECTION, captions=CAPTIONS
    )  # fmt: skip
    plain = instruct_pix2pix()
    return replace(
        plain, out=RUNS / "prompt-to-prompt", made_by="prompt-to-prompt", wished=wished, pairs=Pairs(count=5000)
    )


def cosxl_edit() -> InstructionEditing:
    """The same with EDM's noise levels, as CosXL-Edit has them.

    `tutelage run cosxl-edit`
    """
    plain = instruct_pix2pix()
    learning = replace(plain.learning, shape=EditShape(schedule="edm"))
    return replace(plain, out=RUNS / "cosxl-edit", learning=learning)


def controlnet() -> InstructionEditing:
    """A ControlNet on toybox-dit, from the same pairs: what EditNet is compared with.

    `tutelage run controlnet`
    """
    schedule = Schedule(steps=12_000, batch=32, lr=3e-4, warmup=200, decay=0.5, ema=0.999)
    return InstructionEditing(
        out=RUNS / "controlnet",
        base="toybox-dit",
        learning=EditLearning(student="controlnet", schedule=schedule),
    )


def concat_transformer() -> InstructionEditing:
    """InstructPix2Pix on toybox-dit, from the same pairs: what ControlNet and EditNet are compared with.

    `tutelage run concat-transformer`
    """
    plain = controlnet()
    learning = replace(plain.learning, student="concat-transformer")
    return replace(plain, out=RUNS / "concat-transformer", learning=learning)


def editnet() -> InstructionEditing:
    """EditNet (OmniEdit) on toybox-dit, from the same pairs.

    `tutelage run editnet`
    """
    plain = controlnet()
    return replace(plain, out=RUNS / "editnet", learning=replace(plain.learning, student="editnet"))


def edit_debug() -> InstructionEditing:
    """An editor, trained too shortly to learn anything.

    `tutelage run edit-debug`; seconds.
    """
    plain = instruct_pix2pix()
    short = Schedule(steps=3, batch=2, lr=1e-4)
    pairs = Pairs(count=14, sizes=SIZES)
    return replace(plain, out=RUNS / "edit-debug", pairs=pairs, learning=replace(plain.learning, schedule=short))
