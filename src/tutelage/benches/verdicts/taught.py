"""The truth about targets that a teacher made for toys of a crawl, as far as networks can tell it.

Who a cluster's toy is follows from the crawl's labels and the URLs of its pictures. Its targets are marked like answers
to the toybox bench (`subjects.examiner`): the toy is picked from 20 of its kind by the identity network, what the text
names is read back by the attribute reader, and a target without artefacts lies among real pictures by its texture. How
far outside it lies says how serious its artefacts are. The kind that a text names is who, not what is asked for, and is
not read back. So this truth is itself a measurement: the reader misses one expression in five, and one real picture in
ten lies outside.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from tutelage.benches.mining import read_truth
from tutelage.benches.subjects.examiner import (
    FEATURES,
    GALLERY,
    READER,
    Features,
    drawn,
    galleries,
    identity,
    other_toys,
    real_scenes,
    texture,
)
from tutelage.benches.subjects.manifold import Manifold
from tutelage.benches.subjects.questions import SubjectsBench
from tutelage.benches.verdicts.truth import Truth
from tutelage.diffusion.features import PictureFeatures, picture_features
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.toybox.captions import spoken
from tutelage.toybox.oracle import SERIOUS_DAMAGE, SOME_DAMAGE
from tutelage.toybox.pages import scene_from
from tutelage.toybox.reader import Reader, Reading, agreement
from tutelage.toybox.scene import Kind, Scene, Subject, colour_name
from tutelage.toybox.vision import folder_of
from tutelage.triplet import Triplet

SERIOUS: Final = 1.5
"""How many times farther than real pictures are from each other a picture with serious artefacts is from them all."""
THUMBNAIL: Final = 32
COPIED: Final = 0.05
"""Root mean square difference of two thumbnails, channels in [0, 1], below which one picture is the other again."""
NEAREST_WRONG: Final = 6 / 7
"""Share of traits that somebody who is not the toy can have at most (`toybox.oracle.likeness`)."""


@dataclass(frozen=True, kw_only=True)
class CrawlTruth:
    """Who knows the truth about the targets made for a crawl's toys."""

    toys: Mapping[str, Subject]
    """URL of a picture → the toy it shows."""
    look: PictureFeatures
    reader: Reader
    bench: SubjectsBench
    candidates: dict[Kind, Features] = field(default_factory=dict)
    """Kind → (candidates - 1, GALLERY, D), as far as they were asked for."""
    workers: int = 2

    @staticmethod
    def prepare(labels: Path, bench: SubjectsBench, device: str = "auto", workers: int = 2) -> "CrawlTruth":
        """Read the labels; pictures to compare with are drawn when they are needed.

        Raises:
            BadInput: the labels cannot be read, or the device is absent.
        """
        network, reader = picture_features(folder_of(FEATURES), device), Reader.load(READER, device)
        return CrawlTruth(toys=toys_of(labels), look=network, reader=reader, bench=bench, workers=workers)

    @property
    def protocol(self) -> str:
        """All that truths must have in common to be compared."""
        return f"1 of {self.bench.candidates}, {self.bench.renders} renders, seed {self.bench.seed}"

    @cached_property
    def _textures(self) -> Manifold:
        """What real pictures are made of."""
        return Manifold.of(
            np.concatenate([texture(self.look, part) for part in drawn(real_scenes(self.bench), self.workers)])
        )

    def truths(self, triplets: Sequence[Triplet]) -> list[Truth | str]:
        """The truth about each triplet; a reason where a picture cannot be read or the toy is not known."""
        known: list[Truth | str] = [_fault(triplet, self._toy(triplet)) for triplet in triplets]
        sound = [at for at, fault in enumerate(known) if not fault]
        for at, truth in zip(sound, self._examined([triplets[at] for at in sound]), strict=True):
            known[at] = truth
        return known

    def _examined(self, triplets: Sequence[Triplet]) -> list[Truth]:
        if not triplets:
            return []
        images = [decode(triplet.target) for triplet in triplets]
        toys = {triplet.cluster: self._toy(triplet) for triplet in triplets}
        own = self._galleries([toy for toy in dict.fromkeys(toys.values()) if toy is not None])
        who, far = identity(self.look, images), self._textures.distance(texture(self.look, images))
        rows = zip(triplets, images, who, far, self.reader.read(images), strict=True)
        truths = []
        for triplet, image, feature, distance, reading in rows:
            toy = toys[triplet.cluster]
            assert toy is not None
            right = (own[toy] @ feature).mean() > (self.candidates[toy.kind] @ feature).mean(1).max()
            truths.append(
                Truth(
                    alike=1.0 if right else min(NEAREST_WRONG, traits_read(toy, reading)),
                    followed=agreement(asked_for(triplet.text), reading),
                    damage=_damage(float(distance)),
                    copied=_copied(image, triplet),
                )
            )
        return truths

    def _toy(self, triplet: Triplet) -> Subject | None:
        """The toy that most of the demonstrations show."""
        shown = [self.toys[url] for one in triplet.references if (url := one.picture.url) in self.toys]
        return Counter(shown).most_common(1)[0][0] if shown else None

    def _galleries(self, toys: Sequence[Subject]) -> dict[Subject, Features]:
        """Toy → pictures (GALLERY, D) of it, drawn now; the other candidates of new kinds are drawn too."""
        for kind in sorted({toy.kind for toy in toys} - self.candidates.keys()):
            others = other_toys(kind, self.bench)
            self.candidates[kind] = galleries(self.look, others, GALLERY, self.bench.seed, self.workers)
        seen = galleries(self.look, toys, GALLERY, self.bench.seed, self.workers)
        return dict(zip(toys, seen, strict=True))


def toys_of(labels: Path) -> dict[str, Subject]:
    """URL of a picture → the toy it shows, from a crawl's labels.

    Raises:
        BadInput: the labels cannot be read.
    """
    shown = ((url, scene) for url, scene, _ in labelled(labels))
    return {url: scene.subject for url, scene in shown if scene is not None and scene.subject is not None}


def labelled(labels: Path) -> Iterator[tuple[str, Scene | None, str | None]]:
    """Yield URL, scene and fault of every picture of a crawl, from its labels; None where there is none.

    Raises:
        BadInput: the labels cannot be read.
    """
    for label in read_truth(labels):
        for image in label["images"]:
            yield image["url"], _scene(image, labels), image["fault"]


def asked_for(text: str) -> dict[str, str]:
    """Attribute → value of what a text asks for besides the toy."""
    return {name: value for name, value in spoken(text).items() if name != "kind"}


def traits_read(toy: Subject, reading: Reading) -> float:
    """Share in [0, 1] of the traits that can be read off a picture that are the toy's."""
    own: dict[str, str] = {"kind": toy.kind, "pattern": toy.pattern}
    own |= {part: colour_name(getattr(toy, part)) for part in ("body", "head", "accent")}
    return sum(reading.values[name] == value for name, value in own.items()) / len(own)


def _scene(image: Mapping[str, Any], labels: Path) -> Scene | None:
    try:
        return None if image["scene"] is None else scene_from(image["scene"])
    except (TypeError, KeyError) as error:
        raise BadInput(f"{labels}: a scene is described by other words ({error}); write the crawl again") from error


def _damage(distance: float) -> float:
    if distance <= 1:
        return 0.0
    return SERIOUS_DAMAGE if distance > SERIOUS else SOME_DAMAGE


def _copied(image: Image.Image, triplet: Triplet) -> bool:
    small = _thumbnail(image)
    shown = [_thumbnail(decode(one.picture.data)) for one in triplet.references]
    return any(float(np.sqrt(np.mean((small - other) ** 2))) < COPIED for other in shown)


def _thumbnail(image: Image.Image) -> Any:
    return np.asarray(image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX), np.float64) / 255


def _fault(triplet: Triplet, toy: Subject | None) -> str:
    """Why the truth about a triplet cannot be known; empty if it can."""
    if toy is None:
        return "none of its demonstrations is labelled with a toy"
    try:
        for data in (triplet.target, *(one.picture.data for one in triplet.references)):
            decode(data)
    except BadInput as error:
        return str(error)
    return ""
