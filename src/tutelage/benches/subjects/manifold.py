"""The manifold of real pictures in a feature space, as improved precision draws it (Kynkäänniemi et al. 2019, §2)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tutelage.benches.intervals import Floats

NEIGHBOUR: Final = 3
"""k of improved precision."""


@dataclass(frozen=True, kw_only=True)
class Manifold:
    """Balls around real pictures; each reaches as far as that picture's k-th nearest neighbour."""

    real: Floats
    """Features (R, D) of real pictures."""
    reach: Floats
    """(R,): the distance of each to its third nearest neighbour among the others."""

    @staticmethod
    def of(real: Floats) -> "Manifold":
        """That of real pictures with features (R, D), R > 3."""
        near = np.partition(cdist(real, real), NEIGHBOUR, axis=1)[:, NEIGHBOUR]  # its own distance is first
        return Manifold(real=real, reach=np.asarray(near))

    def holds(self, seen: Floats) -> NDArray[np.bool_]:
        """(N,): whether pictures with features (N, D) lie in any ball."""
        return np.asarray((cdist(seen, self.real) <= self.reach).any(1))

    def distance(self, seen: Floats) -> Floats:
        """(N,): how far pictures with features (N, D) are from the nearest ball's middle, in units of its radius."""
        return np.asarray((cdist(seen, self.real) / self.reach).min(1))
