"""R14: how much of an expert loop's speed is left when its pictures are judged and written to a corpus as well.

    python benchmarks/pipeline.py
    python benchmarks/pipeline.py --experts 16                  # as many as the recipe has at once

Bare, a fleet trains and draws, and what it makes is dropped. The whole pipeline, `stages.taught.teach` with one worker
in this process, does the same for the same assignments, judges every picture with the judges of the recipe `suti`, and
writes pictures and verdicts to a corpus that is opened for it. Both do the same work on the accelerator for an expert,
so the ratio of their speeds is that of the shares of the time that it is busy with experts. One worker is the least
favourable number: with more of them one writes while others teach.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import tyro

from tutelage.benches.ratios import by_turns, ratio_row, ratios, report
from tutelage.benches.subjects.toys import toy_clusters
from tutelage.executors.local import Local
from tutelage.judges.panel import Panel
from tutelage.mining.imagine import imagine
from tutelage.mining.language import language_model
from tutelage.recipes.suti import suti
from tutelage.stages.taught import teach
from tutelage.teachers.fleet import Fleet
from tutelage.triplet import Assignment, Triplet, Verdict


@dataclass(frozen=True, kw_only=True)
class Timed(Panel):
    """A panel that says how long it judged."""

    seconds: list[float] = field(default_factory=list)

    def judge(self, triplets: Sequence[Triplet], known: object = ()) -> list[Verdict]:
        started = time.perf_counter()
        try:
            return super().judge(triplets)
        finally:
            self.seconds.append(time.perf_counter() - started)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured; all else is the recipe's."""

    experts: int = 4
    """Trained at once, of a held-out toy each."""
    prompts: int = 6
    """Pictures of each."""
    steps: int = 80
    """That an expert is trained; with fewer, judging and writing weigh more."""
    base: str = "toybox-sd"
    device: str = "auto"
    repeats: int = 5
    json: Path | None = None
    """File to write the rows to."""


def main(settings: Settings) -> None:
    """Measure and print."""
    recipe = replace(suti(), base=settings.base, device=settings.device)
    teacher, panel = recipe.teachers(), Timed(judges=recipe.panel().judges, ask_all=True)
    assert isinstance(teacher, Fleet)
    teacher = replace(teacher, size=settings.experts, training=replace(teacher.training, steps=settings.steps))
    asked = assignments(settings)
    whole(quick(teacher), panel, asked)  # kernels are compiled, judges are loaded
    teacher._model  # noqa: B018  # it is loaded
    panel.seconds.clear()
    ways = {
        "bare": lambda: tuple(teacher.teach(asked)),
        "whole": lambda: whole(teacher, panel, asked),
    }
    seconds = by_turns(ways, settings.repeats)
    seconds["judging"] = panel.seconds
    each = {name: [one / settings.experts for one in values] for name, values in seconds.items()}
    rows = [ratio_row("R14", ratios(seconds["bare"], seconds["whole"]))]
    report([*rows, *(ratio_row(name, values, "seconds an expert") for name, values in each.items())], settings.json)


def assignments(settings: Settings) -> list[Assignment]:
    """Toys, with prompts as the recipe imagines them."""
    with tempfile.TemporaryDirectory() as folder:
        model = language_model("toybox", Path(folder), settings.device)
        found = imagine(toy_clusters(settings.experts), model, prompts=settings.prompts)
        return [one for one in found if isinstance(one, Assignment)]


def quick(teacher: Fleet) -> Fleet:
    """The same for a moment."""
    training, sampling = replace(teacher.training, steps=2), replace(teacher.sampling, steps=1)
    return replace(teacher, training=training, sampling=sampling)


def whole(teacher: Fleet, panel: Panel, asked: list[Assignment]) -> None:
    """Teach, judge and write."""
    with tempfile.TemporaryDirectory() as folder:
        counts = teach(asked, len(asked), teacher, panel, Path(folder), Local(workers=1))
        assert counts["triplets"] == len(asked), "an expert diverged"


if __name__ == "__main__":
    main(tyro.cli(Settings))
