"""`tutelage toybox crawl`: a crawl of the built-in world on disk, to mine as one would mine the web.

Workers each make runs of pages and write them as finished parts; only counts travel between processes, so memory does
not grow with the crawl. The same command resumes: parts that are there are kept.
"""

import json
import multiprocessing
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from tutelage.errors import BadInput, did_you_mean
from tutelage.toybox.pages import make_page
from tutelage.toybox.render import frame_size
from tutelage.toybox.writers import (
    join_parquet,
    join_text,
    stats_path,
    write_labels,
    write_parquet,
    write_shard,
    write_text,
)

Format = Literal["webdataset", "parquet"]

PAGES_PER_PART: Final = 100
"""About 600 pictures and 10 s of one core at 128 pixels. A page has at most 10: a shard never runs out of its keys."""
SETTINGS: Final = "crawl.json"
LABELS: Final = "labels.jsonl"
PAGES: Final = "pages.parquet"
PARTS: Final = "parts"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One part of a crawl."""

    part: int
    first: int
    """Number of its first page."""
    stop: int
    """One more than the number of its last page."""
    out: Path
    format: Format
    seed: int
    size: int

    @property
    def labels(self) -> Path:
        """Where the truth about this part is until it joins the others."""
        return self.out / PARTS / f"{self.part:05d}.jsonl"

    @property
    def data(self) -> Path:
        """The file that is written last, and so says that the part is finished."""
        in_parts = self.out / PARTS / f"{self.part:05d}.parquet"
        return in_parts if self.format == "parquet" else stats_path(self.out, self.part)

    @property
    def done(self) -> bool:
        """Whether nothing of this part has to be made again."""
        shard = self.format == "parquet" or all(self._shard_file(end).exists() for end in ("tar", "parquet"))
        return shard and self.data.exists() and (self.labels.exists() or (self.out / LABELS).exists())

    def _shard_file(self, ending: str) -> Path:
        return self.out / f"{self.part:05d}.{ending}"


def crawl_command(
    *,
    pages: int = 1000,
    out: Path = Path("crawl"),
    format: Format = "parquet",  # noqa: A002 - the flag is called --format
    seed: int = 0,
    size: int = 128,
    workers: int = 2,
) -> None:
    """Write a crawl of the built-in world: web pages with pictures, good and bad, and apart from them the truth.

    The pages are in `pages.parquet`, or in shards as img2dataset writes them; `labels.jsonl` tells what each page and
    picture really is. About 6 pictures a page. Run the same command again to resume.

    Args:
        pages: Number of web pages.
        out: Folder to write to.
        format: One Parquet file, or WebDataset shards.
        seed: Which crawl.
        size: Longer side of the pictures, in pixels.
        workers: Processes to share the work.

    Raises:
        BadInput: a number is out of range, or `out` holds another crawl or something else.
    """
    if format not in get_args(Format):
        raise BadInput(f"no format '{format}'.{did_you_mean(format, get_args(Format))} It is webdataset or parquet")
    if pages < 1 or workers < 1 or seed < 0:
        raise BadInput(f"pages {pages}, workers {workers}, seed {seed}: the first two are at least 1, the seed 0")
    frame_size(size)
    frame_size((size, size * 3 // 4))
    _open(out, {"pages": pages, "format": format, "seed": seed, "size": size})
    jobs = _jobs(pages, out, format, seed, size)
    if not _complete(jobs, out, format):
        _make([job for job in jobs if not job.done], pages, workers)
        _join(jobs, out, format)
    shutil.rmtree(out / PARTS)
    print(f"{pages} pages: {out / PAGES if format == 'parquet' else out}, the truth about them: {out / LABELS}")


def make_part(job: Job) -> int:
    """Make and write one part; returns its number of pictures."""
    pages = [make_page(index, seed=job.seed, size=job.size) for index in range(job.first, job.stop)]
    write_labels(pages, job.labels)
    if job.format == "parquet":
        write_parquet(pages, job.data)
    else:
        write_shard(pages, job.out, job.part)
    return sum(len(page.entries) for page in pages)


def _jobs(pages: int, out: Path, form: Format, seed: int, size: int) -> list[Job]:
    starts = range(0, pages, PAGES_PER_PART)
    return [
        Job(part=i, first=first, stop=min(first + PAGES_PER_PART, pages), out=out, format=form, seed=seed, size=size)
        for i, first in enumerate(starts)
    ]


def _open(out: Path, settings: dict[str, int | str]) -> None:
    """Make the folder of a crawl, or see that the crawl in it is this one."""
    path = out / SETTINGS
    if path.exists():
        _same(path, settings)
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} holds something that is no crawl; give a new folder with --out")
    try:
        (out / PARTS).mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(settings))
    except OSError as error:
        raise BadInput(f"{out} cannot be written ({error.strerror}); give another folder with --out") from error


def _same(path: Path, settings: dict[str, int | str]) -> None:
    """Refuse to go on with a crawl that was started with other settings."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{path} is not the JSON it was written as; give a new folder with --out") from error
    for name, value in settings.items():
        if stored.get(name) != value:
            was = stored.get(name)
            raise BadInput(f"{path}: this crawl has {name} {was}, not {value}; give a new folder with --out")


def _make(jobs: list[Job], pages: int, workers: int) -> None:
    """Make parts, the bar counting pages; pages made by an earlier run are there from the start."""
    rate = TextColumn("{task.fields[pictures]} pictures, {task.fields[rate]:.0f} a second")
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), rate)
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        kept = pages - sum(job.stop - job.first for job in jobs)
        bar = progress.add_task("pages", total=pages, completed=kept, pictures=0, rate=0.0)
        pictures = 0
        for job, count in zip(jobs, _results(jobs, workers), strict=True):
            pictures += count
            _advance(progress, bar, job.stop - job.first, pictures)


def _advance(progress: Progress, bar: TaskID, pages: int, pictures: int) -> None:
    seconds = progress.tasks[0].elapsed or 1.0
    progress.update(bar, advance=pages, pictures=pictures, rate=pictures / seconds)


def _results(jobs: list[Job], workers: int) -> Iterator[int]:
    """Pictures made by each job, in order.

    Workers start afresh, since forking a process with threads can hang it; a script that calls this needs the usual
    `if __name__ == "__main__":`. They ignore Ctrl-C: the parts they are at are finished and kept.
    """
    if workers == 1 or len(jobs) < 2:
        yield from map(make_part, jobs)
        return
    fresh = multiprocessing.get_context("spawn")
    deaf = (signal.SIGINT, signal.SIG_IGN)
    count = min(workers, len(jobs))
    with ProcessPoolExecutor(count, mp_context=fresh, initializer=signal.signal, initargs=deaf) as pool:
        yield from pool.map(make_part, jobs)


def _complete(jobs: list[Job], out: Path, form: Format) -> bool:
    """Whether everything is there and joined."""
    data = (out / PAGES).exists() if form == "parquet" else all(job.done for job in jobs)
    return data and (out / LABELS).exists()


def _join(jobs: list[Job], out: Path, form: Format) -> None:
    """Join the parts, labels last; when only some shards were made again, the labels of all are there already."""
    if form == "parquet":
        join_parquet((job.data for job in jobs), out / PAGES)
    if all(job.labels.exists() for job in jobs):
        join_text((job.labels for job in jobs), out / LABELS)
