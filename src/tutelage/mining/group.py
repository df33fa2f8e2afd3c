"""Pictures → pages: grouped by the URL of their page and filtered by size, with Daft (native, or the same on Ray).

A group-by holds its groups in memory, so a crawl is first split into parts that each fit: all pictures of a page are in
one part, and memory does not grow with the crawl.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutelage.mining.settings import LEAST, MOST
from tutelage.triplet import Picture

if TYPE_CHECKING:  # Daft takes a second to import
    from daft import DataFrame

BUFFERED: Final = 256 << 20
"""Bytes, as they will be on disk, that all parts together may hold back until a file of theirs is written."""
_DONE: Final = "_SUCCESS"
_PART: Final = re.compile(r"part=(\d+)")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One web page: the pictures on it that can be used, and how many cannot."""

    url: str
    found: int
    """Pictures on the page, whatever they are."""
    faults: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many pictures the source found faulty for it."""
    copies: int = 0
    """Pictures whose bytes another one of the page has too."""
    pictures: tuple[Picture, ...] = ()
    """By URL, at most the number asked for; none if there are fewer than the least."""


def split(frame: "DataFrame", folder: Path, parts: int) -> dict[int, Path]:
    """Write the rows of a source into `parts` folders by their page, once; returns part → folder, without empty ones.

    Rows are streamed, into several files a part: memory does not depend on their number. (A source file, though, may be
    read whole.) If all was written before, nothing is done.
    """
    from daft import DataType, col, lit
    from daft.context import execution_config_ctx
    from daft.functions import hash as hashed

    if not (folder / _DONE).exists():
        part = (hashed(col("page_url"), hash_function="xxhash3_64") % lit(parts)).cast(DataType.int32()).alias("part")
        rows = frame.with_column("part", part)
        with execution_config_ctx(parquet_target_filesize=max(1 << 20, BUFFERED // parts)):
            rows.write_parquet(folder, partition_cols=["part"], write_mode="overwrite", write_success_file=True)
    numbered = ((_PART.fullmatch(path.name), path) for path in folder.glob("part=*"))
    return dict(sorted((int(name[1]), path) for name, path in numbered if name))


def pages_in(part: Path, *, seed: int, least: int = LEAST, most: int = MOST) -> list[Page]:
    """The pages of a part that `split` wrote, by URL."""
    import daft

    rows = grouped(daft.read_parquet(f"{part}/*.parquet"), least)
    return sorted(pages(rows, seed=seed, least=least, most=most), key=lambda page: page.url)


def grouped(frame: "DataFrame", least: int = LEAST) -> "DataFrame":
    """One row a page, not yet computed.

    Columns: `page_url`, `found` (pictures), `faults` (list of the reasons of the faulty ones) and `pictures`: list of
    structs of the source's other columns for the fine ones, null where there are fewer than `least`.
    """
    from daft import col, lit
    from daft.functions import list_agg, to_struct, when

    others = [col(name) for name in frame.column_names if name not in ("page_url", "fault")]
    fine = when(col("fault").is_null(), to_struct(*others))
    rows = frame.select("page_url", "fault", fine.alias("picture"))
    totals = rows.groupby("page_url").agg(
        list_agg(col("picture")).alias("pictures"),
        list_agg(col("fault")).alias("faults"),
        col("fault").count().alias("faulty"),
        col("page_url").count().alias("found"),
    )
    enough = col("found") - col("faulty") >= lit(least)
    return totals.select("page_url", "found", "faults", when(enough, col("pictures")).otherwise(lit(None)))


def pages(rows: "DataFrame", *, seed: int, least: int = LEAST, most: int = MOST) -> Iterator[Page]:
    """The rows of `grouped` as records, as they are computed and in no order.

    Of more than `most` pictures those with the least hash of (seed, URL) stay: whatever the order, the same ones.
    """
    for batch in rows.to_arrow_iter():
        for row in batch.to_pylist():
            yield _page(row, seed, least, most)


def _page(row: Mapping[str, Any], seed: int, least: int, most: int) -> Page:
    url = row["page_url"]
    fine = [_picture(url, fields) for fields in row["pictures"] or () if fields is not None]
    distinct = {picture.key: picture for picture in sorted(fine, key=_place, reverse=True)}
    chosen = sorted(distinct.values(), key=lambda picture: (_draw(seed, picture.url), picture.key))[:most]
    return Page(
        url=url,
        found=row["found"],
        faults=dict(sorted(Counter(fault for fault in row["faults"] if fault is not None).items())),
        copies=len(fine) - len(distinct),
        pictures=tuple(sorted(chosen, key=_place)) if len(chosen) >= least else (),
    )


def _picture(page: str, fields: Mapping[str, Any]) -> Picture:
    return Picture(
        data=fields["image"],
        url=fields["url"],
        page=page,
        alt=fields["alt_text"] or "",
        licence=fields["licence"] or "",
    )


def _place(picture: Picture) -> tuple[str, str]:
    return picture.url, picture.key


def _draw(seed: int, url: str) -> bytes:
    return hashlib.sha256(f"{seed} {url}".encode()).digest()
