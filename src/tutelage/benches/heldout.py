"""Pictures of toys that no training has seen, rendered when asked for."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.base import progress
from tutelage.toybox.render import render_labels
from tutelage.toybox.sampling import HELD_OUT, scene_at, subject_at
from tutelage.toybox.scene import KINDS, Scene

POOL_FROM = 96
"""Fewer pictures than this are rendered sooner than a second process starts."""

SIDE: Final = 128
"""Pixels a side of the pictures the checkpoints were trained on; their image processors enlarge them as they need."""


@dataclass(frozen=True)
class Pictures:
    """Scenes and what they look like."""

    scenes: Sequence[Scene]
    images: NDArray[np.uint8]
    """RGB (N, side, side, 3)."""
    labels: NDArray[np.uint8]
    """Label maps (N, side, side), values as in `anatomy.LABELS`."""


def held_out_scene(index: int, seed: int = 0) -> Scene:
    """A scene with held-out toy number `index`: every index is another toy."""
    return scene_at(subject_at(index, split=HELD_OUT, seed=seed), index, 0, split=HELD_OUT, seed=seed)


def held_out_scenes(count: int, seed: int = 0) -> list[Scene]:
    """The first `count` of them."""
    return [held_out_scene(index, seed) for index in range(count)]


def held_out_family(subjects: int, views: int, seed: int = 0) -> list[Scene]:
    """`views` scenes of each of `subjects` toys, toy by toy; kinds take turns two toys at a time, so all have pairs."""
    scenes = []
    for number in range(subjects):
        subject = subject_at(number, split=HELD_OUT, seed=seed, kind=KINDS[number // 2 % len(KINDS)])
        scenes += [scene_at(subject, number, view, split=HELD_OUT, seed=seed) for view in range(views)]
    return scenes


def draw(scenes: Sequence[Scene], workers: int = 2, side: int = SIDE) -> Pictures:
    """Render scenes as squares of `side` pixels, with `workers` processes when there are many."""
    images = np.empty((len(scenes), side, side, 3), np.uint8)
    labels = np.empty((len(scenes), side, side), np.uint8)
    for index, (image, label) in enumerate(progress(_rendered(scenes, side, workers), "rendering", len(scenes))):
        images[index], labels[index] = image, label
    return Pictures(scenes, images, labels)


def _rendered(
    scenes: Sequence[Scene], side: int, workers: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    if workers < 2 or len(scenes) < POOL_FROM:
        yield from map(render_labels, scenes, repeat(side))
        return
    # not forked: PyTorch's threads would be copied in whatever state they are
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        yield from pool.map(render_labels, scenes, repeat(side), chunksize=16)
