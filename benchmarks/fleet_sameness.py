"""R6: cosine between what an expert adds to the weights when K are trained at once and when it is trained alone.

    python benchmarks/fleet_sameness.py                                   # toybox-sd, 16 experts
    python benchmarks/fleet_sameness.py --base random/sd15 --steps 50 --lr 5e-4

An expert's change is BA of all of its layers, one after another as one vector. R6 is the least cosine over experts; the
median is beside it. What differs is rounding: products over larger batches are summed in another order. Adam divides
by the size of gradients, so where they are tiny it makes much of little. The same experts in float32 are the third row.
"""

from dataclasses import replace

import torch
import tyro
from fleet_subjects import Experts

from tutelage.benches.ratios import least_row, ratio_row, report


def main(settings: Experts) -> None:
    """Measure and print."""
    cosines = sameness(settings)
    exact = cosines if settings.dtype == "fp32" else sameness(replace(settings, dtype="fp32"))
    rows = [
        least_row("R6", cosines),
        ratio_row(f"R6, median, {settings.dtype}", cosines, "cosine"),
        ratio_row("R6, median, fp32", exact, "cosine"),
    ]
    report(rows, settings.json)


def sameness(settings: Experts) -> list[float]:
    """A cosine for each expert."""
    together = changes(settings, range(settings.experts))
    alone = [changes(settings, range(number, number + 1))[0] for number in range(settings.experts)]
    return [float(torch.cosine_similarity(one, other, dim=0)) for one, other in zip(alone, together, strict=True)]


def changes(settings: Experts, which: range) -> list[torch.Tensor]:
    """What each of these experts, trained in one batch, adds to the weights."""
    with settings.trained(which, settings.lora, settings.training()) as (stack, done):
        rows = [stack.values.detach()[one.slot].double() for one in sorted(done, key=lambda one: one.number)]
        return [torch.cat([site.delta(row).flatten() for site in stack.sites]) for row in rows]


if __name__ == "__main__":
    main(tyro.cli(Experts))
