"""Measures the attribute reader on held-out toys: the ceiling of every figure that is read back with it.

Protocol `held-out-renders`: one picture of each toy; an attribute counts where it can be seen (`scene.describe`). "mean
of attributes" is the mean of the rows below it, its interval a bootstrap over pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.base import CheckpointBench, Row, checkpoint_row, progress, scaled
from tutelage.benches.heldout import draw, held_out_scenes
from tutelage.benches.intervals import Floats, Interval, bootstrap_mean_ratio, wilson
from tutelage.diffusion.vision import Picture
from tutelage.toybox.reader import Reader, Reading, agreement
from tutelage.toybox.scene import ATTRIBUTES, describe

CHECKPOINT: Final = "toybox-reader"
PROTOCOL: Final = "held-out-renders"
BATCH: Final = 64


@dataclass(frozen=True, kw_only=True)
class ReaderBench(CheckpointBench):
    """Accuracy of every attribute.

    Scale of the counts: 1 is 2 000 pictures.
    """

    checkpoint: str = CHECKPOINT

    def run(self) -> list[Row]:
        """The mean, then every attribute.

        Raises:
            BadInput: the checkpoint cannot be loaded or has other labels.
        """
        reader = Reader.load(self.checkpoint, self.device)
        pictures = draw(held_out_scenes(scaled(2000, self.items), self.seed), self.workers)
        readings = read_all(reader, list(pictures.images))
        right, said = tally([describe(scene) for scene in pictures.scenes], readings)
        rows = [self._row("mean of attributes", bootstrap_mean_ratio(right, said, self.seed), len(readings))]
        for index, attribute in enumerate(ATTRIBUTES):
            n = int(said[:, index].sum())
            rows.append(self._row(attribute, wilson(int(right[:, index].sum()), n), n))
        return rows

    def _row(self, name: str, interval: Interval, n: int) -> Row:
        return checkpoint_row(CHECKPOINT, PROTOCOL, f"accuracy: {name}", interval, n)


def read_all(reader: Reader, images: Sequence[Picture]) -> list[Reading]:
    """Read pictures with a bar."""
    starts = range(0, len(images), BATCH)
    batches = (reader.read(images[first : first + BATCH], BATCH) for first in starts)
    return [reading for batch in progress(batches, "reading", len(starts)) for reading in batch]


def tally(named: Sequence[dict[str, str]], readings: Sequence[Reading]) -> tuple[Floats, Floats]:
    """Two tables (pictures, attributes) of 0 and 1: read right, and named at all."""
    shape = (len(named), len(ATTRIBUTES))
    right: NDArray[np.float64] = np.zeros(shape)
    said: NDArray[np.float64] = np.zeros(shape)
    columns = {attribute: index for index, attribute in enumerate(ATTRIBUTES)}
    for picture, (words, reading) in enumerate(zip(named, readings, strict=True)):
        for attribute, agrees in agreement(words, reading).items():
            right[picture, columns[attribute]] = agrees
            said[picture, columns[attribute]] = 1
    return right, said
