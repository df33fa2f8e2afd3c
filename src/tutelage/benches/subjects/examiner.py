"""How an answer is marked: is it the toy, does it show what the prompt names, is it a picture of this world, is it new?

`subject`
    The picture's identity features are compared with pictures of the toy and of 19 other held-out toys of its kind, by
    the mean cosine over `GALLERY` pictures of each; the toy must come first. All candidates are shown in the same
    scenes, so that they differ in who they are and in nothing else.
`text`
    The attribute reader reads the picture; every attribute that the prompt names is right or wrong.
`photo`
    Improved precision (Kynkäänniemi et al. 2019, §2): the picture lies within the distance from some real picture to
    that picture's third nearest neighbour, by identity features. The real ones answer such questions about other
    held-out toys. Lenient: those features look away from all but who is seen, so that blur is forgiven, and noise too.
`texture`
    The same by the identity network's patch tokens after its second layer, averaged: what it makes of a picture's grain
    before it looks away. Strict: blur and noise are out. It stands beside `photo` and is no part of `overall`.
`copy`
    The cosine to the nearest demonstration is above the 99th percentile of the cosines of all pairs of `PAIRED`
    pictures of the toy, drawn like demonstrations. Its four demonstrations alone have six pairs, and no 99th
    percentile: three in five true pictures would be above the highest of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from tutelage.benches.heldout import draw
from tutelage.benches.intervals import Floats
from tutelage.benches.subjects.manifold import Manifold
from tutelage.benches.subjects.questions import Question, SubjectsBench, held_out_toy, snapshot, target_scene
from tutelage.diffusion.features import PictureFeatures, picture_features
from tutelage.diffusion.vision import pixels
from tutelage.toybox.captions import named
from tutelage.toybox.reader import Reader, agreement
from tutelage.toybox.sampling import HELD_OUT, subject_at
from tutelage.toybox.scene import KINDS, Kind, Scene, Subject
from tutelage.toybox.vision import folder_of

FEATURES: Final = "toybox-dino"
READER: Final = "toybox-reader"
LAYER: Final = 2
"""Of the identity network's six, whose patch tokens say what a picture is made of."""
GALLERY: Final = 10
"""Pictures that a candidate is represented by."""
PAIRED: Final = 48
"""Pictures of a toy whose pairs say how near to each other two of its pictures are: 1 128 pairs."""
PERCENTILE: Final = 99
OTHERS, REAL = 1_000_000, 2_000_000
"""Numbers of the first held-out toy that is another candidate, and of the first in the real pictures."""
TOGETHER: Final = 1024
"""Pictures in memory at a time."""
_GALLERY: Final = 43
"""Second word of the random keys."""

Features = NDArray[np.float32]
"""Unit vectors (..., D)."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What is to be said of one answer."""

    subject: bool
    named: Mapping[str, bool]
    """Attribute that the prompt names → whether it was read back."""
    photo: bool
    texture: bool
    copy: bool

    @property
    def text(self) -> bool:
        """Whether all that is named was read back."""
        return all(self.named.values())

    @property
    def overall(self) -> bool:
        """Whether subject, text and photo are right."""
        return self.subject and self.text and self.photo


@dataclass(frozen=True, kw_only=True)
class Examiner:
    """Everything answers are compared with; made once, for any number of generators."""

    look: PictureFeatures
    """The identity network."""
    reader: Reader
    candidates: Mapping[Kind, Features]
    """(candidates - 1, GALLERY, D) for each kind: the other toys."""
    photos: Manifold
    """Real pictures by `identity`."""
    textures: Manifold
    """The same by `texture`."""
    toys: Mapping[int, Features]
    """Number → pictures (PAIRED, D) of the toy; the first `GALLERY` represent it among the candidates."""

    @staticmethod
    def prepare(bench: SubjectsBench, device: str = "auto", workers: int = 2) -> "Examiner":
        """Draw and look at all reference pictures: about two minutes for 100 toys.

        Raises:
            BadInput: the device is absent.
        """
        reader = Reader.load(READER, device)
        network = picture_features(folder_of(FEATURES), device)
        kinds = sorted({KINDS[number % len(KINDS)] for number in range(bench.subjects)})
        others = [toy for kind in kinds for toy in other_toys(kind, bench)]
        toys = [held_out_toy(number, bench.seed) for number in range(bench.subjects)]
        candidates = galleries(network, others, GALLERY, bench.seed, workers)
        real = [(identity(network, part), texture(network, part)) for part in drawn(real_scenes(bench), workers)]
        photos, textures = (Manifold.of(np.concatenate(parts).astype(float)) for parts in zip(*real, strict=True))
        return Examiner(
            look=network,
            reader=reader,
            candidates=dict(zip(kinds, np.split(candidates, len(kinds)), strict=True)),
            photos=photos,
            textures=textures,
            toys=dict(enumerate(galleries(network, toys, PAIRED, bench.seed, workers))),
        )

    def mark(
        self,
        questions: Sequence[Question],
        answers: Sequence[Image.Image],
        demonstrations: Mapping[str, Sequence[Image.Image]],
    ) -> list[Mark]:
        """Mark one answer to each question; `demonstrations` are the pictures that each toy (`Question.toy`) had."""
        who = identity(self.look, answers)
        photos, textures = self.photos.holds(who.astype(float)), self.textures.holds(texture(self.look, answers))
        shown = {toy: identity(self.look, pictures) for toy, pictures in demonstrations.items()}
        rows = zip(questions, who, photos, textures, self.reader.read(answers), strict=True)
        return [
            Mark(
                subject=self._is_toy(question, feature),
                named=agreement(named(question.target, "short"), reading),
                photo=bool(photo),
                texture=bool(grain),
                copy=bool((shown[question.toy] @ feature).max() > self._nearness(question.number)),
            )
            for question, feature, photo, grain, reading in rows
        ]

    def _is_toy(self, question: Question, feature: Features) -> bool:
        right = (self.toys[question.number][:GALLERY] @ feature).mean()
        others = (self.candidates[question.subject.kind] @ feature).mean(1)
        return bool(right > others.max())

    def _nearness(self, number: int) -> float:
        """The 99th percentile of the cosines of two pictures of a toy."""
        pictures = self.toys[number]
        pairs = (pictures @ pictures.T)[np.triu_indices(len(pictures), 1)]
        return float(np.percentile(pairs, PERCENTILE))


def identity(network: PictureFeatures, pictures: Sequence[Image.Image]) -> Features:
    """Who is seen (N, D): unit class tokens of the last layer."""
    return np.asarray(network.pictures(pictures).numpy())


@torch.inference_mode()
def texture(network: PictureFeatures, pictures: Sequence[Image.Image], batch: int = 64) -> Floats:
    """What it is made of (N, D): patch tokens after layer `LAYER`, averaged."""
    parts = []
    for first in range(0, len(pictures), batch):
        seen = pixels(network.processor, pictures[first : first + batch], network.device)
        layers = network.network(pixel_values=seen, output_hidden_states=True).hidden_states
        parts.append(layers[LAYER][:, 1:].mean(1).double().cpu().numpy())
    return np.concatenate(parts)


def gallery(toy: Subject, count: int, seed: int) -> list[Scene]:
    """Pictures of a toy like demonstrations; number i is the same scene for every toy."""
    return [snapshot(toy, np.random.default_rng([seed, _GALLERY, i])) for i in range(count)]


def other_toys(kind: Kind, bench: SubjectsBench) -> list[Subject]:
    """The held-out toys of a kind that one asked for is to be told from."""
    numbers = range(OTHERS, OTHERS + bench.candidates - 1)
    return [subject_at(number, split=HELD_OUT, seed=bench.seed, kind=kind) for number in numbers]


def real_scenes(bench: SubjectsBench) -> list[Scene]:
    """What as many questions about other held-out toys ask for, kinds and skills by turns."""
    skills = [bench.skills[at // len(KINDS) % len(bench.skills)] for at in range(bench.renders)]
    numbers = range(REAL, REAL + bench.renders)
    return [
        target_scene(held_out_toy(number, bench.seed), number, skill, bench.seed)
        for number, skill in zip(numbers, skills, strict=True)
    ]


def galleries(network: PictureFeatures, toys: Sequence[Subject], count: int, seed: int, workers: int) -> Features:
    """Who is seen in `count` pictures of each toy (toys, count, D)."""
    scenes = [scene for toy in toys for scene in gallery(toy, count, seed)]
    seen = np.concatenate([identity(network, part) for part in drawn(scenes, workers)])
    return seen.reshape(len(toys), count, -1)


def drawn(scenes: Sequence[Scene], workers: int) -> Iterator[list[Image.Image]]:
    """Pictures of scenes, some at a time."""
    for first in range(0, len(scenes), TOGETHER):
        images = draw(scenes[first : first + TOGETHER], workers).images
        yield [Image.fromarray(image) for image in images]
