"""Warm start: after how many steps an expert that starts from the mean of others is as good as one that starts fresh.

    python benchmarks/warm_start.py                                       # toybox-sd, 32 experts and 16 new ones

First a fleet trains experts and keeps their adapters, `tutelage warm-start` takes their mean, and then experts of other
toys are trained fresh and from there, to several numbers of steps, and draw two pictures each. `likeness` is the cosine
of what toybox-dino, which knows a toy again, sees in a picture and in the toy's five demonstrations; `text` that of
toybox-clip between picture and prompt. Printed are both at every number of steps, and the steps at which a warm start
reaches the likeness that a fresh one has at the end, read off between the points.

The error (Eq. 4) on a demonstration that was left out is no measure: it stays where it is and then rises, while
likeness does all the time; see docs/log.md.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import tyro
from fleet_subjects import Experts

from tutelage.benches.base import Row
from tutelage.benches.intervals import bootstrap, bootstrap_mean
from tutelage.benches.ratios import BENCH, machine, report
from tutelage.benches.subjects.toys import toy_clusters
from tutelage.diffusion.features import ClipFeatures, PictureFeatures, clip_features, picture_features
from tutelage.diffusion.pictures import decode
from tutelage.diffusion.sample import picture_size
from tutelage.recipes.suti import EXPERTS
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.settings import Sampling
from tutelage.teachers.warm_start import warm_start_command
from tutelage.toybox.checkpoints import checkpoint
from tutelage.triplet import Assignment, Cluster, Triplet

BRIEFLY = Sampling(samples=1, steps=1, guidance=1.0)
"""For pictures that nobody looks at."""


@dataclass(frozen=True, kw_only=True)
class Settings(Experts):
    """What is measured. New experts are `experts`, in one fleet."""

    finished: int = 32
    """Experts whose mean is taken; of other toys."""
    points: tuple[int, ...] = (5, 10, 20, 40, 80)
    """Numbers of steps; the last is what finished experts had, too."""
    convolutions: bool = True


class Quality(NamedTuple):
    """Of experts, subject by subject (S,)."""

    likeness: np.ndarray
    text: np.ndarray


def main(settings: Settings) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as where:
        kept, start = Path(where) / "kept", Path(where) / "start"
        finished = replace(fleet(settings, settings.points[-1], keep=kept), sampling=BRIEFLY)
        tuple(finished.teach([prompts(one)[0] for one in toys(settings, settings.finished, settings.experts)]))
        warm_start_command(kept, out=start, most=settings.finished)
        found = {name: curve(settings, path) for name, path in (("fresh", None), ("warm", start))}
    rows = [
        row(f"{name}, {steps} steps", metric, bootstrap_mean(values, 0), settings.experts)
        for metric in Quality._fields
        for name, every in found.items()
        for steps, one in zip((0, *settings.points), every, strict=True)
        for values in [getattr(one, metric)]
    ]
    report([*rows, saved(settings, found)], settings.json)


def saved(settings: Settings, found: dict[str, list[Quality]]) -> Row:
    """Steps to the likeness that a fresh start reaches at the end, over its steps."""
    points = np.array((0, *settings.points), dtype=float)
    fresh, warm = (np.stack([one.likeness for one in found[name]], 1) for name in ("fresh", "warm"))

    def statistic(weights: np.ndarray) -> np.ndarray:
        goals, means = weights @ fresh[:, -1] / weights.sum(1), weights @ warm / weights.sum(1, keepdims=True)
        return np.array([reached(points, mean, goal) for mean, goal in zip(means, goals, strict=True)]) / points[-1]

    interval = bootstrap(statistic, len(fresh), 0)
    return row("warm start", "steps to the likeness of a fresh one, share", interval, len(fresh))


def reached(points: np.ndarray, there: np.ndarray, goal: float) -> float:
    """Where a quality first comes up to a goal; not-a-number if it does not."""
    for at in range(len(points)):
        if there[at] >= goal:
            if at == 0:
                return 0.0
            part = (goal - there[at - 1]) / (there[at] - there[at - 1])
            return float(points[at - 1] + part * (points[at] - points[at - 1]))
    return float("nan")


def curve(settings: Settings, start: Path | None) -> list[Quality]:
    """What experts draw after 0 steps and every other number of them."""
    asked = [one for cluster in toys(settings, settings.experts) for one in prompts(cluster)]
    looks = picture_features(checkpoint("toybox-dino"), settings.device)
    reads = clip_features(checkpoint("toybox-clip"), settings.device)
    found = []
    for steps in (0, *settings.points):
        teacher = fleet(settings, max(1, steps), start=start, lr=0.0 if steps else 1e-20)
        drawn = list(teacher.teach(asked))
        assert len(drawn) == len(asked), "an expert diverged; give a lower --lr"
        found.append(quality(drawn, looks, reads))
    return found


def quality(drawn: list[Triplet], looks: PictureFeatures, reads: ClipFeatures) -> Quality:
    """Mean cosines of each toy's pictures with its demonstrations, and with their texts."""
    pictures = [decode(one.target) for one in drawn]
    shown = {one.cluster: [decode(each.picture.data) for each in one.references] for one in drawn}
    toy = {name: looks.pictures(images).mean(0) for name, images in shown.items()}
    like = looks.pictures(pictures) * torch.stack([toy[one.cluster] for one in drawn])
    said = reads.pictures(pictures) * reads.texts([one.text for one in drawn])
    likeness, text = (each.sum(1).reshape(len(toy), -1).mean(1).double().numpy() for each in (like, said))
    return Quality(likeness, text)


def fleet(settings: Settings, steps: int, lr: float = 0.0, **more: Path | None) -> Fleet:
    """A fleet of the settings."""
    return Fleet(
        base=settings.folder,
        size=settings.experts,
        training=replace(settings.training(steps=steps), lr=lr or settings.lr),
        sampling=EXPERTS.sampling,
        lora=settings.lora,
        device=settings.device,
        dtype=settings.dtype,
        **more,
    )


def toys(settings: Settings, count: int, first: int = 0) -> list[Cluster]:
    """Held-out toys, as large as the base draws."""
    return toy_clusters(count, first, size=max(picture_size(settings.model.pipeline, None)))


def prompts(cluster: Cluster) -> list[Assignment]:
    """Two pictures of the subject."""
    texts = [f"a {cluster.subject} on the beach", f"a {cluster.subject} in the forest, wearing a hat"]
    told = {"cluster": cluster, "skill": "recontextualisation"}
    return [Assignment(id=f"{cluster.id}/{at:02d}", text=text, **told) for at, text in enumerate(texts)]


def row(name: str, metric: str, interval: tuple, count: int) -> Row:
    """A figure with its interval."""
    value, low, high = interval
    return Row(bench=BENCH, protocol=machine(), row=name, metric=metric, value=value, low=low, high=high, n=count)


if __name__ == "__main__":
    main(tyro.cli(Settings))
