"""The copy check: is the target too close to a demonstration, or so far from all that it shows someone else?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tutelage.errors import BadInput
from tutelage.judges.base import Cost, unjudged
from tutelage.judges.looking import Seen, check_batch
from tutelage.triplet import Triplet, Verdict

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from tutelage.diffusion.features import PictureFeatures


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Cosine of the features of the target and of its nearest reference; kept if low ≤ cosine ≤ high."""

    network: str | Path
    """Folder or Hub id of a network that looks at pictures: a ViT, a DINO, a DINOv2, a CLIP."""
    high: float
    """Above it the target is a copy. What that means differs from network to network: look at the cosines of two
    pictures of one subject before choosing."""
    low: float | None = None
    """Below it the target does not show the subject; None: not asked."""
    batch: int = 64
    """Pictures to look at at once."""
    device: str = "auto"
    name: ClassVar[str] = "likeness"
    cost: ClassVar[Cost] = Cost.LOOKING

    def __post_init__(self) -> None:
        check_batch(self.batch)
        if self.low is not None and self.low > self.high:
            raise BadInput(f"low is {self.low:g} and high {self.high:g}, so nothing is kept; give a low below high")

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score: the largest cosine, in [-1, 1].

        Raises:
            BadInput: the network or the device is not there.
        """
        seen = Seen(triplets, self._features, self.batch)
        return [self._verdict(triplet, seen) for triplet in triplets]

    @property
    def weights(self) -> str:
        """Hash of the network, for provenance."""
        return self._features.weights

    @cached_property
    def _features(self) -> "PictureFeatures":
        from tutelage.diffusion.features import picture_features

        return picture_features(self.network, self.device)

    def _verdict(self, triplet: Triplet, seen: Seen) -> Verdict:
        if fault := seen.fault(triplet):
            return unjudged(triplet, self.name, fault)
        similar = seen.references(triplet) @ seen.target(triplet)
        nearest = float(similar.max())
        reason = self._reason(nearest, int(similar.argmax()))
        return Verdict(triplet=triplet.id, judge=self.name, score=nearest, keep=not reason, reason=reason)

    def _reason(self, nearest: float, which: int) -> str:
        if nearest > self.high:
            return f"too close to reference {which}: {nearest:.4f} is above {self.high:g}"
        if self.low is not None and nearest < self.low:
            return f"not the subject: {nearest:.4f} is below {self.low:g}"
        return ""
