"""Scores that somebody gave already, people or a judge, from a file: a rater that only looks them up.

A line of JSON each: `{"id": "backpack/03-1", "criterion": "prompt following", "repeat": 0, "score": 3, "reason": ""}`.
Without `repeat` it is the first; a score of null is one that the rater refused, and `reason` says why.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutelage.benches.dreambench.rating import Answer, Asked
from tutelage.errors import BadInput

Key = tuple[str, str, int]
"""Item, criterion, repeat."""


@dataclass(frozen=True, kw_only=True)
class Rated:
    """A file of scores."""

    name: str
    """The file's, and a hash of what is in it."""
    answers: Mapping[Key, Answer] = field(repr=False)

    @staticmethod
    def read(path: Path) -> "Rated":
        """From a file.

        Raises:
            BadInput: it cannot be read, a line is no score, or a question is answered twice.
        """
        try:
            data = path.read_bytes()
            lines = data.decode().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                f"{path} cannot be read ({error}); give lines of JSON with id, criterion and score"
            ) from error
        answers: dict[Key, Answer] = {}
        for number, line in enumerate(lines, start=1):
            key, answer = _answer(line, f"{path}, line {number}")
            if key in answers:
                raise BadInput(f"{path}, line {number}: {key[0]} has a score for {key[1]} already; remove one")
            answers[key] = answer
        return Rated(name=f"{path.name} (sha256 {hashlib.sha256(data).hexdigest()[:16]})", answers=answers)

    def rate(self, asked: Sequence[Asked]) -> Iterator[Answer]:
        """See `rating.Rater`."""
        for one in asked:
            yield self.answers.get((one.id, one.criterion.name, one.repeat), Answer(score=None, reason="not rated"))


def _answer(line: str, where: str) -> tuple[Key, Answer]:
    try:
        row: dict[str, Any] = json.loads(line)
        score, reason = row["score"], str(row.get("reason", ""))
        key = (str(row["id"]), str(row["criterion"]), int(row.get("repeat", 0)))
        return key, Answer(score=None if score is None else float(score), reason=reason)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f'{where}: no score; write {{"id": ..., "criterion": ..., "score": ...}}') from error
