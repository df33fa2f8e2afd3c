"""Measures the tagger on held-out toys: how often it reads what a full caption would say.

Protocol `held-out-renders`: one picture of each toy, and for "nobody" the places of an eighth of them without it. A
group counts where the caption names a phrase of it, the silent one too.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from tutelage.benches.base import CheckpointBench, Row, checkpoint_row, progress, scaled
from tutelage.benches.heldout import draw, held_out_scenes
from tutelage.benches.intervals import Floats, Interval, bootstrap_mean_ratio, wilson
from tutelage.diffusion.tags import Tagger, load_tagger, named
from tutelage.toybox.captions import caption
from tutelage.toybox.scene import Scene
from tutelage.toybox.vision import folder_of

CHECKPOINT: Final = "toybox-tagger"
PROTOCOL: Final = "held-out-renders"
BATCH: Final = 64
EMPTY: Final = 1 / 8


@dataclass(frozen=True, kw_only=True)
class TaggerBench(CheckpointBench):
    """Accuracy of every group of labels.

    Scale of the counts: 1 is 2 000 pictures with a toy.
    """

    checkpoint: str = CHECKPOINT

    def run(self) -> list[Row]:
        """The mean, every group, then what it says of empty places.

        Raises:
            BadInput: the checkpoint cannot be loaded or has other labels.
        """
        tagger = load_tagger(folder_of(self.checkpoint), self.device)
        scenes = held_out_scenes(scaled(2000, self.items), self.seed)
        right, said = self._read(tagger, scenes)
        rows = [self._row("mean of groups", bootstrap_mean_ratio(right, said, self.seed), len(scenes))]
        for column, group in enumerate(tagger.labels):
            n = int(said[:, column].sum())
            rows.append(self._row(group, wilson(int(right[:, column].sum()), n), n))
        places = [scene.without_subject() for scene in scenes[: max(1, round(len(scenes) * EMPTY))]]
        nobody = int(self._read(tagger, places)[0][:, list(tagger.labels).index("kind")].sum())
        return [*rows, self._row("nobody", wilson(nobody, len(places)), len(places))]

    def _read(self, tagger: Tagger, scenes: list[Scene]) -> tuple[Floats, Floats]:
        """Two tables (pictures, groups) of 0 and 1: read right, and named at all."""
        images = draw(scenes, self.workers).images
        right, said = np.zeros((2, len(scenes), len(tagger.labels)))
        starts = range(0, len(scenes), BATCH)
        for first in progress(starts, "reading", len(starts)):
            seen = tagger.pictures([Image.fromarray(one) for one in images[first : first + BATCH]], BATCH)
            for row, found in enumerate(seen, first):
                words = named(caption(scenes[row]), tagger.labels)
                for column, (group, phrases) in enumerate(tagger.labels.items()):
                    if group in words:
                        said[row, column] = 1
                        right[row, column] = max(phrases, key=lambda one: float(found[phrases[one]])) == words[group]
        return right, said

    def _row(self, name: str, interval: Interval, n: int) -> Row:
        return checkpoint_row(CHECKPOINT, PROTOCOL, f"accuracy: {name}", interval, n)
