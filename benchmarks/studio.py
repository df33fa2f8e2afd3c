"""The studio's corpus page over many triplets: how long a filter takes, pictures and page included.

    python benchmarks/studio.py                  # 100 000 triplets, minutes to write them, under 1 GB of disk
    python benchmarks/studio.py --rows 2000

A filter must answer in less than a second. Reading the columns, once, is told beside it.
"""

import io
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from tutelage.corpus.writer import Committer
from tutelage.studio.columns import SUBJECTS
from tutelage.studio.corpus_tab import CHANGE, ORDERS, SHOW, CorpusPage
from tutelage.studio.pictures import Pictures
from tutelage.studio.settings import Studio
from tutelage.triplet import SKILLS, Picture, Provenance, Reference, Triplet, Verdict

TOGETHER = 1000
REFERENCES = 4
PICTURES = 400
LICENCES = ("", "CC-BY-4.0", "CC0-1.0")
ASKED = {
    "all": {},
    "stage": {"stage": "rejected"},
    "lost at a judge": {"stage": "lost at likeness"},
    "skill": {"skill": SKILLS[2]},
    "task": {"task": SUBJECTS},
    "licence": {"licence": "CC0-1.0"},
    "words": {"words": "NUMBER 777"},
    "score range": {"judge": "delta-clip", "low": 0.2, "high": 0.4},
    "all of them": {"stage": "kept", "skill": SKILLS[1], "licence": "CC-BY-4.0", "judge": "likeness", "low": 0.5},
    "another threshold": {"judge": "delta-clip", "low": 0.3, "use": CHANGE},
    "by score": {"judge": "likeness", "order": ORDERS[1]},
}
NOTHING = {"stage": "drawn", "skill": "", "task": "", "licence": "", "words": "", "judge": "", "low": 0.0, "high": 1.0}


def main(rows: int = 100_000, repeats: int = 5) -> None:
    """Measure and print.

    Args:
        rows: Triplets of the corpus.
        repeats: Of each filter.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus"
        write(path, rows)
        page = CorpusPage(Studio(run=Path(folder), student="", base=""), Pictures())
        began = time.perf_counter()
        page.shelf.columns()
        print(f"columns of {rows:,} triplets, once: {time.perf_counter() - began:.2f} s")
        slowest = 0.0
        for name, knobs in ASKED.items():
            times = []
            for _ in range(repeats):
                began = time.perf_counter()
                page.find(**(NOTHING | {"use": SHOW, "order": ORDERS[0]} | knobs))
                times.append(time.perf_counter() - began)
            slowest = max(slowest, *times)
            print(f"{name:20} median {statistics.median(times):.3f} s ({min(times):.3f} – {max(times):.3f})")
        print(f"slowest {slowest:.3f} s; must be below 1 s")


def write(path: Path, rows: int) -> None:
    """A corpus of noise with two judges."""
    data = [noise(number) for number in range(PICTURES)]
    with Committer(path) as committer:
        for start in range(0, rows, TOGETHER):
            triplets = [made(number, data) for number in range(start, min(rows, start + TOGETHER))]
            committer.append(triplets, [verdict for triplet in triplets for verdict in said(triplet)])


def noise(number: int) -> bytes:
    """A PNG of noise."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(256, size=(64, 64, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def made(number: int, data: list[bytes]) -> Triplet:
    """A triplet; subjects share pictures, as clusters do."""
    shown = [data[(number // 4 + at) % PICTURES] for at in range(REFERENCES)]
    pictures = [
        Picture(data=one, url=f"https://example.com/{number}/{at}.png", page=f"https://example.com/{number}",
                alt="noise", licence=LICENCES[(number + at) % 7 % 3])
        for at, one in enumerate(shown)
    ]  # fmt: skip
    return Triplet(
        id=f"{number:08d}",
        target=data[number % PICTURES],
        text=f"noise in a studio, number {number}",
        references=tuple(Reference(picture=picture, caption="noise") for picture in pictures),
        subject="noise",
        skill=SKILLS[number % len(SKILLS)],
        cluster=f"{number // 4:08d}",
        provenance=Provenance(teacher="none", base="none", seed=number),
    )


def said(triplet: Triplet) -> Iterator[Verdict]:
    """What two judges say of it."""
    for judge, limit in (("delta-clip", 0.1), ("likeness", 0.05)):
        score = float(np.random.default_rng([len(judge), int(triplet.id)]).uniform())
        yield Verdict(
            triplet=triplet.id, judge=judge, score=score, keep=score > limit, reason="" if score > limit else "low"
        )


if __name__ == "__main__":
    tyro.cli(main)
