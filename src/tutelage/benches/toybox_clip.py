"""Measures a CLIP on held-out toys: caption ↔ picture retrieval, and attributes told apart by words alone.

Protocols:

`retrieval-of-32`
    Batches of 32 pictures of 32 toys with their full captions, all captions of a batch different. A hit is a true
    partner strictly more similar than the 31 others, so that a network that finds everything alike scores 0.
`zero-shot-templates`
    A value's feature is the mean of the normalised features of short captions that name it, normalised again: those
    of 96 random scenes, eight of each kind, with that value put in; the same scenes for every value, "none" and
    "photo" (which no caption names) included. For places it is day in all of them. The nearest value is the answer.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from tutelage.benches.base import CheckpointBench, Row, checkpoint_row, progress, scaled
from tutelage.benches.heldout import Pictures, draw, held_out_scene, held_out_scenes
from tutelage.benches.intervals import wilson
from tutelage.diffusion.features import ClipFeatures, clip_features
from tutelage.diffusion.vision import rgb
from tutelage.toybox.captions import caption
from tutelage.toybox.sampling import random_scene, random_subject
from tutelage.toybox.scene import ATTRIBUTES, KINDS, Scene, describe
from tutelage.toybox.vision import folder_of

CHECKPOINT: Final = "toybox-clip"
RETRIEVAL, ZERO_SHOT = "retrieval-of-32", "zero-shot-templates"
GROUP: Final = 32
"""Pictures in a retrieval batch."""
AT_ONCE: Final = 64
"""Pictures embedded at once."""
FIELDS: Final = {"scene": "place", "accessory": "accessory", "style": "style"}
"""Attribute told by words alone → the field of `Scene` it is."""
TEMPLATES: Final = 8
"""Scenes of each kind that the captions of a value are made of."""
TEMPLATE_WORLD: Final = 2
"""Key of their random numbers: neither training toys nor held-out ones."""


@dataclass(frozen=True, kw_only=True)
class ClipBench(CheckpointBench):
    """Retrieval and zero-shot accuracy of a `CLIPModel`.

    Scale of the counts: 1 is 1 024 pictures for retrieval and as many for the attributes.
    """

    checkpoint: str = CHECKPOINT

    def run(self) -> list[Row]:
        """Rows of both protocols.

        Raises:
            BadInput: the checkpoint cannot be loaded.
        """
        clip = clip_features(folder_of(self.checkpoint), self.device)
        return [*self._retrieval(clip), *self._zero_shot(clip)]

    def _retrieval(self, clip: ClipFeatures) -> list[Row]:
        batches = retrieval_batches(scaled(32, self.items), self.seed)
        scenes = [scene for batch in batches for scene in batch]
        images = seen(clip, draw(scenes, self.workers))
        texts = clip.texts([caption(scene) for scene in scenes])
        similar = images.view(-1, GROUP, images.shape[-1]) @ texts.view(-1, GROUP, texts.shape[-1]).mT
        found = {"picture to caption": strict_hits(similar), "caption to picture": strict_hits(similar.mT)}
        return [self._row(RETRIEVAL, name, "top-1", hits) for name, hits in found.items()]

    def _zero_shot(self, clip: ClipFeatures) -> list[Row]:
        pictures = draw(held_out_scenes(scaled(1024, self.items), self.seed), self.workers)
        images = seen(clip, pictures)
        rows = []
        for attribute in FIELDS:
            answers = (images @ told(clip, attribute, self.seed).T).argmax(1).tolist()
            truth = [describe(scene)[attribute] for scene in pictures.scenes]
            right = [ATTRIBUTES[attribute][a] == t for a, t in zip(answers, truth, strict=True)]
            rows.append(self._row(ZERO_SHOT, attribute, "accuracy", np.asarray(right)))
        return rows

    def _row(self, protocol: str, name: str, metric: str, right: NDArray[np.bool_]) -> Row:
        share = wilson(int(right.sum()), right.size)
        return checkpoint_row(CHECKPOINT, protocol, f"{metric}: {name}", share, int(right.size))


def seen(clip: ClipFeatures, pictures: Pictures) -> Tensor:
    """Unit features (N, D) of pictures."""
    starts = range(0, len(pictures.images), AT_ONCE)
    return torch.cat(
        [
            clip.pictures([rgb(image) for image in pictures.images[first : first + AT_ONCE]])
            for first in progress(starts, "embedding pictures", len(starts))
        ]
    )


def told(clip: ClipFeatures, attribute: str, seed: int) -> Tensor:
    """Unit features (values, D) of an attribute's values, by `zero-shot-templates`."""
    means = [clip.texts(templates(attribute, value, seed)).mean(0) for value in ATTRIBUTES[attribute]]
    return F.normalize(torch.stack(means), dim=-1)


def templates(attribute: str, value: str, seed: int = 0) -> list[str]:
    """Short captions that say `value` of an attribute in `FIELDS`, of the same scenes for every value."""
    changes: dict[str, Any] = {FIELDS[attribute]: value} | ({"environment": "day"} if attribute == "scene" else {})
    return [caption(replace(scene, **changes), "short") for scene in _template_scenes(seed)]


def _template_scenes(seed: int) -> list[Scene]:
    scenes = []
    for number in range(TEMPLATES * len(KINDS)):
        rng = np.random.default_rng([TEMPLATE_WORLD, seed, number])
        scenes.append(random_scene(rng, random_subject(rng, KINDS[number % len(KINDS)])))
    return scenes


def retrieval_batches(count: int, seed: int = 0) -> list[list[Scene]]:
    """`count` batches of held-out scenes, no two full captions of a batch alike; a scene that would be is skipped."""
    batches: list[list[Scene]] = [[]]
    index = 0
    while len(batches) < count or len(batches[-1]) < GROUP:
        if len(batches[-1]) == GROUP:
            batches.append([])
        scene = held_out_scene(index, seed)
        if caption(scene) not in {caption(other) for other in batches[-1]}:
            batches[-1].append(scene)
        index += 1
    return batches


def strict_hits(similar: Tensor) -> NDArray[np.bool_]:
    """Rows (B * N,) of similarities (B, N, N) whose diagonal entry is above all others; a tie is a miss."""
    true = similar.diagonal(dim1=1, dim2=2)
    diagonal = torch.eye(similar.shape[-1], dtype=torch.bool)
    best_other = similar.masked_fill(diagonal, -torch.inf).amax(-1)
    return np.asarray((true > best_other).flatten().numpy())
