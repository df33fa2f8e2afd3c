"""Is the source untouched where the edit was not allowed? (OmniEdit: local edits change nothing but the region)"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from tutelage.errors import BadInput
from tutelage.judges.base import NO_REFERENCES, Cost, unjudged
from tutelage.triplet import Part, Triplet, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BEST: Final = 100.0
"""PSNR of equal pixels, and of none."""


@dataclass(frozen=True, kw_only=True)
class OutsideMask:
    """PSNR in dB of target against source, outside the triplet's mask; kept from the threshold on.

    Without a mask everything may change, and the score is the best there is. The part `inside` is the PSNR within the
    mask, or of all: the higher it is, the less was edited.
    """

    threshold: float = 30.0
    """In dB, 0 to 100. Codecs of latent diffusion give back photographs at 25 to 35."""
    name: ClassVar[str] = "outside-mask"
    cost: ClassVar[Cost] = Cost.READING

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= BEST:
            raise BadInput(f"threshold of outside-mask is {self.threshold:g}; give dB from 0 to {BEST:g}")

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score in [0, 100]. Pictures of two sizes cannot be compared."""
        return [self._verdict(triplet) for triplet in triplets]

    def _verdict(self, triplet: Triplet) -> Verdict:
        import numpy as np

        from tutelage.diffusion.pictures import decode

        if not triplet.references:
            return unjudged(triplet, self.name, NO_REFERENCES)
        files = {"target": triplet.target, "reference 0": triplet.references[0].picture.data}
        files |= {"mask": triplet.mask} if triplet.mask else {}
        try:
            target, source, *masks = (np.asarray(decode(data, name)) for name, data in files.items())
        except BadInput as fault:
            return unjudged(triplet, self.name, str(fault))
        if len(shapes := {picture.shape for picture in (target, source, *masks)}) == 1:
            mask = masks[0][..., 0] >= 128 if masks else np.ones(source.shape[:2], np.bool_)
            return self._scored(triplet, source, target, mask)
        if masks:
            return unjudged(triplet, self.name, f"source, target and mask are of {len(shapes)} sizes")
        return Verdict(triplet=triplet.id, judge=self.name, score=BEST, keep=True)

    def _scored(
        self,
        triplet: Triplet,
        source: "NDArray[np.uint8]",
        target: "NDArray[np.uint8]",
        mask: "NDArray[np.bool_]",
    ) -> Verdict:
        score = psnr(source[~mask], target[~mask])
        parts = (Part(name="inside", score=psnr(source[mask], target[mask])),)
        keep = score >= self.threshold
        reason = "" if keep else f"outside its mask {score:.1f} dB, below {self.threshold:g}"
        return Verdict(triplet=triplet.id, judge=self.name, score=score, keep=keep, reason=reason, parts=parts)


def psnr(one: "NDArray[np.uint8]", other: "NDArray[np.uint8]") -> float:
    """Peak signal-to-noise ratio in dB of bytes of one shape, within [0, 100]."""
    import numpy as np

    error = float(np.mean((one.astype(np.float64) - other) ** 2)) if one.size else 0.0
    return BEST if error == 0 else float(np.clip(20 * math.log10(255) - 10 * math.log10(error), 0, BEST))
