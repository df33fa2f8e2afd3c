"""Pages → clusters → assignments."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput
from tutelage.mining.settings import Mining
from tutelage.sources.toybox import Toybox
from tutelage.stages.settings import Imagining
from tutelage.triplet import Assignment, Cluster

if TYPE_CHECKING:
    from tutelage.sources.base import Source

TOYBOX: Final = "toybox"
MINED: Final = "mined"
IMAGINED: Final = "imagined"
FILE: Final = "assignments.parquet"
"""Folders of a run, and the file in the second."""
FINISHED: Final = "finished"
"""A file in the first, when all pages are mined."""


def source_of(pages: str, crawl: Toybox) -> "Source":
    """The source that `pages` names: `toybox`, a Parquet or tar file, or a folder of either, or of pictures.

    Raises:
        BadInput: there is nothing at that path.
    """
    from tutelage.sources.folder import Folder
    from tutelage.sources.parquet import Parquet
    from tutelage.sources.webdataset import WebDataset

    if pages == TOYBOX:
        return crawl
    path = Path(pages).expanduser()
    if not path.exists():
        raise BadInput(f"--pages {pages}: not there; give `{TOYBOX}`, a folder, a .parquet or a .tar file")
    for ending, kind in ((".parquet", Parquet), (".tar", WebDataset)):
        if path.suffix == ending or (path.is_dir() and any(path.glob(f"*{ending}"))):
            found: Source = kind(path=path)
            return found
    return Folder(path=path)


def mine_pages(source: "Source", how: Mining, out: Path) -> dict[str, int]:
    """Mine into `out/mined`; how many pages there were, how many clusters were kept, and why the rest was not."""
    from tutelage.mining.mine import PAGES, mine, mined
    from tutelage.sources.faults import inspected

    folder, finished = out / MINED, out / MINED / FINISHED
    if not finished.exists():
        mine(inspected(source.frame()), folder, how)
        finished.touch()
    assert (folder / PAGES).is_dir()
    pages = mined(folder).pages
    return {"pages": pages.total(), "clusters": pages[""]}


def clusters_of(out: Path, how: Imagining) -> Iterator[Cluster]:
    """The clusters of a run that are gone on with, in their order.

    Raises:
        BadInput: mining kept none.
    """
    from itertools import islice

    from tutelage.mining.mine import CLUSTERS
    from tutelage.mining.records import read_clusters

    return islice(read_clusters(out / MINED / CLUSTERS), how.subjects)


def imagine_prompts(how: Imagining, mining: Mining, seed: int, out: Path) -> dict[str, int]:
    """Write `out/imagined/assignments.parquet`; how many assignments there are, and how many could not be had."""
    from tutelage.mining.imagine import imagine
    from tutelage.mining.language import language_model
    from tutelage.mining.records import write_assignments

    path = out / IMAGINED / FILE
    if path.exists():
        return {"assignments": count_assignments(out)}
    clusters = clusters_of(out, how)
    path.parent.mkdir(parents=True, exist_ok=True)
    if how.words == "captions":
        made = [assignment for cluster in clusters for assignment in captioned(cluster, how.prompts)]
        refused = 0
    else:
        model = language_model(mining.language_model, path.parent / "answers", mining.device)
        answers = list(imagine(clusters, model, prompts=how.prompts, seed=seed))
        made = [answer for answer in answers if isinstance(answer, Assignment)]
        refused = len(answers) - len(made)
    if not made:
        raise BadInput(f"no subject of {out / MINED} has a prompt; mine more pages, or widen the limits of mining")
    write_assignments(made, path)
    return {"assignments": len(made), "refusals": refused}


def assignments_of(out: Path, how: Imagining) -> Iterator[Assignment]:
    """The assignments of a run, cluster by cluster; a few clusters are in memory at a time."""
    from tutelage.mining.records import read_assignments

    return read_assignments(out / IMAGINED, clusters_of(out, how))


def count_assignments(out: Path) -> int:
    """How many assignments a run has."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(out / IMAGINED / FILE).num_rows)


def captioned(cluster: Cluster, count: int) -> Iterator[Assignment]:
    """The captions of a cluster's first pictures as assignments."""
    for number, reference in enumerate(cluster.references[:count]):
        name = f"{cluster.id}/{number:02d}"
        yield Assignment(id=name, cluster=cluster, text=reference.caption or cluster.subject, skill="caption")
