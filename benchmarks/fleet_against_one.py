"""R2: experts per hour, K trained at once, ÷ one at a time as fast as we can.

    python benchmarks/fleet_against_one.py                                # toybox-sd, batches of 1 and of 4
    python benchmarks/fleet_against_one.py --base random/sd15 --steps 50 --lr 5e-4

All take turns in one process, latents and texts encoded, nothing saved, nothing drawn: what is compared is training.
There are two ways to train one expert, PEFT's adapters with PyTorch's fused AdamW (`dreambooth` with adapters) and a
fleet with one slot; in every turn the faster one counts.
"""

from dataclasses import dataclass

import tyro
from fleet_subjects import Experts

from tutelage.benches.ratios import by_turns, ratio_row, ratios, report
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Sampling, Training
from tutelage.teachers.training import train
from tutelage.teachers.tuning import adapters


@dataclass(frozen=True, kw_only=True)
class Settings(Experts):
    """What is measured."""

    batches: tuple[int, ...] = (1, 4)
    """Pictures a step and expert."""


def main(settings: Settings) -> None:
    """Measure and print."""
    plain = Model.load(settings.folder, settings.device, settings.dtype, settings.training(), Sampling())
    rows = [row for batch in settings.batches for row in measured(settings, plain, settings.training(batch))]
    report(rows, settings.json)


def measured(settings: Settings, plain: Model, training: Training) -> list:
    """The rows of one size of batch."""

    def by_peft() -> None:
        with adapters(plain.pipeline.unet, settings.lora, 0, "one") as parameters:
            train(plain, [settings.lessons[0]], parameters, training, 0, "one")

    everyone, first = range(settings.experts), range(1)
    ways = {
        "fleet": lambda: settings.train(everyone, settings.lora, training),
        "a fleet of one": lambda: settings.train(first, settings.lora, training),
        "PEFT": by_peft,
    }
    by_turns(ways, 1)  # the first turn of each is slower
    seconds = by_turns(ways, settings.repeats)
    alone = [min(pair) for pair in zip(seconds["a fleet of one"], seconds["PEFT"], strict=True)]
    each = [one / settings.experts for one in seconds["fleet"]]
    name, metric = f"batch {training.batch}", "seconds an expert"
    return [
        ratio_row(f"R2, {name}", ratios(alone, each)),
        ratio_row(f"fleet of {settings.experts}, {name}", each, metric),
        *(ratio_row(f"{way}, {name}", seconds[way], metric) for way in ("a fleet of one", "PEFT")),
    ]


if __name__ == "__main__":
    main(tyro.cli(Settings))
