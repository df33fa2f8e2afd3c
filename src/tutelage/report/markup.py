"""HTML as a tree of elements: words are escaped when it is written, so no text can become markup."""

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, tostring

Child = Element | str | None
Children = Child | Iterable[Child]

_SCALE: Final = "width=device-width, initial-scale=1"


def el(tag: str, *children: Children, **attributes: str | float | None) -> Element:
    """An element. Children that are None are left out, as are attributes.

    In names of attributes `_` stands for `-`, and one at the end is dropped: `class_="card", stroke_width=2`.
    """
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    element = Element(tag, {name: value if isinstance(value, str) else f"{value:g}" for name, value in named.items()})
    for child in children:
        _add(element, [child] if isinstance(child, str | Element | None) else child)
    return element


def document(title: str, style: str, *body: Children) -> bytes:
    """A page with its style, in UTF-8; what UTF-8 cannot hold becomes a question mark."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content=_SCALE),
        el("title", title),
        el("style", style),
    )
    page = el("html", head, el("body", *body), lang="en")
    return f"<!doctype html>\n{tostring(page, encoding='unicode', method='html')}\n".encode(errors="replace")


def fragment(*body: Children) -> str:
    """Elements in one `div`, to be put into a page that is there."""
    return tostring(el("div", *body), encoding="unicode", method="html").encode(errors="replace").decode()


def _add(parent: Element, children: Iterable[Child]) -> None:
    for child in children:
        if isinstance(child, Element):
            parent.append(child)
        elif child and len(parent):
            parent[-1].tail = (parent[-1].tail or "") + child
        elif child:
            parent.text = (parent.text or "") + child
