"""R6: cosine between what an expert adds to the weights when K are trained at once and when it is trained alone.

    python benchmarks/fleet_sameness.py                                   # toybox-sd, 16 experts
    python benchmarks/fleet_sameness.py --base random/sd15 --steps 50 --lr 5e-4

An expert's change is BA of all of its layers, one after another as one vector. R6 is the least cosine over experts in
float32, where it says whether experts stay apart. What differs is rounding: products over larger batches are summed in
another order, and Adam, which divides by the size of gradients, makes much of it where they are tiny. In bf16 that is
more, whoever trains beside it: so below each figure is its floor, each expert trained alone twice, the second time with
the network's channels last, which changes nothing but the order of sums.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

import torch
import tyro
from fleet_subjects import Experts

from tutelage.benches.base import Row
from tutelage.benches.ratios import RATIO, least_row, ratio_row, report


def main(settings: Experts) -> None:
    """Measure and print."""
    dtypes: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16") if settings.dtype == "bf16" else ("fp32",)
    report([row for dtype in dtypes for row in sameness(replace(settings, dtype=dtype))], settings.json)


def sameness(settings: Experts) -> list[Row]:
    """The rows of a number format."""
    name, metric = ("R6", RATIO) if settings.dtype == "fp32" else ("R6, bf16", "cosine")
    alone = each_alone(settings)
    together = cosines(alone, changes(settings, range(settings.experts)))
    with other_order(settings):
        twice = cosines(alone, each_alone(settings))
    return [
        least_row(name, together, metric),
        ratio_row(f"{name}, median", together, "cosine"),
        least_row(f"{name}, two runs alone, other rounding", twice, "cosine"),
        ratio_row(f"{name}, two runs alone, median", twice, "cosine"),
    ]


def each_alone(settings: Experts) -> list[torch.Tensor]:
    """What each expert adds to the weights when there is no other."""
    return [changes(settings, range(number, number + 1))[0] for number in range(settings.experts)]


@contextmanager
def other_order(settings: Experts) -> Iterator[None]:
    """Within it the network has its channels last."""
    unet = settings.model.pipeline.unet
    unet.to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        unet.to(memory_format=torch.contiguous_format)


def cosines(some: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> list[float]:
    """One for each expert."""
    return [float(torch.cosine_similarity(one, other, dim=0)) for one, other in zip(some, others, strict=True)]


def changes(settings: Experts, which: range) -> list[torch.Tensor]:
    """What each of these experts, trained in one batch, adds to the weights."""
    with settings.trained(which, settings.lora, settings.training()) as (stack, done):
        rows = [stack.values.detach()[one.slot].double() for one in sorted(done, key=lambda one: one.number)]
        return [torch.cat([site.delta(row).flatten() for site in stack.sites]) for row in rows]


if __name__ == "__main__":
    main(tyro.cli(Experts))
