"""Pictures and texts that are known already, as fingerprints in a folder that `tutelage fingerprint` wrote.

The folder holds Parquet parts, one row a picture or text in the order in which they were read, and `known.json`, which
names the network of the features.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tutelage.errors import BadInput
from tutelage.judges.fingerprints import bits_apart

if TYPE_CHECKING:  # PyTorch and PyArrow take their time to import
    import pyarrow as pa
    from torch import Tensor

    from tutelage.triplet import Triplet

MARKER: Final = "known.json"
FORMAT: Final = 1

Kind = Literal["target", "reference", "picture", "text"]
"""Of a triplet, or of no triplet."""
PICTURES: Final = ("target", "reference", "picture")

SAME_BYTES: Final = -1
"""Stands below every number of bits."""
ALL_BITS: Final = 64
BLOCK: Final = 65_536
"""Features that are compared at once."""


class Nearest(NamedTuple):
    """The known picture or text that is nearest."""

    score: float
    name: str
    """Empty if there is nothing to compare with."""


@dataclass(frozen=True)
class Known:
    """Rows of some kinds from one folder."""

    folder: Path
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def network(self) -> str:
        """Hash of the network whose features the folder holds; empty if it holds none.

        Raises:
            BadInput: the folder holds no fingerprints.
        """
        try:
            told = json.loads((self.folder / MARKER).read_bytes())
            form, network = told["format"], str(told["network"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{self.folder} holds no fingerprints; write them with `tutelage fingerprint`") from error
        if form != FORMAT:
            raise BadInput(f"{self.folder} holds fingerprints of format {form}, not {FORMAT}; write them anew")
        return network

    def _column(self, name: str) -> "pa.ChunkedArray":
        """Of all parts, in order.

        Raises:
            BadInput: the folder holds no fingerprints, or a part cannot be read.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        assert self.network is not None  # looks at the marker
        try:
            parts = [pq.read_table(path, columns=["kind", name]) for path in sorted(self.folder.glob("*.parquet"))]
            if not parts:
                return pa.chunked_array([[]], pa.string())
            table = pa.concat_tables(parts)
        except (OSError, pa.ArrowException) as error:
            raise BadInput(f"{self.folder}: a part cannot be read ({error}); write the fingerprints anew") from error
        return table.filter(pc.is_in(table["kind"], pa.array(self.kinds)))[name]

    @cached_property
    def names(self) -> list[str]:
        """Ids of triplets for targets, else where a picture or text was found."""
        names: list[str] = self._column("name").to_pylist()
        return names

    @cached_property
    def _keys(self) -> dict[str, int]:
        """Key → first row with it."""
        return _firsts(self._column("key").to_pylist())

    @cached_property
    def _hashes(self) -> NDArray[np.uint64]:
        return np.asarray(self._column("hash").to_pylist(), np.uint64)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Normalised text → where it was found first."""
        told = self._column("text").to_pylist()
        return dict(zip(reversed(told), reversed(self.names), strict=True))

    @cached_property
    def _features(self) -> "Tensor":
        """(N, D) in float16."""
        import torch

        column = self._column("feature").combine_chunks()
        flat = np.array(column.flatten().to_numpy(zero_copy_only=False), np.float16)
        return torch.from_numpy(flat.reshape(len(column), -1))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return _firsts(self.names)

    def row(self, name: str) -> int:
        """The first row of this name.

        Raises:
            BadInput: there is none.
        """
        if name not in self._rows:
            raise BadInput(f"{self.folder} has no fingerprint of '{name}'; run `tutelage fingerprint` on all there is")
        return self._rows[name]

    def least_bits(self, key: str, code: int, before: int) -> Nearest:
        """Bits to the nearest of the first `before` rows, given a picture's key and its perceptual hash as int64."""
        same = self._keys.get(key, before)
        if same < before:
            return Nearest(SAME_BYTES, self.names[same])
        if not before:
            return Nearest(ALL_BITS, "")
        apart = bits_apart(np.array([code], np.int64).view(np.uint64), self._hashes[:before])[0]
        at = int(apart.argmin())
        return Nearest(int(apart[at]), self.names[at])

    def closest(self, features: "Tensor", before: Sequence[int]) -> list[Nearest]:
        """The largest cosine of each unit feature (B, D) with those of the first `before` (B,) rows; -1 if none."""
        import torch

        limit = torch.tensor(before, device=features.device)
        best = torch.full((len(features),), -1.0, device=features.device)
        at = torch.zeros(len(features), dtype=torch.int64, device=features.device)
        for first in range(0, max(before, default=0), BLOCK):
            block = self._features[first : first + BLOCK].to(features)
            rows = torch.arange(first, first + len(block), device=features.device)
            cosines = (features @ block.T).masked_fill(rows >= limit[:, None], -1.0)
            largest, where = cosines.max(dim=1)
            at = torch.where(largest > best, where + first, at)
            best = torch.maximum(largest, best)
        found = zip(best.tolist(), at.tolist(), before, strict=True)
        return [Nearest(cosine, self.names[row] if count else "") for cosine, row, count in found]


@dataclass(frozen=True)
class Compared:
    """What the pictures of triplets are compared with: all of some folders, and in one what came before."""

    against: tuple[Known, ...]
    within: Known | None = None

    def check_network(self, weights: str) -> None:
        """Refuse features of another network.

        Raises:
            BadInput: a folder holds none of this one.
        """
        for known in self._all:
            if known.network != weights:
                has = f"those of {known.network}" if known.network else "none"
                raise BadInput(f"{known.folder} holds no features of this network ({weights}) but {has}; write anew")

    def least_bits(self, triplet: "Triplet", key: str, code: int) -> Nearest:
        """Over all, for one of the triplet's pictures."""
        found = [known.least_bits(key, code, self._before(known, triplet)) for known in self._all]
        return min(found, key=lambda nearest: nearest.score)

    def closest(self, triplets: "Sequence[Triplet]", features: "Tensor") -> list[Nearest]:
        """Over all, for one picture (B, D) of each triplet."""
        found = [known.closest(features, [self._before(known, one) for one in triplets]) for known in self._all]
        return [max(each, key=lambda nearest: nearest.score) for each in zip(*found, strict=True)]

    @property
    def _all(self) -> tuple[Known, ...]:
        return self.against if self.within is None else (*self.against, self.within)

    def _before(self, known: Known, triplet: "Triplet") -> int:
        """How many of its rows count."""
        return known.row(triplet.id) if known is self.within else len(known)


@lru_cache(maxsize=16)
def known(folder: Path, kinds: tuple[str, ...]) -> Known:
    """Rows of some kinds, read once in a process."""
    return Known(folder, kinds)


def check_folders(name: str, folders: Sequence[Any]) -> None:
    """Refuse to compare with nothing.

    Raises:
        BadInput: there are no folders.
    """
    if not folders:
        raise BadInput(f"{name} has nothing to compare with; give folders that `tutelage fingerprint` wrote")


def _firsts(values: Sequence[str]) -> dict[str, int]:
    """Value → its first place."""
    return dict(zip(reversed(values), range(len(values) - 1, -1, -1), strict=True))
