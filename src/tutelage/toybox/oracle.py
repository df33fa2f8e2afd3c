"""What a multimodal model or a human rater would be asked of a picture, answered from its description.

Judges are measured against an oracle; none may ask one. With `noise` it is an imperfect rater: each answer is wrong
with that probability, by a coin that depends on (seed, item, question) alone, so that order, batches and restarts
change nothing. Several raters are several seeds.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.errors import BadInput
from tutelage.toybox.render import render
from tutelage.toybox.scene import Scene, Subject, describe

COLOUR_SLACK: Final = 0.12
"""Largest distance (Euclid, RGB in [0, 1]) at which two paints are the same to the eye."""
SHAPE_SLACK: Final = 0.08
"""Largest difference of a proportion that is the same to the eye."""
SOME_DAMAGE, SERIOUS_DAMAGE = 0.02, 0.15
"""Shares of damaged pixels from which a picture has some, and serious, artefacts."""
MOSTLY, AT_ALL = 0.75, 0.34
"""Shares of a condition met from which it is mostly followed, and followed at all."""
OFF_BY: Final = 24
"""Difference in a channel, of 255, from which a pixel counts as damaged."""
LEVELS: Final = (0.0, 0.5, 1.0)
PAINTS: Final = ("body", "head", "accent")
LENGTHS: Final = ("head_size", "width", "height", "ears", "limbs")


@dataclass(frozen=True, kw_only=True)
class Rating:
    """One rater's marks for one picture, by SuTI's questions and by ImagenHub's."""

    subject: int
    """1 if it is the same toy, else 0."""
    text: int
    """1 if everything the prompt names is there, else 0."""
    photo: int
    """1 if there are no artefacts, else 0."""
    sc: float
    """Semantic consistency: 0 if a condition is not followed at all, 1 if all mostly are, else 0.5."""
    pq: float
    """Perceptual quality: 0 with serious artefacts, 0.5 with some, 1 without."""

    @property
    def overall(self) -> int:
        """SuTI's overall mark: 1 only if subject, text and photo all are."""
        return self.subject * self.text * self.photo


@dataclass(frozen=True)
class Oracle:
    """A rater. `noise` is the probability in [0, 1] that an answer is wrong; `seed` tells raters apart.

    `item` names what is asked about; without it the arguments themselves do.

    Raises:
        BadInput: `noise` is outside [0, 1].
    """

    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= 1:
            raise BadInput(f"noise {self.noise}: the share of wrong answers is within 0 to 1; choose e.g. 0.1")

    def subject_kept(self, wanted: Subject, shown: Subject | None, *, item: str | None = None) -> bool:
        """Is the toy that is shown (None: nobody) the one that was wanted?"""
        return (likeness(wanted, shown) == 1) != self._errs(item or f"{wanted}{shown}", "subject")

    def prompt_followed(
        self, named: Mapping[str, str], described: Mapping[str, str], *, item: str | None = None
    ) -> float:
        """Share in [0, 1] of the attributes `named` whose value is the one `described`; 1 if nothing is named.

        Both are attribute → value, as `captions.named` and `scene.describe` give them. Each answer is noisy by itself.
        """
        key = item or f"{sorted(named.items())}{sorted(described.items())}"
        right = [
            (described.get(attribute) == value) != self._errs(key, f"prompt {attribute}")
            for attribute, value in named.items()
        ]
        return sum(right) / len(right) if right else 1.0

    def artefact_free(self, damage: float, *, item: str | None = None) -> bool:
        """Is a picture of which this share in [0, 1] of the pixels is damaged (see `damage`) free of artefacts?"""
        return (damage < SOME_DAMAGE) != self._errs(item or f"{damage}", "artefacts")

    def rate(
        self, item: str, *, wanted: Subject | None, named: Mapping[str, str], shown: Scene | None, damage: float = 0.0
    ) -> Rating:
        """Mark one picture.

        Args:
            item: id of the picture.
            wanted: the toy asked for, or None if none in particular was (then the subject is kept).
            named: attribute → value the prompt asks for.
            shown: what the picture shows, or None if it shows nothing that can be told.
            damage: share in [0, 1] of its pixels that are artefacts.
        """
        described = {} if shown is None else describe(shown)
        somebody = None if shown is None else shown.subject
        followed = {attribute: described.get(attribute) == value for attribute, value in named.items()}
        alike = 1.0 if wanted is None else likeness(wanted, somebody)
        return self.mark(item, alike=alike, followed=followed, damage=damage, anybody=wanted is None)

    def mark(
        self, item: str, *, alike: float, followed: Mapping[str, bool], damage: float, anybody: bool = False
    ) -> Rating:
        """Mark a picture of which this much is known, however it is known.

        Args:
            item: id of the picture.
            alike: share in [0, 1] of the toy's traits that were kept (see `likeness`); 1 if it is the toy.
            followed: attribute that the prompt names → whether the picture shows it.
            damage: share in [0, 1] of its pixels that are artefacts.
            anybody: whether no toy in particular was asked for, so that there is nothing to be mistaken about.
        """
        seen = [right != self._errs(item, f"prompt {attribute}") for attribute, right in followed.items()]
        return Rating(
            subject=int(anybody or (alike == 1) != self._errs(item, "subject")),
            text=int(all(seen)),
            photo=int(self.artefact_free(damage, item=item)),
            sc=self._consistency(item, alike, sum(followed.values()) / len(followed) if followed else 1.0),
            pq=self._level(item, "pq", 2 - (damage >= SOME_DAMAGE) - (damage >= SERIOUS_DAMAGE)),
        )

    def _consistency(self, item: str, alike: float, words: float) -> float:
        """The mark for the condition followed least: the subject, all of it, or the share of the words."""
        text = 2 if words >= MOSTLY else int(words >= AT_ALL)
        subject = 2 if alike == 1 else int(alike >= 0.5)
        return self._level(item, "sc", min(text, subject))

    def _level(self, item: str, question: str, true: int) -> float:
        """One of `LEVELS`; a wrong answer is one step off, towards either side where there are two."""
        if not self._errs(item, question):
            return LEVELS[true]
        up = self._coin(item, f"{question} side") < 0.5
        return LEVELS[1 if true != 1 else 2 * up]

    def _errs(self, item: str, question: str) -> bool:
        return self._coin(item, question) < self.noise

    def _coin(self, item: str, question: str) -> float:
        """A number in [0, 1) that (seed, item, question) alone decides."""
        digest = hashlib.blake2b(f"{self.seed}\0{item}\0{question}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest) >> 11) / 2**53  # 53 bits fit a float exactly, so never 1.0


def likeness(wanted: Subject, shown: Subject | None) -> float:
    """Share in [0, 1] of a toy's seven traits that were kept: kind, three paints, pattern, belly patch, proportions."""
    if shown is None:
        return 0.0
    kept: list[bool] = [getattr(wanted, name) == getattr(shown, name) for name in ("kind", "pattern", "belly")]
    kept += [math.dist(getattr(wanted, name), getattr(shown, name)) <= COLOUR_SLACK for name in PAINTS]
    kept.append(all(abs(getattr(wanted, name) - getattr(shown, name)) <= SHAPE_SLACK for name in LENGTHS))
    return sum(kept) / len(kept)


def damage(image: NDArray[np.uint8], scene: Scene) -> float:
    """Share in [0, 1] of the pixels of `image` (H, W, 3) that differ visibly from the clean picture of `scene`.

    Raises:
        BadInput: the image is not (H, W, 3) or not of a size `render` accepts.
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise BadInput(f"image of shape {image.shape}: it must be (height, width, 3); convert it to RGB")
    clean, _ = render(scene, (image.shape[0], image.shape[1]))
    off = np.abs(image.astype(np.int16) - clean).max(-1) > OFF_BY
    return float(off.mean())
