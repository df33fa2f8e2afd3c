"""Small corpora for the tests."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import numpy as np
from PIL import Image

from tutelage.corpus import tables
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.triplet import SKILLS, Part, Picture, Provenance, Reference, Triplet, Verdict


def png(seed: int, side: int = 16) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def picture(cluster: int, number: int) -> Picture:
    page = f"https://toys.example/page-{cluster}.html"
    return Picture(
        data=png(1000 + 10 * cluster + number),
        url=f"https://images.toys.example/{cluster}/{number}.png",
        page=page,
        alt=f"toy {cluster}",
        licence=("cc0", "cc-by")[cluster % 2],
    )


def triplet(number: int) -> Triplet:
    """Four of each cluster, which share its three demonstrations."""
    cluster = number // 4
    references = tuple(
        Reference(picture=picture(cluster, at), caption=f"toy {cluster} seen from {at}") for at in range(3)
    )
    return Triplet(
        id=f"{cluster:04x}/{number % 4:02d}/0",
        target=png(number),
        text=f"toy {cluster} wearing a crown, {number}",
        references=references,
        subject=f"toy {cluster}",
        skill=SKILLS[number % len(SKILLS)],
        cluster=f"{cluster:04x}",
        provenance=Provenance(teacher="dreambench", base="0" * 16, seed=2**62 + number),
        caption="a crowned toy" if number % 3 else "",
        wordings=("crown the toy", "a crown, please") if number % 3 else (),
        mask=png(500 + number) if number % 4 else b"",
    )


def verdicts(number: int) -> list[Verdict]:
    """Two judges: one keeps odd numbers, the other cannot say of every tenth and keeps the rest."""
    name, odd = triplet(number).id, number % 2 == 1
    first = Verdict(
        triplet=name,
        judge="delta_clip",
        score=number / 100,
        keep=odd,
        reason="" if odd else "too like its demonstrations",
    )
    unsure = number % 10 == 9
    second = Verdict(
        triplet=name,
        judge="copy",
        score=None if unsure else 0.5,
        keep=not unsure,
        reason="no features" if unsure else "",
        parts=() if unsure else (Part(name="near", score=number / 10), Part(name="far", score=1.0)),
        words="" if unsure else f"as close as {number}",
        model="eye-1",
        prompt="0" * 16,
    )
    return [first, second]


def judged(numbers: range) -> Iterator[tuple[Triplet, list[Verdict]]]:
    return ((triplet(number), verdicts(number)) for number in numbers)


def fill(path: Path, numbers: range, calls: int = 3) -> Path:
    """Append judged triplets in so many calls."""
    with Committer(path) as committer:
        for part in np.array_split(np.asarray(numbers), calls):
            pairs = list(judged(range(part[0], part[-1] + 1)))
            committer.append([made for made, _ in pairs], [said for _, both in pairs for said in both])
    return path


def table(path: Path, name: tables.Name) -> lance.LanceDataset:
    """A table that is there."""
    found = tables.opened(path, name)
    assert found is not None
    return found


def contents(path: Path) -> list[list[dict[str, Any]]]:
    """Everything a corpus holds, in order."""
    return [table(path, name).to_table().to_pylist() for name in tables.NAMES]


class Growing(Corpus):
    """A corpus that has four more triplets whenever it is looked at."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, refresh=0)

    def refresh(self) -> None:
        written = tables.opened(self.path, "triplets")
        first = 0 if written is None else written.count_rows()
        fill(self.path, range(first, first + 4), calls=1)
        super().refresh()
