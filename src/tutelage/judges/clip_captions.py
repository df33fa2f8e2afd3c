"""Do both pictures show what their captions say? (InstructPix2Pix, image-caption similarity)"""

from dataclasses import dataclass
from typing import ClassVar

from tutelage.judges.pairs import CAPTIONS, Pair, PairJudge


@dataclass(frozen=True, kw_only=True)
class ClipCaptions(PairJudge):
    """The lesser of cos(I₀, T₀) and cos(I₁, T₁) of an edit; kept from the threshold on."""

    threshold: float = CAPTIONS
    name: ClassVar[str] = "clip-captions"

    def score(self, pair: Pair) -> float:
        return min(float(pair.source @ pair.before), float(pair.target @ pair.after))
