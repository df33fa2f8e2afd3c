"""Tables, and rows of bars that are tables too."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from tutelage.report.markup import Child, el
from tutelage.report.wording import share


@dataclass(frozen=True, kw_only=True)
class Part:
    """A bar of a row of bars."""

    name: str
    value: float
    shown: str
    """The value in words."""
    note: str = ""


def table(heads: Sequence[str], rows: Sequence[Sequence[Child]], *, caption: str = "", last: bool = False) -> Element:
    """A table whose first column names the rows; with `last`, the last row stands apart from those above it.

    Tables that are wider than the page scroll by themselves.
    """
    head = el("tr", [el("th", name, scope="col") for name in heads])
    body = [el("tr", _cells(row)) for row in rows]
    if last and len(body) > 1:
        body[-1].set("class", "apart")
    named = el("caption", caption) if caption else None
    return el("div", el("table", named, el("thead", head), el("tbody", body)), class_="scroll", tabindex="0")


def bars(parts: Sequence[Part]) -> Element:
    """Values as bars from a common start, the longest as wide as the page, each with its name, words and note."""
    longest = max((part.value for part in parts), default=0) or 1
    rows = [_bar(part, 100 * part.value / longest) for part in parts]
    return el("table", el("tbody", rows), class_="bars")


def share_bar(part: int, whole: int) -> Element:
    """A share as a small bar and in percent."""
    filled = el("i", style=f"width:{100 * part / whole if whole else 0:.1f}%")
    return el("span", el("span", filled, class_="share"), el("span", share(part, whole)), class_="shared")


def unfolds(summary: str, *children: Child, class_: str | None = None) -> Element:
    """Something shown when it is asked for."""
    return el("details", el("summary", summary), children, class_=class_)


def _cells(row: Sequence[Child]) -> list[Element]:
    return [el("td", value) if at else el("th", value, scope="row") for at, value in enumerate(row)]


def _bar(part: Part, width: float) -> Element:
    note = el("small", part.note) if part.note else None
    bar = el("td", el("i", style=f"width:{width:.2f}%"), class_="bar")
    return el("tr", el("th", part.name, scope="row"), bar, el("td", el("b", part.shown), note, class_="value"))
