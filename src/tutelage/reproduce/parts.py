"""A part of a corpus as a corpus of its own, without verdicts: for students of rows that no gate can name."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.corpus.reader import READ_ROWS, Corpus
from tutelage.corpus.writer import Committer

CORPORA: Final = "corpora"
"""Folder of such parts in an experiment's."""


def write_part(corpus: Corpus, rows: Sequence[int], out: Path) -> Path:
    """The corpus of these rows in a folder; rows that are in it already are not written again."""
    ids = corpus.column("id").to_pylist()
    with Committer(out) as committer:
        there = set(Corpus(out).column("id").to_pylist())
        lacking = [row for row in rows if ids[row] not in there]
        for first in range(0, len(lacking), READ_ROWS):
            committer.append(corpus.take(lacking[first : first + READ_ROWS]))
    return out


def draw_part(corpus: Corpus, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many of the rows by chance, which their ids decide."""
    ids = corpus.column("id").to_pylist()
    return np.asarray(sorted(rows.tolist(), key=lambda row: hashlib.sha256(ids[row].encode()).digest())[:count])
