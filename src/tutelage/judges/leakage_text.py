"""Is one of the triplet's texts among those that training must not see, such as a bench's prompts?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from tutelage.judges.base import NO_REFERENCES, Cost, unjudged
from tutelage.judges.fingerprints import normalised
from tutelage.judges.known import check_folders, known
from tutelage.judges.looking import numbered
from tutelage.triplet import Triplet, Verdict


@dataclass(frozen=True, kw_only=True)
class TextLeakage:
    """Whether the text or a caption has the words of one that must not be learnt from; case, accents, punctuation and
    spacing do not count.
    """

    against: tuple[Path, ...]
    """Fingerprints of what must not be learnt from."""
    captions: bool = False
    """Ask about the captions of target and references too, not only about the text."""
    name: ClassVar[str] = "leakage-text"
    cost: ClassVar[Cost] = Cost.READING

    def __post_init__(self) -> None:
        check_folders(self.name, self.against)

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score: how many of the texts are known; kept if none.

        Raises:
            BadInput: fingerprints cannot be read.
        """
        return [self._verdict(triplet) for triplet in triplets]

    @cached_property
    def _known(self) -> dict[str, str]:
        """Normalised text → where it was found."""
        found: dict[str, str] = {}
        for folder in self.against:
            found = known(folder, ("text",)).texts | found
        return found

    def _verdict(self, triplet: Triplet) -> Verdict:
        if not triplet.references:
            return unjudged(triplet, self.name, NO_REFERENCES)
        told = [("text", triplet.text)]
        if self.captions:
            told += [("caption", triplet.caption)]
            told += zip(numbered(triplet), (one.caption for one in triplet.references), strict=True)
        hits = [(what, self._known[plain]) for what, text in told if (plain := normalised(text)) in self._known]
        reason = f"{hits[0][0]}: the words of {hits[0][1]}" if hits else ""
        return Verdict(triplet=triplet.id, judge=self.name, score=len(hits), keep=not hits, reason=reason)
