"""Someone who is told the truth: the measure of other judges, where the truth is known at all, as in the toybox.

What is true of a triplet is not this package's to know; whoever builds an oracle gives it a rater who does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from tutelage.errors import BadInput
from tutelage.judges.base import NO_REFERENCES, Cost, unjudged
from tutelage.judges.looking import numbered, pictures_of
from tutelage.triplet import Part, Triplet, Verdict


class Rater(Protocol):
    """Someone who can mark triplets."""

    def rate(self, triplets: Sequence[Triplet]) -> list[tuple[float, float] | str]:
        """SC and PQ in [0, 1] of each triplet (ImagenHub, §4), or why it cannot be marked."""
        ...


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """The root of SC · PQ by someone who knows; kept if it reaches the threshold.

    With a rater who errs it is a strong judge or a panel of people.
    """

    rater: Rater
    threshold: float = 1.0
    """Least score, in [0, 1], that is kept."""
    name: ClassVar[str] = "oracle"
    cost: ClassVar[Cost] = Cost.ASKING

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score in [0, 1].

        Raises:
            BadInput: the rater cannot rate.
        """
        faults = [_fault(triplet) for triplet in triplets]
        sound = [triplet for triplet, fault in zip(triplets, faults, strict=True) if not fault]
        marks = iter(self.rater.rate(sound))
        return [self._verdict(triplet, fault or next(marks)) for triplet, fault in zip(triplets, faults, strict=True)]

    def _verdict(self, triplet: Triplet, marks: tuple[float, float] | str) -> Verdict:
        if isinstance(marks, str):
            return unjudged(triplet, self.name, marks)
        sc, pq = marks
        score = math.sqrt(sc * pq)
        keep = score >= self.threshold
        reason = "" if keep else f"SC {sc:.2f} and PQ {pq:.2f}: {score:.2f} is below {self.threshold:g}"
        parts = (Part(name="SC", score=sc), Part(name="PQ", score=pq))
        return Verdict(triplet=triplet.id, judge=self.name, score=score, keep=keep, reason=reason, parts=parts)


def _fault(triplet: Triplet) -> str:
    """Why a triplet cannot be judged; empty if it can."""
    from tutelage.diffusion.pictures import decode

    if not triplet.references:
        return NO_REFERENCES
    for name, picture in zip(["target", *numbered(triplet)], pictures_of(triplet), strict=True):
        try:
            decode(picture.data)
        except BadInput as error:
            return f"{name}: {error}"
    return ""
