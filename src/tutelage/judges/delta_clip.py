"""ΔCLIP: does the target show the text better than every demonstration does? (SuTI, Eq. 6)"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from tutelage.judges.base import Cost, unjudged
from tutelage.judges.looking import Seen, check_batch
from tutelage.triplet import Triplet, Verdict

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from torch import Tensor

    from tutelage.diffusion.features import ClipFeatures

THRESHOLD: Final = 0.02
"""λ of the paper, for ViT-L/14."""


@dataclass(frozen=True, kw_only=True)
class DeltaClip:
    """Eq. 6: Δ(y, C, p) = CLIP(y, p) − max over x in C of CLIP(x, p), where CLIP is a cosine; kept if Δ > λ.

    A target that only repeats a demonstration has Δ = 0; one that ignores the text has Δ < 0.
    """

    clip: str | Path
    """Folder or Hub id of a `CLIPModel`."""
    threshold: float = THRESHOLD
    """λ, in [-2, 2]."""
    batch: int = 64
    """Pictures to look at at once."""
    device: str = "auto"
    name: ClassVar[str] = "delta-clip"
    cost: ClassVar[Cost] = Cost.LOOKING

    def __post_init__(self) -> None:
        check_batch(self.batch)

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score Δ in [-2, 2]; the text is cut off where CLIP's tokenizer ends.

        Raises:
            BadInput: the CLIP or the device is not there.
        """
        seen = Seen(triplets, self._features, self.batch)
        texts = list(dict.fromkeys(triplet.text for triplet in triplets))
        read = dict(zip(texts, self._features.texts(texts), strict=True))
        return [self._verdict(triplet, seen, read[triplet.text]) for triplet in triplets]

    @property
    def weights(self) -> str:
        """Hash of the CLIP, for provenance."""
        return self._features.weights

    @cached_property
    def _features(self) -> "ClipFeatures":
        from tutelage.diffusion.features import clip_features

        return clip_features(self.clip, self.device)

    def _verdict(self, triplet: Triplet, seen: Seen, text: "Tensor") -> Verdict:
        if fault := seen.fault(triplet):
            return unjudged(triplet, self.name, fault)
        delta = float(seen.target(triplet) @ text - (seen.references(triplet) @ text).max())
        keep = delta > self.threshold
        reason = "" if keep else f"ΔCLIP {delta:.4f} is not above {self.threshold:g}"
        return Verdict(triplet=triplet.id, judge=self.name, score=delta, keep=keep, reason=reason)
