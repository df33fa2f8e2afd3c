"""Do both pictures of an edit show what their captions say? An image classifier reads them, phrase by phrase.

It asks as TIFA (Hu et al. 2023) does, whether what the words name is to be seen, of a network whose labels are the
captions' own phrases; so a reason says what was read instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tutelage.errors import BadInput
from tutelage.judges.base import Cost, unjudged
from tutelage.judges.looking import Seen, check_batch
from tutelage.judges.pairs import captions_of
from tutelage.triplet import Part, Triplet, Verdict

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from torch import Tensor

    from tutelage.diffusion.tags import Tagger


class Read(NamedTuple):
    """One group of labels in one picture."""

    share: float
    """Probability of the phrase that the caption names."""
    group: str
    where: str
    """Which picture."""
    named: str
    read: str
    """The likeliest phrase."""

    @property
    def reason(self) -> str:
        """What is wrong."""
        what = f"{self.group} of the {self.where}"
        read, named = (f"'{phrase}'" if phrase else "nothing said" for phrase in (self.read, self.named))
        if self.read == self.named:
            return f"{what} reads as {named} with a probability of {self.share:.3f} alone"
        return f"{what} reads as {read}, not {named} ({self.share:.3f})"


@dataclass(frozen=True, kw_only=True)
class Tags:
    """The least probability of what the two captions name; kept from the threshold on.

    Asked is about what differs between the captions and about what always matters. A caption that is absent names
    nothing, and where nothing is named the score is 1. Its parts are the least of each picture, `source` and `target`.
    """

    tagger: str | Path
    """Folder or Hub id of an image classifier whose labels read "group=phrase"; see `diffusion.tags`."""
    always: tuple[str, ...] = ()
    """Groups that are asked about even where the captions say the same; empty: all."""
    threshold: float = 0.5
    """Least probability that is kept, in [0, 1]."""
    batch: int = 64
    """Pictures to look at at once."""
    device: str = "auto"
    name: ClassVar[str] = "tags"
    cost: ClassVar[Cost] = Cost.LOOKING

    def __post_init__(self) -> None:
        check_batch(self.batch)
        if not 0 <= self.threshold <= 1:
            raise BadInput(f"threshold of tags is {self.threshold:g}; give a probability from 0 to 1")

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score in [0, 1].

        Raises:
            BadInput: the tagger or the device is not there, or it has no such group.
        """
        seen = Seen(triplets, self._tagger, self.batch)
        return [self._verdict(triplet, seen) for triplet in triplets]

    @property
    def weights(self) -> str:
        """Hash of the tagger, for provenance."""
        return self._tagger.weights

    @cached_property
    def _tagger(self) -> "Tagger":
        from tutelage.diffusion.tags import load_tagger

        tagger = load_tagger(self.tagger, self.device)
        if unknown := set(self.always) - tagger.labels.keys():
            there = ", ".join(tagger.labels)
            raise BadInput(f"{self.tagger} has no group '{min(unknown)}' of labels; there are {there}")
        return tagger

    def _verdict(self, triplet: Triplet, seen: Seen) -> Verdict:
        if fault := seen.fault(triplet):
            return unjudged(triplet, self.name, fault)
        read = self._read(triplet, {"source": seen.references(triplet)[0], "target": seen.target(triplet)})
        worst = min(read, default=None)
        score = 1.0 if worst is None else worst.share
        reason = "" if worst is None or score >= self.threshold else worst.reason
        least = {one.where: one.share for one in sorted(read, reverse=True)}
        parts = tuple(Part(name=where, score=share) for where, share in least.items())
        return Verdict(triplet=triplet.id, judge=self.name, score=score, keep=not reason, reason=reason, parts=parts)

    def _read(self, triplet: Triplet, shown: "dict[str, Tensor]") -> list[Read]:
        """All that is asked; `shown` is picture → log-probabilities (labels,)."""
        from tutelage.diffusion.tags import named

        labels = self._tagger.labels
        said = [named(caption, labels) if caption else {} for caption in captions_of(triplet)]
        changed = {group for group in labels if said[0].get(group) != said[1].get(group)}
        asked = changed | set(self.always or labels)
        return [
            self._one(group, phrase, where, shown[where])
            for where, one in zip(shown, said, strict=True)
            for group, phrase in one.items()
            if group in asked
        ]

    def _one(self, group: str, phrase: str, where: str, found: "Tensor") -> Read:
        phrases = self._tagger.labels[group]
        share = float(found[phrases[phrase]].exp())
        return Read(share, group, where, phrase, max(phrases, key=lambda one: float(found[phrases[one]])))
