"""Several judges in turn, the cheap ones first."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from tutelage.errors import BadInput
from tutelage.judges.base import Judge
from tutelage.judges.looking import remembering
from tutelage.triplet import Triplet, Verdict


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A triplet is kept if every judge that was asked keeps it."""

    judges: tuple[Judge, ...]
    """The cheaper ones are asked first, those of one cost in this order."""
    ask_all: bool = False
    """Ask every judge about every triplet, so that all thresholds can be moved later; else a judge is asked only about
    what those before it kept."""

    def __post_init__(self) -> None:
        doubled = [name for name, count in Counter(judge.name for judge in self.judges).items() if count > 1]
        if doubled:
            raise BadInput(f"'{doubled[0]}' sits twice on the panel; verdicts are told apart by name, so leave one out")

    @cached_property
    def turns(self) -> tuple[Judge, ...]:
        """The judges in the order in which they are asked."""
        return tuple(sorted(self.judges, key=lambda judge: judge.cost))

    def judge(self, triplets: Sequence[Triplet], known: Collection[tuple[str, str]] = ()) -> list[Verdict]:
        """All verdicts: the first judge's in the order of the triplets, then the second's, and so on.

        `known` are the ids of triplets and names of judges whose verdict is known and not asked for; what was rejected
        in one of these is the caller's to leave out. Judges that look with the same network share what it saw.

        Raises:
            BadInput: a judge cannot be loaded.
        """
        verdicts: list[Verdict] = []
        asked = list(triplets)
        with remembering():
            for judge in self.turns:
                said = judge.judge([triplet for triplet in asked if (triplet.id, judge.name) not in known])
                verdicts += said
                if not self.ask_all:
                    rejected = {verdict.triplet for verdict in said if not verdict.keep}
                    asked = [triplet for triplet in asked if triplet.id not in rejected]
        return verdicts
