"""Does the target show what another one shows already? (SemDeDup, Abbas et al. 2023)"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tutelage.judges.base import Cost, unjudged
from tutelage.judges.duplicates import KINDS
from tutelage.judges.known import Compared, Nearest, check_folders, known
from tutelage.judges.looking import Seen, check_batch
from tutelage.triplet import Triplet, Verdict

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from tutelage.diffusion.features import PictureFeatures


@dataclass(frozen=True, kw_only=True)
class SemanticDuplicates:
    """Cosine of the features of the target and of the nearest known target; kept if at most `high`."""

    network: str | Path
    """Folder or Hub id of the network that the fingerprints were made with."""
    high: float
    """Above it two targets show the same. What that means differs from network to network."""
    against: tuple[Path, ...] = ()
    """Fingerprints of other corpora, or of pictures: all of them count."""
    within: Path | None = None
    """Fingerprints of the corpus that the triplets are from: what comes before a triplet counts."""
    batch: int = 64
    """Pictures to look at at once."""
    device: str = "auto"
    name: ClassVar[str] = "duplicates-semantic"
    cost: ClassVar[Cost] = Cost.LOOKING

    def __post_init__(self) -> None:
        check_batch(self.batch)
        check_folders(self.name, [*self.against, *filter(None, [self.within])])

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score: the largest cosine, in [-1, 1]; -1 is also said if nothing is there to compare with.

        Raises:
            BadInput: the network, the device or fingerprints cannot be had, or these lack a triplet of the corpus.
        """
        self._compared.check_network(self.weights)
        seen = Seen(triplets, self._features, self.batch, targets_only=True)
        sound = [triplet for triplet in triplets if not seen.fault(triplet)]
        nearest = {triplet.id: near for triplet, near in zip(sound, self._nearest(sound, seen), strict=True)}
        return [self._verdict(triplet, seen.fault(triplet), nearest) for triplet in triplets]

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
        own = None if self.within is None else known(self.within, KINDS)
        return Compared(tuple(known(folder, KINDS) for folder in self.against), own)

    def _nearest(self, triplets: Sequence[Triplet], seen: Seen) -> list[Nearest]:
        import torch

        if not triplets:
            return []
        features = torch.stack([seen.target(triplet) for triplet in triplets]).to(self._features.device)
        return self._compared.closest(triplets, features)

    def _verdict(self, triplet: Triplet, fault: str, nearest: dict[str, Nearest]) -> Verdict:
        if fault:
            return unjudged(triplet, self.name, fault)
        near = nearest[triplet.id]
        reason = "" if near.score <= self.high else f"shows what {near.name} shows: {near.score:.4f}"
        return Verdict(triplet=triplet.id, judge=self.name, score=near.score, keep=not reason, reason=reason)
