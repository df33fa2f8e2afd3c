"""What a judge is, and what every judge says of a triplet that it cannot judge."""

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar, Final, Protocol

from tutelage.triplet import Triplet, Verdict

NO_REFERENCES: Final = "no references to compare with"


class Cost(IntEnum):
    """What a verdict takes, in classes about a hundred times apart: a panel asks the cheap first."""

    READING = 0
    """Bytes and pixels are read."""
    LOOKING = 1
    """A network of the size of CLIP looks at every picture."""
    ASKING = 2
    """A large multimodal model is asked, here or over an endpoint."""


class Judge(Protocol):
    """Something that weighs triplets."""

    name: ClassVar[str]
    """Its registered name, which stands in its verdicts."""
    cost: ClassVar[Cost]

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """One verdict a triplet, in their order; none depends on the other triplets.

        A triplet that cannot be judged, because a picture cannot be read or there is no reference, gets a verdict
        without a score that says why and does not keep it.

        Raises:
            BadInput: what the judge works with cannot be loaded.
        """
        ...


def unjudged(triplet: Triplet, judge: str, reason: str) -> Verdict:
    """The verdict on a triplet that `judge` could not judge."""
    return Verdict(triplet=triplet.id, judge=judge, score=None, keep=False, reason=reason)
