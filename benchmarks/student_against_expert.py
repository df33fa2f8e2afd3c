"""R11: a picture of a new subject by an expert, trained for it, ÷ by a student.

    python benchmarks/student_against_expert.py                # toybox-suti, and the experts it has learnt from
    python benchmarks/student_against_expert.py --steps 24 --expert-steps 24 --dtype fp32

They take turns, a new held-out toy each time, one picture each: the expert trains and draws, the student looks at the
demonstrations and draws; both load their base once, before. Beside the expert of the recipe `suti`, alone in its fleet,
stands the one the paper compares with, whose every weight of the UNet is trained.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import tyro
from PIL.Image import Image

from tutelage.benches.ratios import by_turns, ratio_row, ratios, report
from tutelage.benches.subjects.toys import toy_clusters
from tutelage.generators.base import Generator
from tutelage.generators.experts import TOYBOX, Expert, expert
from tutelage.generators.networks import Student
from tutelage.recipes.suti import EXPERTS
from tutelage.teachers.settings import Sampling
from tutelage.toybox.checkpoints import checkpoint
from tutelage.triplet import Assignment


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured."""

    student: str = "toybox-suti"
    """A shipped name, a folder or a Hub id."""
    base: str = "toybox-sd"
    """What experts start from."""
    demonstrations: int = 4
    steps: int = 8
    """Denoising steps of the student, which has the same figures as with 24; see docs/log.md."""
    expert_steps: int = EXPERTS.sampling.steps
    """Denoising steps of both experts; the recipe's."""
    dtype: Literal["fp32", "bf16"] = "bf16"
    """Of the student; the recipe's experts have bf16 too, those with all weights fp32."""
    repeats: int = 5
    device: str = "auto"
    json: Path | None = None
    """File to write the rows to."""


def main(settings: Settings) -> None:
    """Measure and print."""
    turns = {name: answers(generator, settings) for name, generator in generators(settings).items()}
    ways = {name: lambda pictures=pictures: next(pictures) for name, pictures in turns.items()}
    by_turns(ways, 1)  # the first turn loads
    seconds = by_turns(ways, settings.repeats)
    report(
        [
            ratio_row("R11", ratios(seconds["expert"], seconds["student"])),
            ratio_row("R11, all weights", ratios(seconds["all weights"], seconds["student"])),
            *(ratio_row(name, values, "seconds a picture of a new subject") for name, values in seconds.items()),
        ],
        settings.json,
    )


def generators(settings: Settings) -> dict[str, Generator]:
    """Who takes turns."""
    sampling = replace(EXPERTS.sampling, steps=settings.expert_steps)
    fleet = replace(EXPERTS, size=1, base=checkpoint(settings.base), sampling=sampling, device=settings.device)
    whole = replace(TOYBOX, sampling=Sampling(steps=settings.expert_steps, guidance=sampling.guidance))
    return {
        "student": Student(model=settings.student, steps=settings.steps, dtype=settings.dtype, device=settings.device),
        "expert": Expert(teacher=fleet, base=settings.base),
        "all weights": expert("expert", settings.base, whole, device=settings.device),
    }


def answers(generator: Generator, settings: Settings) -> Iterator[Image]:
    """One picture of each toy, as they are asked for."""
    clusters = toy_clusters(settings.repeats + 1, pictures=settings.demonstrations)
    asked = [
        Assignment(id=f"{one.id}/00", cluster=one, text=f"a {one.subject} in the snow", skill="recontextualisation")
        for one in clusters
    ]
    return iter(generator.answer(asked))


if __name__ == "__main__":
    main(tyro.cli(Settings))
