"""Is one of the triplet's pictures among those that training must not see, such as a bench's?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

from tutelage.judges.base import Cost, unjudged
from tutelage.judges.duplicates import alike
from tutelage.judges.fingerprints import PERCEPTUAL_HASH
from tutelage.judges.known import PICTURES, Compared, check_folders, known
from tutelage.judges.looking import Seen, numbered, pictures_of
from tutelage.triplet import Triplet, Verdict

BITS: Final = 4
"""Of 64. More than for duplicates: a leak that is missed costs more than a stranger that is rejected."""


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """Least bits in which the perceptual hash of the target or a reference differs from that of a picture that must
    not be learnt from; kept if more than `bits`.
    """

    against: tuple[Path, ...]
    """Fingerprints of what must not be learnt from."""
    bits: int = BITS
    """Most bits, out of 64, in which copies differ."""
    name: ClassVar[str] = "leakage"
    cost: ClassVar[Cost] = Cost.READING

    def __post_init__(self) -> None:
        check_folders(self.name, self.against)

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score: bits, 0 to 64, where 64 is also said if nothing is there to compare with; -1 for equal bytes.

        Raises:
            BadInput: fingerprints cannot be read.
        """
        seen = Seen(triplets, PERCEPTUAL_HASH, 64)
        return [self._verdict(triplet, seen) for triplet in triplets]

    @cached_property
    def _compared(self) -> Compared:
        return Compared(tuple(known(folder, PICTURES) for folder in self.against))

    def _verdict(self, triplet: Triplet, seen: Seen) -> Verdict:
        if fault := seen.fault(triplet):
            return unjudged(triplet, self.name, fault)
        codes = [int(seen.target(triplet)), *map(int, seen.references(triplet))]
        keys = [picture.key for picture in pictures_of(triplet)]
        found = [self._compared.least_bits(triplet, key, code) for key, code in zip(keys, codes, strict=True)]
        named = zip(["target", *numbered(triplet)], found, strict=True)
        what, nearest = min(named, key=lambda pair: pair[1].score)
        reason = "" if nearest.score > self.bits else f"{what}: {alike(nearest)}"
        return Verdict(triplet=triplet.id, judge=self.name, score=nearest.score, keep=not reason, reason=reason)
