"""Does one of the triplet's pictures show what training must not see, though in another picture?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tutelage.judges.base import Cost, unjudged
from tutelage.judges.known import PICTURES, Compared, Nearest, check_folders, known
from tutelage.judges.looking import Seen, check_batch, numbered
from tutelage.triplet import Triplet, Verdict

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from torch import Tensor

    from tutelage.diffusion.features import PictureFeatures


@dataclass(frozen=True, kw_only=True)
class SemanticLeakage:
    """Largest cosine of the features of the target or a reference with those of a picture that must not be learnt
    from; kept if at most `high`.
    """

    network: str | Path
    """Folder or Hub id of the network that the fingerprints were made with."""
    high: float
    """Above it two pictures show the same subject. What that means differs from network to network."""
    against: tuple[Path, ...]
    """Fingerprints of what must not be learnt from."""
    batch: int = 64
    """Pictures to look at at once."""
    device: str = "auto"
    name: ClassVar[str] = "leakage-semantic"
    cost: ClassVar[Cost] = Cost.LOOKING

    def __post_init__(self) -> None:
        check_batch(self.batch)
        check_folders(self.name, self.against)

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score: the largest cosine, in [-1, 1]; -1 is also said if nothing is there to compare with.

        Raises:
            BadInput: the network, the device or fingerprints cannot be had.
        """
        self._compared.check_network(self.weights)
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

    @cached_property
    def _compared(self) -> Compared:
        return Compared(tuple(known(folder, PICTURES) for folder in self.against))

    def _verdict(self, triplet: Triplet, seen: Seen) -> Verdict:
        if fault := seen.fault(triplet):
            return unjudged(triplet, self.name, fault)
        found = self._nearest(triplet, seen.target(triplet), seen.references(triplet))
        named = zip(["target", *numbered(triplet)], found, strict=True)
        what, near = max(named, key=lambda pair: pair[1].score)
        reason = "" if near.score <= self.high else f"{what} shows what {near.name} shows: {near.score:.4f}"
        return Verdict(triplet=triplet.id, judge=self.name, score=near.score, keep=not reason, reason=reason)

    def _nearest(self, triplet: Triplet, target: "Tensor", references: "Tensor") -> list[Nearest]:
        import torch

        features = torch.cat([target[None], references]).to(self._features.device)
        return self._compared.closest([triplet] * len(features), features)
