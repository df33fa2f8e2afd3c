"""Measures a segmenter on held-out toys.

Protocol `iou-over-set`: intersection and union of each label are summed over all pictures before they are divided, so
that a sliver of a scarf weighs what it covers; "mean of labels" is over the labels that occur. "toy" is everything but
the background. Intervals are bootstraps over pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.base import CheckpointBench, Row, checkpoint_row, progress, scaled
from tutelage.benches.heldout import draw, held_out_scenes
from tutelage.benches.intervals import NOTHING, Floats, Interval, bootstrap_mean_ratio
from tutelage.toybox.anatomy import LABELS
from tutelage.toybox.masks import Segmenter

CHECKPOINT: Final = "toybox-seg"
PROTOCOL: Final = "iou-over-set"
BATCH: Final = 32


@dataclass(frozen=True, kw_only=True)
class SegBench(CheckpointBench):
    """Intersection over union of a segmenter's labels.

    Scale of the counts: 1 is 512 pictures.
    """

    checkpoint: str = CHECKPOINT

    def run(self) -> list[Row]:
        """The mean, the toy as a whole, then every label.

        Raises:
            BadInput: the checkpoint cannot be loaded or has other labels.
        """
        segmenter = Segmenter.load(self.checkpoint, self.device)
        pictures = draw(held_out_scenes(scaled(512, self.items), self.seed), self.workers)
        starts = range(0, len(pictures.images), BATCH)
        found: list[NDArray[np.uint8]] = []
        for first in progress(starts, "segmenting", len(starts)):
            found += segmenter.labels(list(pictures.images[first : first + BATCH]), BATCH)
        return self._rows(np.stack(found), pictures.labels)

    def _rows(self, found: NDArray[np.uint8], truth: NDArray[np.uint8]) -> list[Row]:
        """Rows from label maps (N, H, W)."""
        both, either = overlaps(found, truth, range(len(LABELS)))
        occurs = (truth[..., None] == np.arange(len(LABELS))).any((1, 2))
        present = occurs.any(0)
        mean = bootstrap_mean_ratio(both[:, present], either[:, present], self.seed)
        toy = bootstrap_mean_ratio(*overlaps(found > 0, truth > 0, [1]), self.seed)
        n, with_toy = len(truth), int((truth > 0).any((1, 2)).sum())
        rows = [self._row("mean of labels", mean, n), self._row("toy", toy, with_toy)]
        for index, label in enumerate(LABELS):
            share = bootstrap_mean_ratio(both[:, [index]], either[:, [index]], self.seed) if present[index] else NOTHING
            rows.append(self._row(label, share, int(occurs[:, index].sum())))
        return rows

    def _row(self, name: str, interval: Interval, n: int) -> Row:
        return checkpoint_row(CHECKPOINT, PROTOCOL, f"IoU: {name}", interval, n)


def overlaps(
    found: NDArray[np.uint8] | NDArray[np.bool_], truth: NDArray[np.uint8] | NDArray[np.bool_], labels: Sequence[int]
) -> tuple[Floats, Floats]:
    """Pixels in both and in either, (N, labels), of label maps (N, H, W)."""
    both = [((found == label) & (truth == label)).sum((1, 2)) for label in labels]
    either = [((found == label) | (truth == label)).sum((1, 2)) for label in labels]
    return np.stack(both, 1).astype(np.float64), np.stack(either, 1).astype(np.float64)
