"""R4: a step of K experts with their own adapters ÷ a step of the same batch through the frozen base without any.

    python benchmarks/fleet_adapters.py                                   # toybox-sd
    python benchmarks/fleet_adapters.py --base random/sd15 --steps 20 --lr 5e-4

The step of the fleet is all of it: drawing pictures and noise, forward, backward, clipping and the optimiser. The step
of the base draws the same numbers, and goes forward and as far back as adapters would make it go: to the first layer
that would have some. So what is left is what adapters and their optimiser cost, and the experts' start shared out over
their steps: with few steps R4 looks higher than it is. An adapter's products are so small that they cost their calls,
so batches of one picture an expert and of four are two rows. Then there are adapters on the convolutions of the
residual blocks as well, where going back is further for both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import tyro
from fleet_subjects import Experts

from tutelage.benches.base import Row
from tutelage.benches.ratios import by_turns, ratio_row, ratios, report
from tutelage.diffusion.noise import keyed_generator
from tutelage.teachers.fleet_batch import drawn, errors
from tutelage.teachers.settings import Lora, Training
from tutelage.teachers.stacked_lora import sites_of


@dataclass(frozen=True, kw_only=True)
class Settings(Experts):
    """What is measured."""

    batches: tuple[int, ...] = (1, 4)
    """Pictures a step and expert."""


def main(settings: Settings) -> None:
    """Measure and print."""
    loras = {"": settings.lora, ", convolutions too": replace(settings.lora, convolutions=True)}
    cases = [(batch, kind) for batch in settings.batches for kind in loras]
    rows = [row for batch, kind in cases for row in measured(settings, loras[kind], batch, f"R4, batch {batch}{kind}")]
    report(rows, settings.json)


def measured(settings: Settings, lora: Lora, batch: int, name: str) -> list[Row]:
    """The rows of one size of batch."""
    training = settings.training(batch)
    ways = {
        "adapters": lambda: settings.train(range(settings.experts), lora, training),
        "base": lambda: steps_without(settings, lora, training),
    }
    by_turns(ways, 1)  # the first turn of each is slower
    seconds = by_turns(ways, settings.repeats)
    steps = {way: [1000 * one / settings.steps for one in seconds[way]] for way in ways}
    each = [ratio_row(f"{name}: {way}", steps[way], "ms a step") for way in ways]
    return [ratio_row(name, ratios(seconds["adapters"], seconds["base"])), *each]


def steps_without(settings: Settings, lora: Lora, training: Training) -> None:
    """The same batches through the frozen base."""
    with going_back(settings, lora):
        for step in range(settings.steps):
            generators = [keyed_generator(0, cluster.id, step, "train") for cluster in settings.clusters]
            pairs = zip(settings.lessons, generators, strict=True)
            draws = [[drawn(settings.model, lesson, training, generator)] for lesson, generator in pairs]
            errors(settings.model, draws, training.weighting).sum().backward()
    if settings.model.pipeline.device.type == "cuda":
        torch.cuda.synchronize()


@contextmanager
def going_back(settings: Experts, lora: Lora) -> Iterator[None]:
    """Within it, gradients are wanted from the first layer on that would have adapters."""
    layer = sites_of(settings.model.pipeline.unet, lora)[0].layer
    wanted = torch.zeros((), device=layer.weight.device, dtype=layer.weight.dtype, requires_grad=True)
    handle = layer.register_forward_hook(lambda _, __, output: output + wanted)
    try:
        yield
    finally:
        handle.remove()


if __name__ == "__main__":
    main(tyro.cli(Settings))
