"""Measures identity features on held-out toys: is a toy closer to itself than to others of its kind?

Protocol `same-kind-pairs`: four pictures of each toy with place, view, accessory, mood and weather drawn anew. Every
pair of pictures of one toy is a positive, every pair of pictures of two toys of one kind a negative; the figure is the
AUC of their cosine similarities, its interval a bootstrap over toys. "photo" keeps the style at photo, "all styles"
draws it too.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F
from transformers import ViTModel

from tutelage.benches.base import CheckpointBench, Row, checkpoint_row, progress, scaled
from tutelage.benches.heldout import Pictures, draw, held_out_family
from tutelage.benches.intervals import Floats, bootstrap_auc
from tutelage.diffusion.vision import load_network, pixels, rgb
from tutelage.toybox.scene import Scene
from tutelage.toybox.vision import folder_of

CHECKPOINT: Final = "toybox-dino"
PROTOCOL: Final = "same-kind-pairs"
VIEWS: Final = 4
"""Pictures of each toy."""


@dataclass(frozen=True, kw_only=True)
class DinoBench(CheckpointBench):
    """AUC of the class token of a `ViTModel`, normalised, for who a toy is.

    Scale of the counts: 1 is 312 toys, 26 of each kind.
    """

    checkpoint: str = CHECKPOINT

    def run(self) -> list[Row]:
        """One row for photos, one for all styles.

        Raises:
            BadInput: the checkpoint cannot be loaded.
        """
        network, processor, where = load_network(
            ViTModel, folder_of(self.checkpoint), self.device, add_pooling_layer=False
        )
        drawn = held_out_family(scaled(312, self.items, least=4), VIEWS, self.seed)
        photos = [replace(scene, style="photo") for scene in drawn]
        rows = []
        for name, scenes in (("photo", photos), ("all styles", drawn)):
            pictures = draw(scenes, self.workers)
            rows.append(self._row(name, scenes, class_tokens(network, processor, where, pictures)))
        return rows

    def _row(self, name: str, scenes: Sequence[Scene], features: NDArray[np.float32]) -> Row:
        toys = len(scenes) // VIEWS
        scores, same, pairs = kind_pairs(features, [scene.subject.kind for scene in scenes if scene.subject])
        area = bootstrap_auc(scores, same, pairs, toys, self.seed)
        return checkpoint_row(CHECKPOINT, PROTOCOL, f"AUC: {name}", area, toys)


@torch.inference_mode()
def class_tokens(
    network: Any, processor: Any, device: torch.device, pictures: Pictures, batch: int = 64
) -> NDArray[np.float32]:
    """Unit class tokens (N, D) of the last layer."""
    parts = []
    starts = range(0, len(pictures.images), batch)
    for first in progress(starts, "embedding pictures", len(starts)):
        squares = [rgb(image) for image in pictures.images[first : first + batch]]
        tokens = network(pixel_values=pixels(processor, squares, device)).last_hidden_state[:, 0]
        parts.append(F.normalize(tokens.float(), dim=-1).cpu())
    return np.asarray(torch.cat(parts).numpy())


def kind_pairs(
    features: NDArray[np.float32], kinds: Sequence[str]
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Similarity (P,), sameness (P,) and the two toys (P, 2) of every pair of pictures of one kind.

    `features` (N, D) and `kinds` (N,) are in the order of `held_out_family`: picture i is of toy `i // VIEWS`.
    """
    by_kind: dict[str, list[int]] = {}
    for index, kind in enumerate(kinds):
        by_kind.setdefault(kind, []).append(index)
    couples = [pair for members in by_kind.values() for pair in itertools.combinations(members, 2)]
    left, right = np.asarray(couples, np.int64).T
    scores = np.einsum("pd,pd->p", features[left], features[right]).astype(np.float64)
    pairs = np.stack([left // VIEWS, right // VIEWS], 1)
    return scores, pairs[:, 0] == pairs[:, 1], pairs
