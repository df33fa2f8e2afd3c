"""Does the picture change the way the caption does? (InstructPix2Pix, direction similarity; StyleGAN-NADA)"""

from dataclasses import dataclass
from typing import ClassVar

from tutelage.judges.pairs import DIRECTION, Pair, PairJudge


@dataclass(frozen=True, kw_only=True)
class ClipDirection(PairJudge):
    """cos(I₁ − I₀, T₁ − T₀) of unit features of an edit's pictures and captions; kept from the threshold on.

    A target that is its source has no direction and scores 0.
    """

    threshold: float = DIRECTION
    name: ClassVar[str] = "clip-direction"

    def score(self, pair: Pair) -> float:
        from torch.nn import functional as F

        return float(F.cosine_similarity(pair.target - pair.source, pair.after - pair.before, dim=0))

    def missing(self, before: str, after: str) -> str:
        return super().missing(before, after) or ("source and target have one caption" if before == after else "")
