"""Several judges in turn, the cheap ones first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tutelage.errors import BadInput
from tutelage.judges.base import Judge
from tutelage.triplet import Triplet, Verdict


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A triplet is kept if every judge that was asked keeps it."""

    judges: tuple[Judge, ...]
    """In the order in which they are asked."""
    ask_all: bool = False
    """Ask every judge about every triplet, so that all thresholds can be moved later; else a judge is asked only about
    what those before it kept."""

    def __post_init__(self) -> None:
        doubled = [name for name, count in Counter(judge.name for judge in self.judges).items() if count > 1]
        if doubled:
            raise BadInput(f"'{doubled[0]}' sits twice on the panel; verdicts are told apart by name, so leave one out")

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """All verdicts: the first judge's in the order of the triplets, then the second's, and so on.

        Raises:
            BadInput: a judge cannot be loaded.
        """
        verdicts: list[Verdict] = []
        asked = list(triplets)
        for judge in self.judges:
            said = judge.judge(asked)
            verdicts += said
            if not self.ask_all:
                asked = [triplet for triplet, verdict in zip(asked, said, strict=True) if verdict.keep]
        return verdicts
