"""The built-in world's crawl: made when it is not there yet, then read like anyone's Parquet."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tutelage.sources.parquet import Parquet
from tutelage.toybox.crawl import PAGES, crawl_command

if TYPE_CHECKING:
    import daft


@dataclass(frozen=True, kw_only=True)
class Toybox:
    """A crawl of the built-in world; the same settings find the crawl that is there."""

    path: Path = Path("crawl")
    """Folder of the crawl; the truth about it lies beside, in `labels.jsonl`."""
    pages: int = 1000
    seed: int = 0
    size: int = 128
    """Longer side of the pictures, in pixels."""
    workers: int = 2
    """Processes that draw."""

    def frame(self) -> "daft.DataFrame":
        crawl_command(pages=self.pages, out=self.path, seed=self.seed, size=self.size, workers=self.workers)
        return Parquet(path=self.path / PAGES).frame()
