"""SuTI's yes-or-no scores of compositional prompts (§5.1): subject, text, photorealism, and all three at once.

A rater gives them, or, where there is none, networks do:

`subject`
    By DINO the picture's mean cosine with the subject's photos is higher than with the photos of any other subject of
    the bench.
`text`
    By CLIP the prompt is nearer to the picture than every other prompt of its level for the subject, and than the
    shorter forms of itself.
`photorealism`
    Improved precision by DINO's patch tokens after the first third of its layers, averaged: the picture lies within
    the distance from some photo of the bench to that photo's third nearest neighbour. Drawings that a prompt asks for
    can fail it.

These are not what people say; figures of both kinds have different protocols.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Final

import numpy as np
import torch
from PIL import Image

from tutelage.benches.base import Row
from tutelage.benches.dreambench.figures import Found, Frame, reading, unrated_rows
from tutelage.benches.dreambench.items import Collection, Item, Prompt
from tutelage.benches.dreambench.look import Floats as Features
from tutelage.benches.dreambench.look import digest
from tutelage.benches.dreambench.measures import Comparing, Told, photos_of
from tutelage.benches.dreambench.rating import Rater, Rating
from tutelage.benches.dreambench.rubrics import PHOTOREALISM, SUBJECT, TEXT
from tutelage.benches.intervals import Floats
from tutelage.benches.subjects.manifold import NEIGHBOUR, Manifold
from tutelage.diffusion.vision import pixels
from tutelage.errors import BadInput

NAMES: Final = ("subject", "text", "photorealism")
OVERALL: Final = "overall"
MARKS: Final = "marks"
"""Name of the measure."""


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The three scores by networks. Finds `subject`, `text` and `photorealism`, 0 or 1.

    Raises:
        BadInput: there is one subject only, or too few photos to say what a photo looks like.
    """

    collection: Collection
    dino: Comparing
    clip: Comparing
    name: str = MARKS

    def __post_init__(self) -> None:
        photos = sum(len(one.photos) for one in self.collection.subjects)
        if len(self.collection.subjects) < 2 or photos <= NEIGHBOUR:
            raise BadInput(f"{photos} photos are too few to tell subjects apart; ask for two subjects or more")

    def key(self, item: Item) -> str:
        """Networks, and all that is compared with."""
        texts = [prompt.text for prompt in self._rivals(item)]
        return digest(self.dino.look.key, self.clip.look.key, self._photos, item.subject.name, item.prompt.text, texts)

    def measure(self, items: Sequence[Item], pictures: Sequence[Image.Image]) -> list[Told]:
        """See `measures.Measure`."""
        who, read = self.dino.look.pictures(pictures), self.clip.look.pictures(pictures)
        real = self._manifold.holds(texture(self.dino, pictures))
        rows = zip(items, who, read, real, strict=True)
        return [
            {"subject": self._is_subject(item, seen), "text": self._says(item, heard), "photorealism": int(photo)}
            for item, seen, heard, photo in rows
        ]

    def _is_subject(self, item: Item, feature: Features) -> int:
        means = {one.name: float((self.dino.photos(one) @ feature).mean()) for one in self.collection.subjects}
        own = means.pop(item.subject.name)
        return int(own > max(means.values()))

    def _says(self, item: Item, feature: Features) -> int:
        own = float(self.clip.text(item.prompt.text) @ feature)
        return int(all(own > float(self.clip.text(one.text) @ feature) for one in self._rivals(item)))

    def _rivals(self, item: Item) -> list[Prompt]:
        """Prompts that the right one must be nearer than."""
        mine = item.prompt
        others = self.collection.prompts[item.subject.name]
        return [
            one
            for one in others
            if one.text != mine.text
            and (one.group == mine.group or (one.chain == mine.chain and one.number < mine.number))
        ]

    @cached_property
    def _photos(self) -> str:
        return digest(*(digest(one.name, *map(digest, one.data)) for one in self.collection.subjects))

    @cached_property
    def _manifold(self) -> Manifold:
        return Manifold.of(np.concatenate([texture(self.dino, photos_of(one)) for one in self.collection.subjects]))


@torch.inference_mode()
def texture(network: Comparing, pictures: Sequence[Image.Image]) -> Floats:
    """What pictures are made of (N, D): patch tokens after the first third of a ViT's layers, averaged."""
    features = network.look.features
    rows = []
    for picture in pictures:
        seen = pixels(features.processor, [picture], features.device)
        layers = features.network(pixel_values=seen, output_hidden_states=True).hidden_states
        rows.append(layers[(len(layers) - 1) // 3][0, 1:].mean(0).double().cpu().numpy())
    return np.stack(rows)


def rated(rater: Rater) -> list[Rating]:
    """The three scores by a rater."""
    return [Rating(rater=rater, criterion=criterion) for criterion in (SUBJECT, TEXT, PHOTOREALISM)]


def mark_rows(frame: Frame, found: Found, judged_by: str) -> list[Row]:
    """Each score over all prompts, then level by level.

    `judged_by` is part of the protocol's name.
    """
    protocol = f"judged by {judged_by}"
    marks = marks_of(found)
    marks[OVERALL] = {item: float(all(marks[name][item] for name in NAMES)) for item in _complete(marks)}
    rows = [frame.mean(protocol, found.name, metric, values) for metric, values in marks.items()]
    for group in frame.groups:
        rows += [frame.mean(protocol, found.name, metric, values, group) for metric, values in marks.items()]
    if MARKS not in found.told:
        rows += [row for name in NAMES for row in unrated_rows(frame, protocol, found, name, [f"{name} 0"])]
    return rows


def marks_of(found: Found) -> dict[str, Mapping[str, float]]:
    """Score → item → 0 or 1, whoever gave it."""
    if MARKS in found.told:
        return {name: reading(found, MARKS, itemgetter(name)) for name in NAMES}
    return {name: reading(found, f"{name} 0", lambda told: told["score"]) for name in NAMES}


def _complete(marks: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Items that have all three; of the others it is not known whether all three are right."""
    return [item for item in marks[NAMES[0]] if all(item in marks[name] for name in NAMES)]
