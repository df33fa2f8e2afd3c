"""An instruction → the edit of a toybox scene that it asks for: the way back of `toybox.edits` and of `rewording`.

Words decide, not sentences: a task is known by its verbs, and what it concerns by the toybox's nouns.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from tutelage.mining.words import normalised
from tutelage.toybox.edits import Edit, Task
from tutelage.toybox.scene import ACCESSORIES, COLOURS, KINDS, OUTDOORS, PATTERNS, Scene, Subject

Change = tuple[Scene, Scene]
"""The scene before and after."""

_COLOUR: Final = "|".join(COLOURS)
_WORN: Final = "|".join(ACCESSORIES[1:])
_TOY: Final = rf"(?:{'|'.join(KINDS)})(?: toy)?|toy"
_REMOVED: Final = re.compile(r"\b(remove|erase|delete|take away|get rid of|gone|take .* (off|out of))\b")
_SWAPPED: Final = (
    re.compile(r"\b(?:replace|swap|exchange|turn|change) (?P<old>.+?) (?:with|for|into|by|to) (?P<new>.+)"),
    re.compile(r"\b(?P<new>an? .+|glasses) (?:instead of|where) (?P<old>.+)"),
)
_ADDED: Final = re.compile(r"\b(add|insert|put|let there be|give|wears?|wearing|holds?|holding|with|see)\b")
_PUT_IN: Final = re.compile(r"\b(add|insert|let there be|in(to)? the (picture|scene)|see)\b")
_WEATHER: Final[Mapping[str, str]] = {
    "night": r"\b(night|dark)\b",
    "rain": r"\brain(s|y|ing)?\b",
    "snowfall": r"\b(let it snow|make it snow|snow fall|falling snow|snowfall|snowing|snowy weather)\b",
    "sunset": r"\b(sunset|sun set|sun go down|evening)\b",
    "day": r"\b(clear day|make it day|daylight|weather be clear|bright sky)\b",
}
_STYLES: Final[Mapping[str, str]] = {
    "pencil sketch": r"\b(pencil|sketch)\b",
    "watercolour": r"\bwatercolou?r\b",
    "pixel art": r"\bpixels?\b",
    "cartoon": r"\bcartoon\b",
    "photo": r"\bphoto(graph)?\b",
}
_MOODS: Final[Mapping[str, str]] = {
    "smiling": r"\b(smiles?|smiling|happy)\b",
    "sad": r"\bsad\b",
    "sleepy": r"\bsleepy\b",
    "screaming": r"\bscream(s|ing)?\b",
    "neutral": r"\b(calm|neutral)\b",
}
_PARTS: Final[Mapping[str, str]] = {
    "head": r"\b(head|face)\b",
    "accent": r"\b(limbs?|arms?|legs?|paws?|feet|ears?|tail)\b",
    "body": rf"\b(body|belly|tummy|{_TOY}|it)\b",
}
_PATTERNS: Final[Mapping[str, str]] = {name: rf"\b{name}\b" for name in PATTERNS}
_PLACES: Final[Mapping[str, str]] = {
    "beach": r"\bbeach\b",
    "city": r"\b(city|town)\b",
    "desert": r"\bdesert\b",
    "forest": r"\b(forest|woods)\b",
    "grass": r"\b(grass|meadow)\b",
    "library": r"\blibrary\b",
    "mountains": r"\bmountains?\b",
    "room": r"\broom\b",
    "sea": r"\b(sea|underwater)\b",
    "snow": r"\bsnow\b",
    "space": r"\bspace\b",
    "studio": r"\bstudio\b",
}


def edit_of(said: str, scene: Scene) -> Edit | None:
    """The edit of a picture of `scene` that an instruction asks for; None if it asks for none that the toybox knows.

    `scene` is the picture before, also of an addition. What an instruction takes away was there, whatever the scene
    says: a reader may have missed it.
    """
    text = normalised(said)
    for task, read in _READERS.items():
        found = read(text, scene)
        if found is not None and found[0] != found[1]:
            return Edit(task=task, before=found[0], after=found[1], instruction=said)
    return None


def _removal(text: str, scene: Scene) -> Change | None:
    if not _REMOVED.search(text) or scene.subject is None:
        return None
    if worn := _worn(text):
        return replace(scene, accessory=worn), replace(scene, accessory="none")
    return (scene, scene.without_subject()) if re.search(rf"\b({_TOY})\b", text) else None


def _swap(text: str, scene: Scene) -> Change | None:
    matches = (pattern.search(text) for pattern in _SWAPPED)
    found = next((match for match in matches if match is not None), None)
    if found is None or scene.subject is None:
        return None
    old, new = _worn(found["old"]), _worn(found["new"])
    if old and new:
        return replace(scene, accessory=old), replace(scene, accessory=new)
    toy = _toy(found["new"], scene.subject) if re.search(rf"\b({_TOY}|it)\b", found["old"]) else None
    return None if toy is None else (scene, replace(scene, subject=toy))


def _addition(text: str, scene: Scene) -> Change | None:
    if not _ADDED.search(text):
        return None
    if scene.subject is not None:
        worn = _worn(text)
        return None if worn is None else (replace(scene, accessory="none"), replace(scene, accessory=worn))
    toy = _toy(text, None) if _PUT_IN.search(text) else None
    return None if toy is None else (scene, replace(scene, subject=toy))


def _environment(text: str, scene: Scene) -> Change | None:
    weather = _first(_WEATHER, text)
    return None if weather is None or scene.place not in OUTDOORS else (scene, replace(scene, environment=weather))


def _style(text: str, scene: Scene) -> Change | None:
    style = _first(_STYLES, text)
    return None if style is None else (scene, replace(scene, style=style))


def _attribute(text: str, scene: Scene) -> Change | None:
    if scene.subject is None:
        return None
    if mood := _first(_MOODS, text):
        return scene, replace(scene, expression=mood)
    colour, part, pattern = _last_colour(text), _first(_PARTS, text), _first(_PATTERNS, text)
    if pattern is None and (colour is None or part is None):
        return None
    painted: Any = {"pattern": pattern} if pattern else {part: COLOURS[str(colour)]}
    return scene, replace(scene, subject=replace(scene.subject, **painted))


def _background(text: str, scene: Scene) -> Change | None:
    place = _first(_PLACES, text)
    if place is None:
        return None
    weather = scene.environment if place in OUTDOORS else "day"
    return scene, replace(scene, place=place, environment=weather)


_READERS: Final[Mapping[Task, Callable[[str, Scene], Change | None]]] = {
    "removal": _removal,
    "swap": _swap,
    "addition": _addition,
    "environment": _environment,
    "style": _style,
    "attribute": _attribute,
    "background": _background,
}
"""In the order in which they are tried: the first three have verbs of their own, the others share theirs."""


def _worn(text: str) -> Any:
    found = re.search(rf"\b({_WORN})\b", text)
    return None if found is None else found[1]


def _toy(text: str, old: Subject | None) -> Subject | None:
    """The toy that is named, in the colour that is named, or else in those of the one before."""
    kind, colour = re.search(rf"\b({'|'.join(KINDS)})\b", text), _last_colour(text)
    if kind is None:
        return None
    named: Any = {"kind": kind[1]}
    if colour is None and old is not None:
        return replace(old, **named)
    paint = COLOURS[colour or next(iter(COLOURS))]
    return Subject(**named, body=paint, head=paint, accent=paint)


def _last_colour(text: str) -> str | None:
    found: list[str] = re.findall(rf"\b({_COLOUR})\b", text)
    return found[-1] if found else None


def _first(words: Mapping[str, str], text: str) -> Any:
    """The first of these that a text has."""
    return next((name for name, pattern in words.items() if re.search(pattern, text)), None)
