"""How far a drawing is, as a bar with words."""

from xml.etree.ElementTree import Element

from tutelage.report.markup import el
from tutelage.studio.drawing import Moment, Progress


def bar(moment: Moment | None, words: str, share: float | None = None) -> Element:
    """A bar at the moment's own share, or else at the one that is given; one that wanders if neither is known."""
    at = moment.share if isinstance(moment, Progress) else share
    style = None if at is None else f"width:{100 * at:.1f}%"
    meter = el("div", el("i", style=style), class_="meter" if at is not None else "meter unsure")
    return el("div", meter, el("span", words), class_="going", role="status")
