"""Warm start: after how many steps an expert that starts from the mean of others is as good as one that starts fresh.

    python benchmarks/warm_start.py                                       # toybox-sd, 32 experts and 16 new ones

First a fleet trains experts and keeps their adapters, `tutelage warm-start` takes their mean, and then experts of other
toys are trained fresh and from there, to several numbers of steps. Quality is the error (Eq. 4) on a demonstration that
was not trained on, at fixed noise of 16 levels, as a share of the base's error. Printed are the shares at every number
of steps, and the steps at which a warm start reaches what a fresh one reaches at the end, read off between the points.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import tyro
from fleet_subjects import Experts

from tutelage.benches.base import Row
from tutelage.benches.intervals import bootstrap, bootstrap_ratio
from tutelage.benches.ratios import BENCH, machine, report
from tutelage.benches.subjects.toys import toy_clusters
from tutelage.diffusion.sample import picture_size
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.fleet_batch import errors, look
from tutelage.teachers.lesson import subject_lesson
from tutelage.teachers.settings import Sampling
from tutelage.teachers.warm_start import warm_start_command
from tutelage.triplet import Assignment, Cluster

LEVELS = 16


@dataclass(frozen=True, kw_only=True)
class Settings(Experts):
    """What is measured. New experts are `experts`, in one fleet."""

    finished: int = 32
    """Experts whose mean is taken; of other toys."""
    points: tuple[int, ...] = (5, 10, 20, 40, 80)
    """Numbers of steps; the last is what finished experts had, too."""
    convolutions: bool = True


def main(settings: Settings) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as where:
        kept, start = Path(where) / "kept", Path(where) / "start"
        finished = fleet(settings, settings.points[-1], keep=kept)
        tuple(finished.teach([asked(cluster) for cluster in toys(settings, settings.finished, settings.experts)]))
        warm_start_command(kept, out=start, most=settings.finished)
        found = {name: curve(settings, path) for name, path in (("fresh", None), ("warm", start))}
    rows = [
        row(f"{name}, {steps} steps", "share of the base's error", bootstrap_ratio(error, base, 0), len(base))
        for name, (base, every) in found.items()
        for steps, error in zip((0, *settings.points), every, strict=True)
    ]
    report([*rows, saved(settings, found)], settings.json)


def saved(settings: Settings, found: dict) -> Row:
    """Steps to the quality that a fresh start reaches at the end, over its steps."""
    points = np.array((0, *settings.points), dtype=float)
    fresh, warm = (np.stack(found[name][1], 1) for name in ("fresh", "warm"))

    def statistic(weights: np.ndarray) -> np.ndarray:
        goals, means = weights @ fresh[:, -1] / weights.sum(1), weights @ warm / weights.sum(1, keepdims=True)
        return np.array([reached(points, mean, goal) for mean, goal in zip(means, goals, strict=True)]) / points[-1]

    return row(
        "warm start", "steps to the quality of a fresh one, share", bootstrap(statistic, len(fresh), 0), len(fresh)
    )


def reached(points: np.ndarray, errors_there: np.ndarray, goal: float) -> float:
    """Where the errors first come down to a goal; not-a-number if they do not."""
    for at in range(len(points)):
        if errors_there[at] <= goal:
            if at == 0:
                return 0.0
            part = (errors_there[at - 1] - goal) / (errors_there[at - 1] - errors_there[at])
            return float(points[at - 1] + part * (points[at] - points[at - 1]))
    return float("nan")


def curve(settings: Settings, start: Path | None) -> tuple[np.ndarray, list[np.ndarray]]:
    """Errors of each subject: of the base, and of experts after 0 steps and every other number of them."""
    clusters = toys(settings, settings.experts)
    learnt = [replace(cluster, references=cluster.references[:-1]) for cluster in clusters]
    unseen = [replace(cluster, references=cluster.references[-1:]) for cluster in clusters]
    teacher, found = fleet(settings, 1, start=start, lr=1e-20), []
    draws = [[look(teacher._model, subject_lesson(teacher._model, one), LEVELS, 0, one.id)] for one in unseen]
    with torch.no_grad():
        base = errors(teacher._model, draws, "plain").double().cpu().numpy()
    for steps in (0, *settings.points):
        if steps:
            teacher = fleet(settings, steps, start=start)
        with teacher.trained(learnt, len(learnt)) as (stack, experts):
            slots = [done.slot for done in sorted(experts, key=lambda done: done.number) if done.sound]
            assert len(slots) == len(learnt), "an expert diverged; give a lower --lr"
            with torch.no_grad(), stack.of(slots):
                found.append(errors(teacher._model, draws, "plain").double().cpu().numpy())
    return base, found


def fleet(settings: Settings, steps: int, lr: float = 0.0, **more: Path | None) -> Fleet:
    """A fleet of the settings; pictures are drawn in one step, for nobody looks at them."""
    training = settings.training(steps=steps)
    return Fleet(
        base=settings.folder,
        size=settings.experts,
        training=replace(training, lr=lr or settings.lr),
        sampling=Sampling(samples=1, steps=1, guidance=1.0),
        lora=settings.lora,
        device=settings.device,
        dtype=settings.dtype,
        **more,
    )


def toys(settings: Settings, count: int, first: int = 0) -> list[Cluster]:
    """Held-out toys, as large as the base draws."""
    return toy_clusters(count, first, size=max(picture_size(settings.model.pipeline, None)))


def asked(cluster: Cluster) -> Assignment:
    """A picture of the subject."""
    return Assignment(id=f"{cluster.id}/00", cluster=cluster, text=f"a {cluster.subject}", skill="recontextualisation")


def row(name: str, metric: str, interval: tuple, count: int) -> Row:
    """A figure with its interval."""
    value, low, high = interval
    return Row(bench=BENCH, protocol=machine(), row=name, metric=metric, value=value, low=low, high=high, n=count)


if __name__ == "__main__":
    main(tyro.cli(Settings))
