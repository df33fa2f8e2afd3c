"""Edits of the toybox whose truth is known → triplets: what a teacher of edits would make if it were always right."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from rich.progress import track

from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.diffusion.pictures import png
from tutelage.stages.taught import CORPUS
from tutelage.toybox.captions import caption
from tutelage.toybox.pairs import Pairs
from tutelage.toybox.render import render
from tutelage.toybox.scene import Scene
from tutelage.triplet import Picture, Provenance, Reference, Triplet

TEACHER: Final = "truth"
CHUNK: Final = 32
"""Pairs that a process makes at a time."""


def write_truth(pairs: Pairs, out: Path, workers: int = 1) -> dict[str, int]:
    """Add those of the pairs that `out/corpus` lacks; how many triplets it holds."""
    with Committer(out / CORPUS) as committer:
        stored = set(Corpus(out / CORPUS).column("id").to_pylist())
        missing = [number for number in range(pairs.count) if name_of(pairs, number) not in stored]
        for made in track(_made(pairs, missing, workers), "drawing pairs", len(missing), disable=not missing):
            committer.append([made])
    return {"triplets": len(Corpus(out / CORPUS))}


def pair(pairs: Pairs, number: int) -> Triplet:
    """One of the pairs; its provenance's seed is its number."""
    edit, size = pairs.edit(number), pairs.size(number)
    source = Picture(data=_drawn(edit.before, size), url=f"toybox:{name_of(pairs, number)}", licence="Apache-2.0")
    subject = edit.before.subject or edit.after.subject
    return Triplet(
        id=name_of(pairs, number),
        target=_drawn(edit.after, size),
        text=edit.instruction,
        references=(Reference(picture=source, caption=caption(edit.before)),),
        subject=f"{subject.kind} toy" if subject else edit.before.place,
        skill=edit.task,
        cluster=name_of(pairs, number),
        provenance=Provenance(teacher=TEACHER, base="", seed=number),
        caption=caption(edit.after),
    )


def name_of(pairs: Pairs, number: int) -> str:
    """Id of a pair's triplet."""
    return f"edit-{pairs.split}-{pairs.seed}/{number:07d}"


def _made(pairs: Pairs, numbers: list[int], workers: int) -> Iterator[Triplet]:
    if workers < 2:
        yield from (pair(pairs, number) for number in numbers)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(pair, repeat(pairs), numbers, chunksize=CHUNK)


def _drawn(scene: Scene, size: tuple[int, int]) -> bytes:
    return png(Image.fromarray(np.asarray(render(scene, size)[0])))
