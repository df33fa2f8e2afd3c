"""What is true of a triplet, and the marks that imperfect raters give it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tutelage.toybox.oracle import SOME_DAMAGE, Oracle, Rating
from tutelage.triplet import Triplet


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The truth about one target, or about one edit."""

    alike: float
    """Share in [0, 1] of the toy's traits that were kept; 1 if it is the toy. Of an edit, of what was to stay."""
    followed: Mapping[str, bool]
    """Attribute that the text names, or that the edit was to change → whether the target shows it."""
    damage: float
    """Share in [0, 1] of its pixels that are artefacts."""
    copied: bool
    """Whether it is a demonstration once more."""

    @property
    def subject(self) -> bool:
        """Whether it is the toy, or all was kept."""
        return self.alike == 1

    @property
    def text(self) -> bool:
        """Whether all that the text names is there."""
        return all(self.followed.values())

    @property
    def photo(self) -> bool:
        """Whether it has no artefacts."""
        return self.damage < SOME_DAMAGE


TRUTHS: Final[Mapping[str, Callable[[Truth], bool]]] = {
    "subject": lambda truth: truth.subject,
    "text": lambda truth: truth.text,
    "photo": lambda truth: truth.photo,
    "new": lambda truth: not truth.copied,
    "subject and text": lambda truth: truth.subject and truth.text and not truth.copied,
    "all": lambda truth: truth.subject and truth.text and truth.photo and not truth.copied,
}
"""What can be asked about a target. "subject and text" is "all" but for artefacts."""


class Knower(Protocol):
    """Whoever knows the truth."""

    def truths(self, triplets: Sequence[Triplet]) -> list[Truth | str]:
        """The truth about each triplet, or why it cannot be known."""
        ...


@dataclass(frozen=True, kw_only=True)
class Rater:
    """Someone who sees the truth through noise; a rater for `judges.oracle`.

    With several seeds it is a panel, whose marks are averaged.
    """

    knower: Knower
    noise: float = 0.0
    """Probability in [0, 1] that an answer is wrong; see `toybox.oracle`."""
    seeds: tuple[int, ...] = (0,)

    def rate(self, triplets: Sequence[Triplet]) -> list[tuple[float, float] | str]:
        """SC and PQ in [0, 1] of each triplet by ImagenHub's questions, or why it cannot be rated.

        Raises:
            BadInput: the noise is outside [0, 1].
        """
        oracles = [Oracle(noise=self.noise, seed=seed) for seed in self.seeds]
        known = zip(triplets, self.knower.truths(triplets), strict=True)
        return [truth if isinstance(truth, str) else _mean(triplet.id, truth, oracles) for triplet, truth in known]


def rated(item: str, truth: Truth, oracle: Oracle) -> Rating:
    """One rater's marks for one target. A copy shows nothing of what was asked, so `followed` says all there is."""
    return oracle.mark(item, alike=truth.alike, followed=truth.followed, damage=truth.damage)


def _mean(item: str, truth: Truth, oracles: Sequence[Oracle]) -> tuple[float, float]:
    marks = [rated(item, truth, oracle) for oracle in oracles]
    return sum(mark.sc for mark in marks) / len(marks), sum(mark.pq for mark in marks) / len(marks)
