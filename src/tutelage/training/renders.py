"""The training pictures of the toybox, rendered once into two memory-mapped arrays.

Picture `i` shows subject `i // views`; its scene follows from the index, so only pixels are stored. A kill loses at
most the shards under way: finished ones have a marker file.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from tutelage.toybox.render import render_labels
from tutelage.toybox.sampling import TRAIN, scene_at, subject_at
from tutelage.toybox.scene import Scene

SHARD = 32
"""Subjects per unit of work."""


@dataclass(frozen=True, kw_only=True)
class Renders:
    """`subjects` × `views` square pictures of a split of the toybox, kept in `folder`."""

    folder: Path
    subjects: int = 6000
    views: int = 8
    """Pictures per subject."""
    size: int = 128
    """Pixels a side."""
    split: int = TRAIN
    seed: int = 0

    def __len__(self) -> int:
        return self.subjects * self.views

    def scene(self, index: int) -> Scene:
        """What picture `index` shows."""
        number, view = divmod(index, self.views)
        subject = subject_at(number, split=self.split, seed=self.seed)
        return scene_at(subject, number, view, split=self.split, seed=self.seed)

    def emptied(self) -> "Places":
        """The first picture of each subject with nobody in it, in a folder beside this one's."""
        return Places(
            folder=self.folder.with_name(f"{self.folder.name}-empty"),
            subjects=self.subjects,
            views=1,
            size=self.size,
            split=self.split,
            seed=self.seed,
        )

    @cached_property
    def scenes(self) -> list[Scene]:
        """All scenes, in order."""
        return [self.scene(index) for index in range(len(self))]

    @cached_property
    def images(self) -> NDArray[np.uint8]:
        """RGB (N, size, size, 3)."""
        return np.asarray(np.load(self.folder / "images.npy", mmap_mode="r"))

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        """Label maps (N, size, size), values as in `anatomy.LABELS`."""
        return np.asarray(np.load(self.folder / "labels.npy", mmap_mode="r"))

    def build(self, workers: int = 2) -> "Renders":
        """Render what is missing, with `workers` processes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shape = (len(self), self.size, self.size)
        for name, full in (("images", (*shape, 3)), ("labels", shape)):
            path = self.folder / f"{name}.npy"
            if not path.exists():
                np.lib.format.open_memmap(path, "w+", np.uint8, full).flush()
        missing = [first for first in range(0, self.subjects, SHARD) if not self._marker(first).exists()]
        with ProcessPoolExecutor(workers) as pool:
            jobs = pool.map(_render_shard, repeat(self), missing)
            for _ in track(jobs, f"rendering {len(self):,} pictures", total=len(missing)):
                pass
        return self

    def _marker(self, first: int) -> Path:
        return self.folder / f"shard-{first:06d}.done"

    def _indices(self, first: int) -> Iterator[int]:
        yield from range(first * self.views, min(first + SHARD, self.subjects) * self.views)


@dataclass(frozen=True, kw_only=True)
class Places(Renders):
    """Pictures as of `Renders`, with the subjects taken out of them."""

    def scene(self, index: int) -> Scene:
        """What picture `index` shows."""
        return super().scene(index).without_subject()


def _render_shard(renders: Renders, first: int) -> None:
    images = np.load(renders.folder / "images.npy", mmap_mode="r+")
    labels = np.load(renders.folder / "labels.npy", mmap_mode="r+")
    for index in renders._indices(first):
        images[index], labels[index] = render_labels(renders.scene(index), renders.size)
    images.flush()
    labels.flush()
    renders._marker(first).touch()
