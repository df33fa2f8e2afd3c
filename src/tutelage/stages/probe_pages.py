"""What any probe knows of a run: its pages, a few of them, and what it has made; see `probe`."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutelage.corpus.reader import Corpus
from tutelage.corpus.tables import MARKER
from tutelage.sources.faults import inspected
from tutelage.sources.parquet import Parquet
from tutelage.stages.mined import TOYBOX, source_of
from tutelage.stages.taught import CORPUS
from tutelage.toybox import crawl
from tutelage.triplet import Triplet

if TYPE_CHECKING:
    from daft import DataFrame

    from tutelage.edit_pipeline import InstructionDriven
    from tutelage.pipeline import SubjectDriven
    from tutelage.sources.base import Source

LOOKED_AT: Final = 16
"""Pages of a crawl that is made for the probe."""
PICTURES: Final = 100
"""Of a source that is there: the first ones. And triplets of a corpus."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What something takes."""

    seconds: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(seconds=self.seconds + other.seconds, bytes=self.bytes + other.bytes)

    def __mul__(self, count: float) -> "Cost":
        return Cost(seconds=self.seconds * count, bytes=self.bytes * count)


class PageProbe(ABC):
    """A run's pages and pictures; each piece is worked on when it is first asked for."""

    run: "SubjectDriven | InstructionDriven"

    def __init__(self, run: Any, folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        """Of `run`, in an empty `folder`; `tell` hears what is being done."""
        self.run, self.folder, self.tell = run, folder, tell

    @property
    @abstractmethod
    def triplets(self) -> Sequence[Triplet]:
        """Some of the run's, or of what trials made."""

    @property
    def crawled(self) -> bool:
        """Whether the pages are there to be read."""
        return self.run.pages != TOYBOX or (self.run.crawl.path / crawl.PAGES).exists()

    def count_pages(self) -> int:
        """How many there are or will be; to know it, all of their addresses are read."""
        if self.run.pages == TOYBOX:
            return self.run.crawl.pages
        self.tell("counting pages")
        return int(self._source().frame().select("page_url").distinct().count_rows())

    @cached_property
    def crawling(self) -> Cost:
        """Of making one page."""
        self.tell("making a few pages")
        few = replace(self.run.crawl, path=self.folder / "crawl", pages=LOOKED_AT, workers=1)
        return Cost(seconds=timed(few.frame) / LOOKED_AT, bytes=size_of(few.path) / LOOKED_AT)

    def _source(self) -> "Source":
        """The pages that are there, or the few that are made for the probe."""
        if self.run.pages != TOYBOX:
            return source_of(self.run.pages, self.run.crawl)
        if not self.crawled:
            assert self.crawling
        return Parquet(path=(self.run.crawl.path if self.crawled else self.folder / "crawl") / crawl.PAGES)

    @cached_property
    def _frame(self) -> "DataFrame":
        import daft

        return daft.from_arrow(inspected(self._source().frame().limit(PICTURES)).to_arrow())

    @property
    def target_bytes(self) -> float:
        """Of one picture."""
        return sum(len(triplet.target) for triplet in self.triplets) / len(self.triplets)

    @cached_property
    def corpus(self) -> Corpus | None:
        """The run's, if it holds anything."""
        path = self.run.out / CORPUS
        return found if (path / MARKER).exists() and len(found := Corpus(path)) else None


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def size_of(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
