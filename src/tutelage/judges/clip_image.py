"""Is the target still the source's picture? (InstructPix2Pix, image similarity)"""

from dataclasses import dataclass
from typing import ClassVar

from tutelage.judges.pairs import SIMILARITY, Pair, PairJudge


@dataclass(frozen=True, kw_only=True)
class ClipImage(PairJudge):
    """cos(I₁, I₀) of an edit's target and source; kept from the threshold on. Captions are not needed."""

    threshold: float = SIMILARITY
    name: ClassVar[str] = "clip-image"

    def score(self, pair: Pair) -> float:
        return float(pair.target @ pair.source)

    def missing(self, before: str, after: str) -> str:
        return ""
