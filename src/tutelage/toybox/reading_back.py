"""A caption → the scene that it describes: the way back of `captions.caption`. Two captions → what changes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from tutelage.toybox.captions import ACCESSORY_WORDS, EMPTY, ENVIRONMENT_WORDS, PLACE_WORDS, STYLE_WORDS
from tutelage.toybox.scene import COLOURS, EXPRESSIONS, KINDS, OUTDOORS, PATTERNS, VIEWS, Scene, Subject

UNSAID: Final = "grey"
"""Colour of what a caption does not paint."""

_COLOUR = "|".join(COLOURS)
_WHO: Final = re.compile(
    rf"an? (?:(?P<expression>{'|'.join(EXPRESSIONS)}) )?(?:(?P<body>{_COLOUR}) )?"
    rf"(?:(?P<pattern>{'|'.join(PATTERNS)}) )?"
    rf"(?P<kind>{'|'.join(KINDS)}) toy"
    rf"(?: with an? (?P<head>{_COLOUR}) head(?: and (?P<accent>{_COLOUR}) limbs)?)?"
)
_SEEN: Final = ("place", "view", "accessory", "expression", "environment", "style")
"""Fields of a scene that captions name, besides who is there."""
_PAINTED: Final = ("body", "head", "accent", "pattern")


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


def changed(scene: Scene, before: Scene, after: Scene) -> Scene:
    """`scene` changed the way that leads from one caption's scene to another's.

    What the captions do not tell apart stays as `scene` has it; a toy of another kind comes as the caption has it.
    """
    new = _new(_SEEN, before, after)
    if before.subject is None or after.subject is None:
        new.pop("view", None)  # no caption names the view of nobody
    made = replace(scene, subject=_changed_toy(scene.subject, before.subject, after.subject), **new)
    made = made if made.place in OUTDOORS else replace(made, environment="day")
    return made if made.subject is not None else made.without_subject()


def _changed_toy(toy: Subject | None, before: Subject | None, after: Subject | None) -> Subject | None:
    if before is None or after is None or before.kind != after.kind:
        return toy if before == after else after
    return None if toy is None else replace(toy, **_new(_PAINTED, before, after))


def _new(names: Sequence[str], before: object, after: object) -> dict[str, Any]:
    """Those of the fields that differ, as they are afterwards."""
    told = {name: getattr(after, name) for name in names}
    return {name: value for name, value in told.items() if value != getattr(before, name)}


def _peopled(who: str, fields: dict[str, Any]) -> Scene | None:
    """With the toy that the rest of the words describes."""
    if who == EMPTY:
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
