"""The recipe of toybox-dit, the base of editors on transformers."""

from dataclasses import dataclass, replace
from pathlib import Path

from tutelage.recipes.toybox import RUNS, Training, finished
from tutelage.toybox.checkpoints import checkpoint
from tutelage.training.renders import Renders
from tutelage.training.settings import DitShape, Emphasis, Schedule


@dataclass(frozen=True, kw_only=True)
class DitTraining(Training):
    """Text to image with a transformer, in the layout of Stable Diffusion 3."""

    shape: DitShape = DitShape()
    expert: str = "toybox-sd"
    """A Stable Diffusion with an `AutoencoderTiny`, whose codec and text encoder it takes, and which it learns from: a
    shipped name or a folder."""
    text: str = "toybox-clip"
    """The CLIP that the text encoder came from: a shipped name or a folder."""
    emphasis: Emphasis = Emphasis()
    start: Path | None = None
    """A finished folder of this recipe whose transformer and second text encoder are trained further; None: fresh ones,
    of `shape`."""

    def train(self) -> None:
        from tutelage.training.dit import DitBase, train_dit
        from tutelage.training.publish import publish

        base = DitBase.load(checkpoint(self.expert), checkpoint(self.text), self.device)
        if self.start is not None:
            finished(self.start, "toybox-dit")
        told = (self.device, self.bf16, self.emphasis, self.start)
        publish(self.model, [train_dit(self.renders, self.schedule, self.shape, base, self.out, *told)], self)


def toybox_dit() -> DitTraining:
    """A small Stable Diffusion 3: text to 128 × 128 pictures of toys, by a transformer and flow matching.

    `tutelage run toybox-dit`; one core of a two-core EPYC beside other work, 92 min.
    """
    schedule = Schedule(steps=8_500, batch=32, lr=1e-3, warmup=300, decay=0.5, ema=0.9993)
    return DitTraining(out=RUNS / "toybox-dit", schedule=schedule)


def toybox_dit_sharpen() -> DitTraining:
    """The same trained further, on other noise: its pictures are rough. It is to ship as toybox-dit in its place.

    `tutelage run toybox-dit-sharpen`, after toybox-dit.
    """
    plain = toybox_dit()
    schedule = replace(plain.schedule, steps=12_000, seed=1, decay=0.7)
    return replace(plain, out=RUNS / "toybox-dit-sharpen", schedule=schedule, start=plain.out / "model")


def toybox_dit_debug() -> DitTraining:
    """The same, made to know eight pictures by heart: to see that it learns.

    `tutelage run toybox-dit-debug`; one thread of a two-core Xeon beside other work, 12 min.
    """
    few = Renders(folder=RUNS / "toybox-eight", subjects=8, views=1)
    schedule = Schedule(steps=1200, batch=8, lr=1.5e-3, warmup=50, decay=0.5)
    return replace(toybox_dit(), out=RUNS / "toybox-dit-debug", renders=few, schedule=schedule)
