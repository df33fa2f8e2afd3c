"""How much memory mining takes, however large the crawl: all of `tutelage.mining.mine`, with simulated pictures.

    python benchmarks/mining_memory.py                    # 1 000 000 pages, 12 GB of disk
    python benchmarks/mining_memory.py --pages 20000

Pages are split by their URL, grouped, measured, decided, named and written as for every crawl. Simulated are the
pictures, which are random bytes, and so what networks see in them: three pages of five show one subject, the others
anything. What networks themselves take in memory, and the decoded pictures of a page or 64, comes on top.
"""

import json as jsons
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tyro

from tutelage.benches.ratios import ratio_row, report
from tutelage.mining.group import Page
from tutelage.mining.settings import Mining

CHUNK: Final = 10_000
"""Pages in a file of the crawl, as img2dataset writes some."""
COLUMNS: Final = ("url", "page_url", "image", "alt_text", "licence", "fault")
WIDTH: Final = 64
"""Of features."""


def main(
    *,
    pages: int = 1_000_000,
    size: int = 512,
    pages_in_part: int = 10_000,
    folder: Path | None = None,
    json: Path | None = None,
) -> None:
    """Mine once and print.

    Args:
        pages: Of the crawl, with about six pictures each.
        size: Bytes of a picture. What memory holds are the pictures of a part.
        pages_in_part: How finely the crawl is cut.
        folder: Where to write; by default the system's folder for temporary files.
        json: File to write the rows to.
    """
    with tempfile.TemporaryDirectory(dir=folder) as where:
        write_crawl(Path(where) / "crawl", pages, size)
        command = [sys.executable, __file__, "--one", where, str(max(1, pages // pages_in_part))]
        told = jsons.loads(
            subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
        )
    assert told["pages"] == pages, f"{told['pages']} of {pages} pages were mined"
    name = f"{pages:,} pages"
    report(
        [
            ratio_row(name, [told["peak"]], "peak of memory, MiB"),
            ratio_row(name, [told["grouping"]], "peak of memory when the crawl is split, MiB"),
            ratio_row(name, [pages / told["seconds"]], "pages a second"),
            ratio_row(name, [told["kept"] / pages], "kept"),
        ],
        json,
    )


def write_crawl(folder: Path, pages: int, size: int) -> None:
    """One to eleven pictures a page; one picture in five is far from its page's others, as crawlers leave them."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for first in range(0, pages, CHUNK):
        count = min(CHUNK, pages - first)
        on_page = np.repeat(np.arange(first, first + count), rng.integers(1, 12, count))
        moved = rng.random(len(on_page)) < 0.2
        on_page[moved] = rng.permutation(on_page[moved])
        pq.write_table(chunk(on_page, first, size, rng), folder / f"{first:09d}.parquet")


def chunk(on_page: np.ndarray, first: int, size: int, rng: np.random.Generator) -> pa.Table:
    """Pictures of these pages."""
    rows = len(on_page)
    offsets = pa.py_buffer((np.arange(rows + 1) * size).astype(np.int32))
    images = pa.Array.from_buffers(pa.binary(), rows, [None, offsets, pa.py_buffer(rng.bytes(rows * size))])
    columns = [
        [f"https://images.example/{page:08d}/{first}-{at}.jpg" for at, page in enumerate(on_page)],
        [f"https://pages.example/{page:08d}.html" for page in on_page],
        images,
        ["a red robot toy on the beach"] * rows,
        ["cc-by"] * rows,
        pa.array([None if fine else "tiny" for fine in rng.random(rows) > 0.05], pa.string()),
    ]
    return pa.table(columns, names=COLUMNS)


def one(where: Path, parts: int) -> None:
    """Mine and print pages, how many were kept, seconds, and peaks of memory in MiB, as JSON."""
    import daft

    from tutelage.mining import embed
    from tutelage.mining.group import split
    from tutelage.mining.mine import PARTS, mine

    embed.encoder = lambda name, device: name
    embed.embed_pages = seen
    started = time.perf_counter()
    frame = daft.read_parquet(str(where / "crawl" / "*.parquet"))
    split(frame, where / "mined" / PARTS, parts)
    grouping = peak()
    found = mine(frame, where / "mined", Mining(parts=parts, captioner="")).pages
    told = {"pages": found.total(), "kept": found[""], "grouping": grouping, "peak": peak()}
    print(jsons.dumps({**told, "seconds": time.perf_counter() - started}))


def seen(network: str, pages: Sequence[Page]) -> Iterator[np.ndarray]:
    """Simulated unit features (N, D) of each page's N pictures; pairs of one subject have a cosine of .6."""
    for page in pages:
        rng = np.random.default_rng([len(network), int(page.url[-13:-5])])
        subject, rest = rng.standard_normal(WIDTH), rng.standard_normal((len(page.pictures), WIDTH))
        features = np.sqrt(0.6) * subject + np.sqrt(0.4) * rest if rng.random() < 0.6 else rest
        yield (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)


def peak() -> float:
    """Most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        tyro.cli(main)
