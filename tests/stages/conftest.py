"""Small runs: a teacher and a judge that need no network, and corpora of what they make."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tutelage.corpus import tables
from tutelage.triplet import Assignment

if TYPE_CHECKING:
    from tutelage.refine_pipeline import Refining


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


@pytest.fixture
def pairs(make_triplet: Any, make_cluster: Any, tmp_path: Path) -> Path:
    """A corpus of five edits, whose captions differ."""
    from tutelage.corpus.writer import Committer

    made = [
        make_triplet(
            f"{number:02d}", "make it blue", skill="swap", caption="a blue bear toy in the snow",
            references=make_cluster(f"{number:02d}", sizes=((32, 32),)).references,
        )
        for number in range(5)
    ]  # fmt: skip
    with Committer(tmp_path / "pairs") as committer:
        committer.append(made)
    return tmp_path / "pairs"


@pytest.fixture
def make_refining(pairs: Path, tmp_path: Path, tiny_sd: Path, tiny_clip: Path) -> "Callable[..., Refining]":
    """(changes) → a run that draws `pairs` anew by small random networks."""
    from tutelage.editing.refine import Refinement
    from tutelage.judges.clip_direction import ClipDirection
    from tutelage.judges.clip_image import ClipImage
    from tutelage.refine_pipeline import Refining

    settings = Refining(
        out=tmp_path / "run",
        data=pairs,
        refinement=Refinement(base=tiny_sd, steps=2, log_snr=0.0),
        clip_image=ClipImage(clip=tiny_clip, threshold=-1.0),
        clip_direction=ClipDirection(clip=tiny_clip, threshold=2.0),
        device="cpu",
    )
    return lambda **changes: replace(settings, **changes)
