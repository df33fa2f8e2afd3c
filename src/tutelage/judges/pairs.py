"""An edit as CLIP sees it, a source and a target with a caption each, and what judges of such pairs share.

InstructPix2Pix keeps a pair if four numbers are high enough: the similarity of the pictures, of the direction in which
pictures and captions change, and of each picture and its caption. Each kind of number has a judge and a threshold of
its own, so that all are stored and any can be moved later; on one panel they look once.
"""

from abc import ABC, abstractmethod
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

CAPTIONS: Final = 0.20
DIRECTION: Final = 0.20
SIMILARITY: Final = 0.70
"""Thresholds of InstructPix2Pix's released filter for ViT-L/14, kept from them on. Generative Data Refinement has the
last two for ViT-G/14; InstructPix2Pix's appendix says .75 for the last."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Unit features (D,) of an edit."""

    source: "Tensor"
    target: "Tensor"
    before: "Tensor"
    """Of the source's caption."""
    after: "Tensor"
    """Of the target's."""


@dataclass(frozen=True, kw_only=True)
class PairJudge(ABC):
    """A number that CLIP gives a pair. The source is the first reference."""

    clip: str | Path
    """Folder or Hub id of a `CLIPModel`."""
    threshold: float
    """Least number that is kept."""
    batch: int = 64
    """Pictures to look at at once."""
    device: str = "auto"
    name: ClassVar[str]
    cost: ClassVar[Cost] = Cost.LOOKING

    def __post_init__(self) -> None:
        check_batch(self.batch)

    @abstractmethod
    def score(self, pair: Pair) -> float:
        """The number, in [-1, 1]."""

    def missing(self, before: str, after: str) -> str:
        """What the captions lack for this number; empty if nothing."""
        if not before or not after:
            return f"the {'target' if before else 'source'} has no caption"
        return ""

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score as in `score`; captions are cut off where CLIP's tokenizer ends.

        Raises:
            BadInput: the CLIP or the device is not there.
        """
        seen = Seen(triplets, self._features, self.batch)
        texts = list(dict.fromkeys(text for triplet in triplets for text in captions_of(triplet)))
        read = dict(zip(texts, self._features.texts(texts), strict=True))
        return [self._verdict(triplet, seen, read) for triplet in triplets]

    @property
    def weights(self) -> str:
        """Hash of the CLIP, for provenance."""
        return self._features.weights

    @cached_property
    def _features(self) -> "ClipFeatures":
        from tutelage.diffusion.features import clip_features

        return clip_features(self.clip, self.device)

    def _verdict(self, triplet: Triplet, seen: Seen, read: "dict[str, Tensor]") -> Verdict:
        before, after = captions_of(triplet)
        if fault := seen.fault(triplet) or self.missing(before, after):
            return unjudged(triplet, self.name, fault)
        source, target = seen.references(triplet)[0], seen.target(triplet)
        score = self.score(Pair(source=source, target=target, before=read[before], after=read[after]))
        keep = score >= self.threshold
        reason = "" if keep else f"{self.name} {score:.4f} is below {self.threshold:g}"
        return Verdict(triplet=triplet.id, judge=self.name, score=score, keep=keep, reason=reason)


def captions_of(triplet: Triplet) -> tuple[str, str]:
    """Of source and target; the text is the target's where it has none of its own."""
    before = triplet.references[0].caption if triplet.references else ""
    return before, triplet.caption or triplet.text
