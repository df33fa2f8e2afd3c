"""A crawl → page verdicts and clusters, part by part: a part that is on disk is not made again."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput
from tutelage.mining.cluster import NAMELESS, Decision, Measured, decide, measure
from tutelage.mining.describe import describe, retitled
from tutelage.mining.group import Page, pages_in, split
from tutelage.mining.records import read_pages, write_clusters, write_pages
from tutelage.mining.settings import Mining
from tutelage.mining.words import address_words, cleaned
from tutelage.triplet import Cluster, Picture, Reference

if TYPE_CHECKING:
    from daft import DataFrame

    from tutelage.diffusion.features import PictureFeatures
    from tutelage.mining.language import Captioner, LanguageModel

PAGES: Final = "pages"
CLUSTERS: Final = "clusters"
PARTS: Final = "parts"
ANSWERS: Final = "answers"
"""Folders of a mined crawl: page verdicts, clusters, the crawl sorted by page, and what endpoints answered."""


@dataclass(frozen=True)
class Tools:
    """What mining looks and writes with."""

    encoder: "PictureFeatures"
    duplicates: "PictureFeatures | None"
    captioner: "Captioner | None"
    model: "LanguageModel"


@dataclass(frozen=True, kw_only=True)
class Mined:
    """What became of a crawl."""

    pages: Counter[str]
    """Reason → pages rejected for it; those kept are under the empty reason."""
    faults: Counter[str]
    """Reason → pictures that their source found faulty for it."""
    copies: int
    """Pictures that are bit for bit another one of their page."""


def mine(frame: "DataFrame", out: Path, how: Mining) -> Mined:
    """Mine the pictures of a source into `out`.

    `out/pages` holds a verdict for every page and `out/clusters` the clusters (see `records`). What is there is not
    made again, so the same call resumes. `out/parts`, as large as the crawl, is of no use when all is done.

    Args:
        frame: columns url, page_url, image, alt_text, licence and fault (null if the picture is fine).
        out: Folder to write to; one crawl and one way of mining each.
        how: Networks and limits.

    Raises:
        BadInput: the source has no pictures, or a network or a model cannot be had.
    """
    if how.parts < 1:
        raise BadInput(f"parts is {how.parts}; give at least 1")
    for name in (PAGES, CLUSTERS):
        (out / name).mkdir(parents=True, exist_ok=True)
    parts = split(frame, out / PARTS, how.parts)
    if not parts:
        raise BadInput("the source has no pictures to mine; give another one")
    left = {number: path for number, path in parts.items() if not _file(out, PAGES, number).exists()}
    tools = _tools(how, out / ANSWERS) if left else None
    for number, path in left.items():
        assert tools is not None
        _mine_part(pages_in(path, seed=how.seed, least=how.rule.least), out, number, how, tools)
    return mined(out)


def mined(out: Path) -> Mined:
    """What became of the pages that `out` has verdicts for.

    Raises:
        BadInput: there are none.
    """
    reasons, faults, copies = Counter[str](), Counter[str](), 0
    for page, decision in read_pages(out / PAGES):
        reasons[decision.reason] += 1
        faults.update(page.faults)
        copies += page.copies
    return Mined(pages=reasons, faults=faults, copies=copies)


def measured(pages: Sequence[Page], tools: Tools) -> list[Measured]:
    """The numbers of pages."""
    from tutelage.mining.embed import embed_pages

    features = embed_pages(tools.encoder, pages)
    if tools.duplicates is None:
        return [measure(page, seen) for page, seen in zip(pages, features, strict=True)]
    likeness = embed_pages(tools.duplicates, pages)
    return [measure(page, *seen) for page, *seen in zip(pages, features, likeness, strict=True)]


def cluster_id(page: str) -> str:
    """The id of a page's cluster: 16 hex digits of the hash of its URL."""
    return hashlib.sha256(page.encode()).hexdigest()[:16]


def _mine_part(pages: Sequence[Page], out: Path, number: int, how: Mining, tools: Tools) -> None:
    """Verdicts are written last: they say that the part is finished."""
    numbers = measured(pages, tools)
    decisions = [decide(page, how.rule) for page in numbers]
    kept = [(page, decision) for page, decision in zip(pages, decisions, strict=True) if decision.kept]
    clusters = {cluster.references[0].picture.page: cluster for cluster in _clusters(kept, how.seed, tools)}
    named = {page: cluster for page, cluster in clusters.items() if cluster.subject}
    write_clusters(named.values(), _file(out, CLUSTERS, number))
    rows = [_verdict(page, decision, named) for page, decision in zip(numbers, decisions, strict=True)]
    write_pages(rows, _file(out, PAGES, number))


def _verdict(page: Measured, decision: Decision, named: Mapping[str, Cluster]) -> tuple[Measured, Decision, str]:
    """A page's row: one that no model could name is rejected for that."""
    if decision.kept and page.page not in named:
        return page, replace(decision, kept=False, reason=NAMELESS), ""
    return page, decision, named[page.page].subject if decision.kept else ""


def _clusters(kept: Sequence[tuple[Page, Decision]], seed: int, tools: Tools) -> list[Cluster]:
    """The clusters of pages that were kept, their subjects named, or not."""
    chosen = [[page.pictures[at] for at in decision.pictures] for page, decision in kept]
    captions = [_captions(pictures, tools) for pictures in chosen]
    pairs = [
        [(picture.alt, said) for picture, said in zip(pictures, told, strict=True)]
        for pictures, told in zip(chosen, captions, strict=True)
    ]
    subjects = describe(pairs, tools.model, seed) if pairs else []
    rows = zip(kept, chosen, captions, subjects, strict=True)
    return [
        Cluster(
            id=cluster_id(page.url),
            subject=subject,
            references=_references(pictures, told, subject),
            similarity=decision.mean,
        )
        for (page, decision), pictures, told, subject in rows
    ]


def _captions(pictures: Sequence[Picture], tools: Tools) -> list[str]:
    if tools.captioner is None:
        return [cleaned(picture.alt) or address_words(picture.page) for picture in pictures]
    return tools.captioner.caption([picture.data for picture in pictures])


def _references(pictures: Sequence[Picture], captions: Sequence[str], subject: str) -> tuple[Reference, ...]:
    said = (retitled(caption, subject) if subject else caption for caption in captions)
    return tuple(Reference(picture=picture, caption=text) for picture, text in zip(pictures, said, strict=True))


def _tools(how: Mining, answers: Path) -> Tools:
    from tutelage.mining.embed import encoder
    from tutelage.mining.language import captioner, language_model

    return Tools(
        encoder(how.encoder, how.device),
        encoder(how.duplicates, how.device) if how.duplicates not in ("", how.encoder) else None,
        captioner(how.captioner, answers, how.device) if how.captioner else None,
        language_model(how.language_model, answers, how.device),
    )


def _file(out: Path, kind: str, number: int) -> Path:
    return out / kind / f"{number:05d}.parquet"
