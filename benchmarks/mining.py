"""R17: pages grouped per second, ours ÷ a plain DuckDB GROUP BY on the same file and cores; and the memory it takes.

    python benchmarks/mining.py --pages 1000000 --repeats 5

Three ways take turns, each in a process of its own so that its peak of memory is its own:

`duckdb`   page → its fine pictures as a list of structs, and the reasons of the faulty ones, by one GROUP BY.
`daft`     the same by `tutelage.mining.group.grouped`, in one go.
`parts`    the same by `split` to disk and `grouped` part by part, as mining does it: bounded memory.

Rows are consumed as they come and counted. The file holds no picture bytes: what is compared is the grouping.
Needs DuckDB, which the extra `dev` has.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from json import dumps, loads
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tyro

from tutelage.benches.base import Row
from tutelage.benches.ratios import ratio_row, ratios, report

SQL: Final = """
    SELECT page_url, count(*) AS found, list(fault) FILTER (fault IS NOT NULL) AS faults,
           list({'url': url, 'alt_text': alt_text, 'licence': licence}) FILTER (fault IS NULL) AS pictures
    FROM read_parquet(?) GROUP BY page_url"""
PAGES_IN_PART: Final = 50_000
CHUNK: Final = 100_000
"""Pages written at a time."""


def by_duckdb(file: Path) -> int:
    """One plain GROUP BY; returns the number of pages."""
    import duckdb

    connection = duckdb.connect(config={"threads": os.cpu_count() or 1})
    return sum(batch.num_rows for batch in connection.sql(SQL, params=[str(file)]).to_arrow_reader(65_536))


def by_daft(file: Path) -> int:
    """Ours in one go, all groups in memory; returns the number of pages."""
    import daft

    from tutelage.mining.group import grouped

    return sum(batch.num_rows for batch in grouped(daft.read_parquet(str(file))).to_arrow_iter())


def by_parts(file: Path) -> int:
    """Ours as mining does it; returns the number of pages."""
    import daft

    from tutelage.mining.group import grouped, split

    pages = loads(pq.read_schema(file).metadata[b"pages"])
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        parts = split(daft.read_parquet(str(file)), Path(folder) / "parts", max(1, pages // PAGES_IN_PART))
        frames = (daft.read_parquet(f"{part}/*.parquet") for part in parts.values())
        return sum(batch.num_rows for frame in frames for batch in grouped(frame).to_arrow_iter())


WAYS: Final[dict[str, Callable[[Path], int]]] = {"duckdb": by_duckdb, "daft": by_daft, "parts": by_parts}


def write_crawl(file: Path, pages: int) -> None:
    """About six pictures a page, page after page as crawlers leave them; one picture in five is elsewhere."""
    rng = np.random.default_rng(0)
    names = ("url", "page_url", "alt_text", "licence", "fault")
    schema = pa.schema([(name, pa.string()) for name in names]).with_metadata({"pages": dumps(pages)})
    with pq.ParquetWriter(file, schema) as writer:
        for first in range(0, pages, CHUNK):
            count = min(CHUNK, pages - first)
            on_page = np.repeat(np.arange(first, first + count), rng.integers(1, 12, count))
            moved = rng.random(len(on_page)) < 0.2
            on_page[moved] = rng.permutation(on_page[moved])
            rows = len(on_page)
            columns = [
                [f"https://images.example/{page:08d}/{first}-{at}.jpg" for at, page in enumerate(on_page)],
                [f"https://pages.example/{page:08d}.html" for page in on_page],
                ["a toy of some kind on the beach"] * rows,
                ["cc-by"] * rows,
                [None if fine else "tiny" for fine in rng.random(rows) > 0.05],
            ]
            writer.write_table(pa.table(columns, schema=schema))


def one(way: str, file: Path) -> None:
    """Group once and print pages, seconds and the peak of memory in MiB, as JSON."""
    WAYS[way](file)  # imports, and the file in the system's cache
    started = time.perf_counter()
    pages = WAYS[way](file)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(dumps({"pages": pages, "seconds": seconds, "peak": peak}))


def main(
    *,
    pages: int = 1_000_000,
    repeats: int = 5,
    folder: Path | None = None,
    json: Path | None = None,
) -> None:
    """Measure R17.

    Args:
        pages: Web pages in the file.
        repeats: Turns of each way.
        folder: Where to write the file and the parts; by default the system's folder for temporary files.
        json: File to write the rows to.
    """
    with tempfile.TemporaryDirectory(dir=folder) as where:
        file = Path(where) / "pages.parquet"
        write_crawl(file, pages)
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(repeats):
            for way, results in runs.items():
                command = [sys.executable, __file__, "--one", way, str(file)]
                answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                results.append(loads(answer.splitlines()[-1]))
    report([row for way, results in runs.items() for row in rows(way, results, runs["duckdb"], pages)], json)


def rows(way: str, results: list[dict[str, float]], duckdb: list[dict[str, float]], pages: int) -> list[Row]:
    """The figures of one way; R17 is that of `parts`, which is how mining groups."""
    assert {result["pages"] for result in results} == {pages}, f"{way} lost pages"
    seconds = [result["seconds"] for result in results]
    found = [
        ratio_row(f"R17: {way}", [pages / one for one in seconds], "pages a second"),
        ratio_row(f"R17: {way}", [result["peak"] for result in results], "peak of memory, MiB"),
    ]
    if way == "duckdb":
        return found
    ratio = ratio_row("R17" if way == "parts" else f"R17, {way}", ratios([one["seconds"] for one in duckdb], seconds))
    return [ratio, *found]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        tyro.cli(main)
