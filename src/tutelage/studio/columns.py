"""A corpus in memory, without its pictures: read once, and again when the corpus has changed."""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tutelage.corpus.gate import KEPT, Weighed, passes, survivors
from tutelage.corpus.reader import REFRESH, Corpus
from tutelage.corpus.stats import Alone, alone
from tutelage.triplet import SKILLS, Triplet, Verdict

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

SUBJECTS, EDITS = "subject-driven", "editing"
"""Tasks: the skills of `triplet.SKILLS`, and every other one, which names a kind of edit."""
UNKNOWN = "unknown"
"""A licence that nobody said."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """A column of few different values."""

    values: tuple[str, ...]
    codes: NDArray[np.int32]
    """(N,), places in `values`."""

    def are(self, value: str) -> Mask:
        """(N,); all false for a value that there is not."""
        at = self.values.index(value) if value in self.values else -1
        return np.asarray(self.codes == at)


@dataclass(frozen=True)
class Columns:
    """What is known of N triplets."""

    skill: Names
    text: pa.ChunkedArray
    licences: Names
    """Of all references of all triplets, one after the other."""
    whose: NDArray[np.int64]
    """Row of each of these references' triplets."""
    judges: Mapping[str, Weighed]
    alone: Sequence[Alone]

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def kept(self) -> Mask:
        """(N,), by every judge, or by hand."""
        return passes(KEPT, self.judges, len(self))

    @cached_property
    def judged(self) -> Mask:
        """(N,), by any judge."""
        seen = [said.seen for said in self.judges.values()]
        return np.logical_or.reduce(seen) if seen else np.zeros(len(self), bool)

    @cached_property
    def editing(self) -> Mask:
        """(N,), whether the text is an instruction."""
        ours = np.asarray([value not in SKILLS for value in self.skill.values] or [False])
        return np.asarray(ours[self.skill.codes])

    def lost_at(self, judge: str) -> Mask:
        """(N,), left by the judges before this one, and not by it."""
        before = np.ones(len(self), bool)
        for name, left in survivors(self.judges, len(self)).items():
            if name == judge:
                return np.asarray(before & ~left)
            before = left
        return np.zeros(len(self), bool)

    def with_licence(self, licence: str) -> Mask:
        """(N,), whether any reference has it."""
        mask = np.zeros(len(self), bool)
        mask[self.whose[self.licences.are(licence)]] = True
        return mask

    def scores(self) -> dict[str, NDArray[np.float64]]:
        """Scores (N,) of judges and their parts, by the names that a gate's bands go by; those that there are."""
        named = {name: score for judge, said in self.judges.items() for name, score in said.named(judge)}
        return {name: score for name, score in named.items() if np.isfinite(score).any()}


def read_columns(corpus: Corpus) -> Columns:
    """Read what filters need of a corpus."""
    table = corpus.columns("id", "skill", "text", "references")
    references = table["references"].combine_chunks()
    licences = pc.struct_field(pc.list_flatten(references), "licence")
    blank = pc.or_kleene(pc.is_null(licences), pc.equal(licences, ""))
    return Columns(
        skill=_names(table["skill"]),
        text=table["text"],
        licences=_names(pc.if_else(blank, UNKNOWN, licences)),
        whose=pc.list_parent_indices(references).to_numpy(),
        judges=corpus.judges(table["id"]),
        alone=alone(corpus),
    )


class Shelf:
    """A corpus for several threads, with its columns."""

    def __init__(self, path: Path, refresh: float = REFRESH) -> None:
        self.path = path
        self._corpus = Corpus(path, refresh=refresh)
        self._guard = threading.RLock()
        self._read: tuple[str, Columns] | None = None

    def columns(self) -> Columns:
        """The columns, read again if something was written since."""
        with self._guard:
            version = self._corpus.version
            if self._read is None or self._read[0] != version:
                self._read = (version, read_columns(self._corpus))
            return self._read[1]

    def look_again(self) -> None:
        """Look for new rows now: somebody here wrote one."""
        with self._guard:
            self._corpus.refresh()

    def take(self, rows: Sequence[int]) -> list[tuple[Triplet, list[Verdict]]]:
        """Triplets with their pictures, and what was said of them; rows that went since are left out."""
        with self._guard:
            there = [row for row in rows if 0 <= row < len(self._corpus)]
            triplets = self._corpus.take(there) if there else []
            verdicts = self._corpus.verdicts([triplet.id for triplet in triplets])
        return [(triplet, verdicts[triplet.id]) for triplet in triplets]


def span(scores: NDArray[np.float64]) -> tuple[float, float]:
    """A range, never empty, of all finite scores, rounded outwards to four digits; (0, 1) if there is none."""
    finite = scores[np.isfinite(scores)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    step = 10.0 ** (math.floor(math.log10(max(high - low, abs(high), 1e-9))) - 3)
    room = max(step, 0.01) if low == high else 0.0  # a slider must have somewhere to go
    # a multiple of the step is rounded itself, and may come out on the wrong side
    return min(low, math.floor(low / step) * step) - room, max(high, math.ceil(high / step) * step) + room


def _names(column: pa.ChunkedArray | pa.Array) -> Names:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = array.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return Names(values=tuple(encoded.dictionary.to_pylist()), codes=codes)
