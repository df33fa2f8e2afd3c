"""The recipe of toybox-brush-net, which tells specialists that inpaint what is around their masks."""

from dataclasses import dataclass, replace

from tutelage.recipes.toybox import RUNS, Training
from tutelage.toybox.checkpoints import checkpoint
from tutelage.training.renders import Renders
from tutelage.training.settings import Emphasis, Schedule


@dataclass(frozen=True, kw_only=True)
class BrushTraining(Training):
    """A branch beside a frozen Stable Diffusion, for inpainting."""

    base: str = "toybox-sd"
    """A Stable Diffusion or SDXL of text to image: a shipped name or a folder."""
    emphasis: Emphasis = Emphasis()

    @property
    def places(self) -> Renders:
        """The places where somebody is to be removed, with nobody there."""
        return self.renders.emptied()

    def train(self) -> None:
        from tutelage.training.brush import train_brush
        from tutelage.training.publish import publish

        places = self.places.build(self.workers)
        told = (checkpoint(self.base), self.out, self.device, self.bf16, self.emphasis)
        publish(self.model, [train_brush(self.renders, places, self.schedule, *told)], self)


def toybox_brush_net() -> BrushTraining:
    """A BrushNet of toybox-sd: swaps, removals and backgrounds that fit what is around the mask.

    `tutelage run toybox-brush-net`; one core of a two-core EPYC beside other work, 73 min.
    """
    schedule = Schedule(steps=1800, batch=32, lr=4e-4, warmup=200, decay=0.5, ema=0.999)
    return BrushTraining(out=RUNS / "toybox-brush-net", schedule=schedule)


def toybox_brush_net_debug() -> BrushTraining:
    """The same, made to know eight pictures by heart: to see that it learns.

    `tutelage run toybox-brush-net-debug`; one thread of a two-core Xeon, 6 min of it.
    """
    few = Renders(folder=RUNS / "toybox-eight", subjects=8, views=1)
    schedule = Schedule(steps=700, batch=8, lr=6e-4, warmup=50, decay=0.5)
    return replace(toybox_brush_net(), out=RUNS / "toybox-brush-net-debug", renders=few, schedule=schedule)
