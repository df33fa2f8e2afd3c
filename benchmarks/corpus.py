"""R15 and R16 of the corpus: read while written against read alone, and against Parquet and WebDataset.

    python benchmarks/corpus.py                       # 20 000 triplets, a few minutes, 3 GB of disk
    python benchmarks/corpus.py --rows 400 --seconds 1

Each ratio is the median over alternating repeats, with a bootstrap interval. Parquet's groups have GROUP_ROWS rows.
"""

import itertools
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import tyro
import webdataset

from tutelage.benches.base import Row
from tutelage.benches.ratios import AGE, least_row, ratio_row, ratios, report
from tutelage.corpus.exports.base import export_corpus
from tutelage.corpus.exports.parquet import GROUP_ROWS
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.triplet import Picture, Provenance, Reference, Triplet

REFERENCES = 4
PER_CLUSTER = 4
BATCH = 32
"""Rows that a trainer asks for at once."""


def main(
    rows: int = 20_000,
    bytes: int = 30_000,  # noqa: A002
    seconds: float = 5.0,
    repeats: int = 5,
    rate: float = 50.0,
    json: Path | None = None,
) -> None:
    """Measure and print.

    Args:
        rows: Triplets of the corpus.
        bytes: Size of a picture.
        seconds: How long each repeat reads.
        repeats: Alternating repeats; at least 5 for a figure.
        rate: Triplets a second that the writer adds.
        json: File to write the rows to.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus"
        with Committer(path) as committer:
            for number in range(rows):
                committer.append([made(number, bytes)])
        for form in ("parquet", "webdataset"):
            export_corpus(Corpus(path), Path(folder) / form, form)
        report([*formats(Path(folder), seconds, repeats), *growing(path, bytes, seconds, repeats, rate)], json)


def made(number: int, size: int) -> Triplet:
    """A triplet of noise; its text says when it was made."""
    cluster = number // PER_CLUSTER
    demonstrations = [np.random.default_rng([1, cluster, at]).bytes(size) for at in range(REFERENCES)]
    return Triplet(
        id=f"{number:08d}",
        target=np.random.default_rng([0, number]).bytes(size),
        text=str(time.time()),
        references=tuple(Reference(picture=Picture(data=data, url=f"{cluster}")) for data in demonstrations),
        subject="noise",
        skill="view",
        cluster=f"{cluster:08d}",
        provenance=Provenance(teacher="none", base="none", seed=number),
    )


def formats(folder: Path, seconds: float, repeats: int) -> list[Row]:
    """R16: rows at random against Parquet, in order against WebDataset."""
    corpus = Corpus(folder / "corpus")
    shards = [str(file) for file in sorted((folder / "webdataset").iterdir())]
    files = [pq.ParquetFile(file) for file in sorted((folder / "parquet").iterdir())]
    groups = [(file, group) for file in files for group in range(file.num_row_groups)]
    order = np.random.default_rng(0).integers(0, len(corpus), 10**6).tolist()

    def from_parquet(row: int) -> object:
        file, group = groups[row // GROUP_ROWS]
        return file.read_row_group(group).slice(row % GROUP_ROWS, 1).to_pylist()

    ways = {
        "batch": lambda some: batches(corpus, some),
        "row": lambda some: (corpus[row] for row in some),
        "parquet": lambda some: (from_parquet(row) for row in some),
        "in order": lambda _: endless(lambda: corpus.triplets(None)),
        "webdataset": lambda _: endless(lambda: iter(webdataset.WebDataset(shards, shardshuffle=False))),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats):
        for name, way in ways.items():
            rates[name].append(speed(way(order[repeat * 10_000 :]), seconds))
    return [
        *compared(f"R16, {BATCH} rows at once ÷ Parquet", rates["batch"], rates["parquet"]),
        *compared("R16, a row ÷ Parquet", rates["row"], rates["parquet"]),
        *compared("R16, in order ÷ WebDataset", rates["in order"], rates["webdataset"]),
    ]


def growing(path: Path, size: int, seconds: float, repeats: int, rate: float) -> list[Row]:
    """R15: batches at random while another process writes, against alone; and how old the newest row gets."""
    fresh = multiprocessing.get_context("spawn")
    alone, beside, ages = [], [], []
    for repeat in range(repeats):
        alone.append(speed(at_random(Corpus(path), repeat, []), seconds))
        stop = fresh.Event()
        writer = fresh.Process(target=write, args=(path, size, rate, stop))
        corpus = Corpus(path)
        before = len(corpus)
        writer.start()
        while len(corpus) == before:
            time.sleep(0.1)
        beside.append(speed(at_random(corpus, repeat, ages), seconds))
        stop.set()
        writer.join()
    oldest = replace(least_row("R15", ages, AGE), value=max(ages))
    return [*compared("R15", beside, alone), oldest]


def batches(corpus: Corpus, rows: list[int]) -> Iterator[Triplet]:
    """Triplets of these rows, read in batches."""
    for start in range(0, len(rows), BATCH):
        yield from corpus.take(rows[start : start + BATCH])


def at_random(corpus: Corpus, seed: int, ages: list[float]) -> Iterator[Triplet]:
    """Triplets in random batches, endlessly; notes the age of the newest row when it looks for it."""
    rng = np.random.default_rng(seed)
    for number in itertools.count():
        yield from corpus.take(rng.integers(0, len(corpus), BATCH).tolist())
        if number % 10 == 0:
            ages.append(time.time() - float(corpus[-1].text))


def write(path: Path, size: int, rate: float, stop) -> None:
    """Add triplets at a steady rate until told to stop."""
    first, started = len(Corpus(path)), time.monotonic()
    with Committer(path) as committer:
        for number in itertools.count():
            if stop.is_set():
                return
            committer.append([made(first + number, size)])
            time.sleep(max(0.0, started + number / rate - time.monotonic()))


def endless(make: Callable[[], Iterator[object]]) -> Iterator[object]:
    """One pass after another."""
    while True:
        yield from make()


def speed(items: Iterator[object], seconds: float) -> float:
    """Items a second, after a first one that opens files."""
    next(items)
    started, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        next(items)
        count += 1
    return count / passed


def compared(name: str, ours: list[float], theirs: list[float]) -> list[Row]:
    """A ratio and both rates."""
    pair = (("ours", ours), ("theirs", theirs))
    rates = [ratio_row(f"{name}: {who}", values, "a second") for who, values in pair]
    return [ratio_row(name, ratios(ours, theirs)), *rates]


if __name__ == "__main__":
    tyro.cli(main)
