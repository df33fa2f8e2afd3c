"""The page of a bench of photographs: some subjects with everybody's pictures of them, and the figures."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar
from xml.etree.ElementTree import Element

from tutelage.benches.base import Row, shown
from tutelage.benches.dreambench.figures import Frame
from tutelage.benches.dreambench.items import Item, Subject
from tutelage.benches.dreambench.likeness import flagged
from tutelage.benches.dreambench.tables import remarks, short, tables
from tutelage.generators.shelf import Shelf
from tutelage.report.look import STYLE
from tutelage.report.markup import Child, document, el
from tutelage.report.pictures import ALBUMS, Album, absent
from tutelage.report.tables import table, unfolds
from tutelage.run import write_atomic

T = TypeVar("T")

NAME: Final = "page.html"
SUBJECTS: Final = 6
"""On the page, in the order of the hashes of their names; of their prompts as many, in the same way."""
PROMPTS: Final = 6
MOST_BYTES: Final = 8_000_000


def write_page(out: Path, frame: Frame, folders: Mapping[str, Path], rows: Sequence[Row], about: str) -> Path:
    """Write the page into `out`, with its pictures in it, and return its path.

    Args:
        out: run directory.
        frame: what was asked.
        folders: name → its pictures.
        rows: the figures.
        about: hashes, seed and time, in words.
    """
    shelves = {name: Shelf(folder) for name, folder in folders.items()}
    data = b""
    for album in ALBUMS:
        data = _page(frame, shelves, rows, about, album)
        if len(data) <= MOST_BYTES:
            break
    write_atomic(out / NAME, data)
    return out / NAME


def _page(frame: Frame, shelves: Mapping[str, Shelf], rows: Sequence[Row], about: str, album: Album) -> bytes:
    subjects = _by_hash(frame.collection.subjects, lambda one: one.name)[:SUBJECTS]
    cards = [_card(frame, subject, shelves, album) for subject in subjects]
    told = [el("li", line) for line in remarks(rows)]
    body = el(
        "main",
        el("p", "tutelage bench", class_="kicker"),
        el("h1", frame.collection.bench),
        el("p", f"{frame.size}, {frame.fed} photos fed to whoever draws.", class_="lead"),
        _badges(rows),
        el(
            "section",
            el("h2", "One subject at a time"),
            el(
                "p",
                "Subjects and prompts are the first in the order of the SHA-256 of their names, not chosen by looks.",
            ),
            cards,
        ),
        el("section", el("h2", "Figures"), _figures(rows), el("ul", told) if told else None),
        el("p", about, class_="facts"),
    )
    return document(f"{frame.collection.bench}: tutelage", STYLE, body)


def _badges(rows: Sequence[Row]) -> Element | None:
    """Whose pictures look like copies."""
    why = {name: words for (_, name), words in flagged(rows).items()}
    badges = [el("span", f"{name}: {words}", class_="badge rejected") for name, words in why.items()]
    return el("p", [child for badge in badges for child in (badge, " ")]) if badges else None


def _card(frame: Frame, subject: Subject, shelves: Mapping[str, Shelf], album: Album) -> Element:
    photos = [album.show(data, f"photo of {subject.name}") for data in subject.data]
    left = el("div", el("div", photos, class_="pictures"), el("small", f"{len(photos)} photos"), class_="shown")
    mine = [item for item in frame.asked if item.subject.name == subject.name and item.sample == 0]
    items = sorted(_by_hash(mine, lambda item: item.prompt.text)[:PROMPTS], key=lambda item: item.prompt.number)
    heads = el("div", el("span"), [el("span", name) for name in shelves], class_="heads", aria_hidden="true")
    answers = [_answers(item, shelves, album) for item in items]
    right = el("div", heads, answers, class_="answers", style=f"--columns:{len(shelves)}")
    return el("article", el("h3", subject.kind, el("small", subject.name)), el("div", left, right, class_="row"))


def _answers(item: Item, shelves: Mapping[str, Shelf], album: Album) -> Element:
    group = el("span", item.prompt.group, class_="skill") if item.prompt.group else None
    cells = []
    for name, shelf in shelves.items():
        path, alt = shelf.find(item.id), f"{name}: {item.prompt.text}"
        picture = album.open(shelf.folder, path.relative_to(shelf.folder).as_posix(), alt) if path else absent(alt)
        cells.append(el("figure", picture, el("figcaption", name)))
    return el("div", el("p", group, item.prompt.text), cells, class_="answer")


def _figures(rows: Sequence[Row]) -> list[Element]:
    """Every table; those of single groups of prompts are folded."""
    made = []
    for _, title, names, metrics, figures in tables(rows):
        body: list[list[Child]] = [
            [name, *(_figure(figures.get((name, metric))) for metric in metrics)] for name in names
        ]
        drawn = table(["", *(short(metric) for metric in metrics)], body, caption=title)
        made.append(unfolds(title, drawn) if ": " in metrics[0] else drawn)
    return made


def _figure(row: Row | None) -> Child:
    if row is None:
        return ""
    ends = f"{shown(row.low)} to {shown(row.high)}" if row.low is not None else None
    return el("span", el("b", shown(row.value)), el("small", ends) if ends else None, class_="figure")


def _by_hash(things: Sequence[T], name: Callable[[T], str]) -> list[T]:
    return sorted(things, key=lambda thing: sha256(name(thing).encode()).hexdigest())
