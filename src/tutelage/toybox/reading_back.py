"""A caption → the scene that it describes: the way back of `captions.caption`."""

import re
from typing import Any, Final

from tutelage.toybox.captions import ACCESSORY_WORDS, ENVIRONMENT_WORDS, PLACE_WORDS, STYLE_WORDS
from tutelage.toybox.scene import COLOURS, EXPRESSIONS, KINDS, PATTERNS, VIEWS, Scene, Subject

UNSAID: Final = "grey"
"""Colour of what a caption does not paint."""

_COLOUR = "|".join(COLOURS)
_WHO: Final = re.compile(
    rf"an? (?:(?P<expression>{'|'.join(EXPRESSIONS)}) )?(?:(?P<body>{_COLOUR}) )?"
    rf"(?:(?P<pattern>{'|'.join(PATTERNS)}) )?"
    rf"(?P<kind>{'|'.join(KINDS)}) toy"
    rf"(?: with an? (?P<head>{_COLOUR}) head(?: and (?P<accent>{_COLOUR}) limbs)?)?"
)
_EMPTY: Final = "an empty place"


def scene_of(said: str) -> Scene | None:
    """The scene of a toybox caption, full or short; None if it is not in the toybox's words.

    What the caption leaves out is as `captions.SILENT` has it, and colours that it leaves out are `UNSAID`.

    >>> scene_of("a red bear toy with a blue head and green limbs wearing a crown in the snow at night").place
    'snow'
    """
    text, _, tail = said.partition(", ")
    fields: dict[str, Any] = {}
    for style, phrase in STYLE_WORDS.items():
        if text.startswith(f"{phrase} "):
            text, fields["style"] = text.removeprefix(f"{phrase} "), style
    for weather, phrase in ENVIRONMENT_WORDS.items():
        if text.endswith(f" {phrase}"):
            text, fields["environment"] = text.removesuffix(f" {phrase}"), weather
    place = next((name for name, phrase in PLACE_WORDS.items() if text.endswith(f" {phrase}")), None)
    view = tail.removesuffix(" view") or "front"
    if place is None or view not in VIEWS:
        return None
    return _peopled(text.removesuffix(f" {PLACE_WORDS[place]}"), fields | {"place": place, "view": view})


def _peopled(who: str, fields: dict[str, Any]) -> Scene | None:
    """With the toy that the rest of the words describes."""
    if who == _EMPTY:
        return Scene(subject=None, **fields)
    for worn, phrase in ACCESSORY_WORDS.items():
        if who.endswith(f" {phrase}"):
            who, fields["accessory"] = who.removesuffix(f" {phrase}"), worn
    found = _WHO.fullmatch(who)
    if found is None:
        return None
    said = {name: value for name, value in found.groupdict().items() if value}
    paints = {part: COLOURS[said.get(part, UNSAID)] for part in ("body", "head", "accent")}
    looks: dict[str, Any] = {"kind": said["kind"], "pattern": said.get("pattern", "plain"), **paints}
    if "expression" in said:
        fields["expression"] = said["expression"]
    return Scene(subject=Subject(**looks), **fields)
