"""Pages → captioned pictures, each a cluster of its own; then → what is to be done to them."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutelage.errors import BadInput
from tutelage.stages.mined import FILE, FINISHED, IMAGINED, MINED, count_assignments
from tutelage.triplet import Assignment, Cluster, Picture, Reference

if TYPE_CHECKING:
    from tutelage.mining.edit_orders import Ordering
    from tutelage.mining.language import Captioner
    from tutelage.sources.base import Source

TOGETHER: Final = 64
"""Pictures captioned at a time, and of one file."""


def picture_pages(source: "Source", captioner: str, most: int | None, device: str, out: Path) -> dict[str, int]:
    """Write `out/mined/clusters`: sound pictures, each once, with captions; how many, and how many had none.

    Args:
        source: where pages come from.
        captioner: as `mining.language.captioner` has it; empty: alt texts are the captions.
        most: pictures to go on with, the first ones; None: all.
        device: for the captioner.
        out: the run directory.

    Raises:
        BadInput: the captioner cannot be had, or not one picture has a caption.
    """
    import json

    from tutelage.mining import language
    from tutelage.mining.mine import CLUSTERS
    from tutelage.mining.records import write_clusters
    from tutelage.run import write_atomic

    folder, finished = out / MINED / CLUSTERS, out / MINED / FINISHED
    if not finished.exists():
        folder.mkdir(parents=True, exist_ok=True)
        says = language.captioner(captioner, out / MINED / "answers", device) if captioner else None
        counts = {"pictures": 0, "without caption": 0}
        found = islice(_pictures(source), most)
        for number, some in enumerate(iter(lambda: list(islice(found, TOGETHER)), [])):
            captions = _captions(some, says)
            told = [_cluster(one, text) for one, text in zip(some, captions, strict=True) if text]
            write_clusters(told, folder / f"{number:05d}.parquet")
            counts["pictures"] += len(told)
            counts["without caption"] += len(some) - len(told)
        if not counts["pictures"]:
            raise BadInput("not one picture has a caption; give other pages, or a captioner")
        write_atomic(finished, json.dumps(counts).encode())
    stored: dict[str, int] = json.loads(finished.read_bytes())
    return stored


def order_pictures(how: "Ordering", language_model: str, device: str, seed: int, out: Path) -> dict[str, int]:
    """Write `out/imagined/assignments.parquet`; how many orders there are, and how many could not be had.

    Raises:
        BadInput: the language model cannot be had, or no picture allows any of the tasks.
    """
    from tutelage.mining import language
    from tutelage.mining.edit_orders import order_edits
    from tutelage.mining.records import write_assignments

    path = out / IMAGINED / FILE
    if path.exists():
        return {"assignments": count_assignments(out)}
    path.parent.mkdir(parents=True, exist_ok=True)
    model = language.language_model(language_model, path.parent / "answers", device)
    answers = list(order_edits(pictured(out), model, how, seed))
    made = [answer for answer in answers if isinstance(answer, Assignment)]
    if not made:
        raise BadInput(
            f"no picture of {out / MINED} allows any of {', '.join(how.tasks)}; give other tasks or captions"
        )
    write_assignments(made, path)
    return {"assignments": len(made), "refusals": len(answers) - len(made)}


def orders_of(out: Path) -> Iterator[Assignment]:
    """The assignments of a run, picture by picture."""
    from tutelage.mining.records import read_assignments

    return read_assignments(out / IMAGINED, pictured(out))


def pictured(out: Path) -> Iterator[Cluster]:
    """The captioned pictures of a run."""
    from tutelage.mining.mine import CLUSTERS
    from tutelage.mining.records import read_clusters

    return read_clusters(out / MINED / CLUSTERS)


def _pictures(source: "Source") -> Iterator[Picture]:
    """Sound pictures by page and address, each once."""
    from tutelage.sources.faults import inspected

    frame = inspected(source.frame())
    rows: Any = frame.where(frame["fault"].is_null()).sort(["page_url", "url"]).iter_rows()
    seen: set[str] = set()
    for row in rows:
        told = {"page": row["page_url"], "alt": row["alt_text"], "licence": row["licence"]}
        found = Picture(data=row["image"], url=row["url"], **{name: value or "" for name, value in told.items()})
        if found.key not in seen:
            seen.add(found.key)
            yield found


def _captions(pictures: Sequence[Picture], says: "Captioner | None") -> list[str]:
    from tutelage.mining.words import cleaned

    if says is None:
        return [cleaned(picture.alt) for picture in pictures]
    return says.caption([picture.data for picture in pictures])


def _cluster(picture: Picture, caption: str) -> Cluster:
    return Cluster(id=picture.key[:16], subject=caption, references=(Reference(picture=picture, caption=caption),))
