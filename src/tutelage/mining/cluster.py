"""Is a page one subject? Near-duplicates go, then the mean cosine of all pairs must lie within a band (SuTI, §3.1).

What is measured (`Measured`) is kept apart from what is decided (`Decision`): with the cosines of all pairs stored,
other limits can be tried, or found by `calibrate`, without looking at a picture again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tutelage.mining.group import Page
from tutelage.mining.settings import Rule

Floats = NDArray[np.float32]

Reason = Literal[
    "", "too few pictures", "too few different pictures", "not one subject", "all alike", "no subject named"
]  # fmt: skip
FEW: Final[Reason] = "too few pictures"
SAME: Final[Reason] = "too few different pictures"
MIXED: Final[Reason] = "not one subject"
ALIKE: Final[Reason] = "all alike"
NAMELESS: Final[Reason] = "no subject named"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was found on a page."""

    page: str
    """Its URL."""
    found: int
    """Pictures on it, whatever they are."""
    faults: Mapping[str, int]
    """Reason → pictures that cannot be used."""
    copies: int
    """Pictures that are bit for bit another one."""
    urls: tuple[str, ...] = ()
    """Of the pictures that were looked at, N."""
    similarity: tuple[float, ...] = ()
    """Cosines of their pairs, N(N − 1)/2, row by row above the diagonal: do they show one subject?"""
    likeness: tuple[float, ...] = ()
    """The same by the encoder for duplicates: are they one picture?"""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a rule says of a page. A rejection is stored like an acceptance."""

    kept: bool
    reason: Reason = ""
    """Why not."""
    pictures: tuple[int, ...] = ()
    """Numbers, in `Measured.urls`, of the pictures left when near-duplicates are gone."""
    mean: float | None = None
    """Mean cosine of their pairs; None if there are too few to say."""


def measure(page: Page, features: Floats, likeness: Floats | None = None) -> Measured:
    """The numbers of a page from unit features (N, D) of its pictures, and from others for duplicates if given."""
    return Measured(
        page=page.url,
        found=page.found,
        faults=page.faults,
        copies=page.copies,
        urls=tuple(picture.url for picture in page.pictures),
        similarity=pair_cosines(features),
        likeness=pair_cosines(features if likeness is None else likeness),
    )


def decide(page: Measured, rule: Rule) -> Decision:
    """Apply a rule to a page's numbers."""
    count = len(page.urls)
    if count < rule.least:
        return Decision(kept=False, reason=FEW if page.found - sum(page.faults.values()) < rule.least else SAME)
    left = different(square(page.likeness, count), rule.duplicate)
    if len(left) < rule.least:
        return Decision(kept=False, reason=SAME, pictures=left)
    mean = mean_pair(square(page.similarity, count)[np.ix_(left, left)])
    reason: Reason = MIXED if mean < rule.low else ALIKE if mean > rule.high else ""
    return Decision(kept=not reason, reason=reason, pictures=left, mean=mean)


def different(likeness: Floats, limit: float) -> tuple[int, ...]:
    """Numbers of the pictures that are like no earlier one that stays: below `limit` in (N, N) cosines."""
    left: list[int] = []
    for number in range(len(likeness)):
        if (likeness[number, left] < limit).all():
            left.append(number)
    return tuple(left)


def pair_cosines(features: Floats) -> tuple[float, ...]:
    """Cosines of all pairs of unit features (N, D), row by row above the diagonal."""
    cosines = features @ features.T
    return tuple(cosines[np.triu_indices(len(features), 1)].tolist())


def square(pairs: Sequence[float], count: int) -> Floats:
    """The symmetric matrix (count, count) with ones on the diagonal that `pair_cosines` took its numbers from."""
    full = np.zeros((count, count), np.float32)
    full[np.triu_indices(count, 1)] = pairs
    return full + full.T + np.eye(count, dtype=np.float32)


def mean_pair(cosines: Floats) -> float:
    """Mean of the cosines above the diagonal of (N, N), N at least 2."""
    return float(cosines[np.triu_indices(len(cosines), 1)].mean(dtype=np.float64))
