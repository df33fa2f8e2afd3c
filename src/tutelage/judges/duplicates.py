"""Was the target there before, byte for byte or to the eye, in this corpus or in others?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

from tutelage.judges.base import Cost, unjudged
from tutelage.judges.fingerprints import PERCEPTUAL_HASH
from tutelage.judges.known import SAME_BYTES, Compared, Nearest, check_folders, known
from tutelage.judges.looking import Seen
from tutelage.triplet import Picture, Triplet, Verdict

BITS: Final = 2
"""Of 64. Rescaled and recompressed copies seldom differ in more; what strangers differ in is in docs/log.md."""
KINDS: Final = ("target", "picture")
"""What targets are compared with: references are shared by many triplets."""


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Bits in which the target's perceptual hash differs from that of the nearest known target; kept if more than
    `bits`.

    Within the triplets' own corpus the first of several stays, whether or not others keep it, so a verdict depends on
    what was written before and on nothing else.
    """

    against: tuple[Path, ...] = ()
    """Fingerprints of other corpora, or of pictures: all of them count."""
    within: Path | None = None
    """Fingerprints of the corpus that the triplets are from: what comes before a triplet counts."""
    bits: int = BITS
    """Most bits, out of 64, in which duplicates differ."""
    name: ClassVar[str] = "duplicates"
    cost: ClassVar[Cost] = Cost.READING

    def __post_init__(self) -> None:
        check_folders(self.name, [*self.against, *filter(None, [self.within])])

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score: bits, 0 to 64, where 64 is also said if nothing is there to compare with; -1 for equal bytes.

        Raises:
            BadInput: fingerprints cannot be read, or lack a triplet of the corpus.
        """
        seen = Seen(triplets, PERCEPTUAL_HASH, 64, targets_only=True)
        return [self._verdict(triplet, seen) for triplet in triplets]

    @cached_property
    def _compared(self) -> Compared:
        own = None if self.within is None else known(self.within, KINDS)
        return Compared(tuple(known(folder, KINDS) for folder in self.against), own)

    def _verdict(self, triplet: Triplet, seen: Seen) -> Verdict:
        if fault := seen.fault(triplet):
            return unjudged(triplet, self.name, fault)
        key = Picture(data=triplet.target).key
        nearest = self._compared.least_bits(triplet, key, int(seen.target(triplet)))
        reason = "" if nearest.score > self.bits else alike(nearest)
        return Verdict(triplet=triplet.id, judge=self.name, score=nearest.score, keep=not reason, reason=reason)


def alike(nearest: Nearest) -> str:
    """How a picture is like the one that is known."""
    how = "the bytes" if nearest.score == SAME_BYTES else f"{nearest.score:g} bits from those"
    return f"{how} of {nearest.name}"
