"""Small runs: a teacher and a judge that need no network, and corpora of what they make."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage.corpus import tables
from tutelage.triplet import Assignment


class Killed(BaseException):
    """Nothing may catch it: what it runs through does as little as a process that is killed."""


@pytest.fixture
def killed() -> type[BaseException]:
    return Killed


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], list[list[dict[str, Any]]]]:
    """Everything that the corpus in a folder holds, in order."""

    def read(path: Path) -> list[list[dict[str, Any]]]:
        found = [tables.opened(path, name) for name in tables.NAMES]
        return [table.to_table().to_pylist() for table in found if table is not None]

    return read


@pytest.fixture(scope="session")
def make_assignments(make_cluster: Any) -> Callable[..., list[Assignment]]:
    """(number of subjects, prompts for each) → assignments, subject by subject."""

    def make(subjects: int, prompts: int = 2) -> list[Assignment]:
        texts = ("a bear toy on the beach", "a bear toy in the snow", "a bear toy wearing a crown")
        clusters = [make_cluster(f"{number:02x}", sizes=((32, 32),) * 3) for number in range(subjects)]
        return [
            Assignment(id=f"{one.id}/{number:02d}", cluster=one, text=texts[number % 3], skill="view")
            for one in clusters
            for number in range(prompts)
        ]

    return make
