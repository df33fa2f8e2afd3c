"""Orders for edits from a grammar: what the built-in language model knows of them.

A caption of the toybox is read back as a scene, one change is drawn (`toybox.edits`), and the scene after it is said
again, at the caption's own level.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from tutelage.toybox.captions import Level, caption
from tutelage.toybox.edits import Edit, Task, possible_tasks, random_edit
from tutelage.toybox.reading_back import scene_of
from tutelage.toybox.scene import Scene, colour_name

TASK: Final = "order"
TRIES: Final = 16
"""Changes drawn before a caption is said not to allow one."""
_STREAM: Final = 32
"""Word of the random keys."""

PARTS: Final[Mapping[str, str]] = {
    "head": "its head",
    "body": "its body",
    "accent": "its limbs and its body",
    "pattern": "its body",
}
"""Attribute of a toy → what of it shows the attribute."""
LEVELS: Final[tuple[Level, ...]] = ("full", "short")


def answer(task: Mapping[str, Any], seed: int) -> str:
    """What the built-in language model answers to `edit_orders.request`: JSON, or nothing if the edit is impossible."""
    said, wanted = str(task["caption"]), str(task["edit"])
    scene = scene_of(said)
    level = None if scene is None else next((one for one in LEVELS if caption(scene, one) == said), None)
    if scene is None or level is None:
        return ""
    rng = np.random.default_rng([_STREAM, seed])
    edits = (_edit(wanted, scene, rng) for _ in range(TRIES))
    edit = next((one for one in edits if one is not None and _sayable(one, level)), None)
    return "" if edit is None else json.dumps(told(edit, level))


def told(edit: Edit, level: Level = "full") -> dict[str, str]:
    """The order for an edit of a scene; an addition's is that of the removal it is made from."""
    made = edit.before if edit.task == "addition" else edit.after
    new_toy = edit.task == "swap" and _kind(edit.before) != _kind(edit.after)
    said = caption(made, "full" if new_toy else level)  # its colours are the instruction's
    return {"phrase": phrase_of(edit), "caption": said, "fill": said, "instruction": edit.instruction}


def phrase_of(edit: Edit) -> str:
    """What of the picture is masked for an edit: what changes, or, for another background, what stays."""
    if edit.task in ("environment", "style"):
        return ""
    shown = edit.after if edit.task == "addition" else edit.before
    other = edit.before if edit.task == "addition" else edit.after
    if edit.task == "attribute":
        return next((part for name, part in PARTS.items() if _paint(shown, name) != _paint(other, name)), "its head")
    if edit.task != "background" and shown.accessory != other.accessory and _kind(shown) == _kind(other):
        return f"the {shown.accessory}"
    return f"the {_kind(shown)} toy"


def _edit(task: str, scene: Scene, rng: np.random.Generator) -> Edit | None:
    """A change that the task makes to a picture of the scene, or None if it has none to offer."""
    if scene.subject is None and task in ("addition", "background"):
        return None
    if task == "addition":
        return _addition(scene, rng)
    known: tuple[Task, ...] = possible_tasks(scene)
    return next((random_edit(one, scene, rng) for one in known if one == task), None)


def _addition(scene: Scene, rng: np.random.Generator) -> Edit:
    """A removal, read backwards."""
    forwards = random_edit("removal", scene, rng)
    assert scene.subject is not None
    toy = f"{colour_name(scene.subject.body)} {scene.subject.kind} toy"
    thing = toy if forwards.after.subject is None else scene.accessory
    article = "" if thing == "glasses" else "an " if thing[0] in "aeiou" else "a "
    return replace(forwards, task="addition", before=forwards.after, after=scene, instruction=f"add {article}{thing}")


def _sayable(edit: Edit, level: Level) -> bool:
    """Whether a caption of this level shows the change: a short one names no colours and no pattern."""
    if level == "full":
        return True
    if edit.task == "addition":
        return edit.before.subject is not None
    return edit.task != "attribute" or caption(edit.before, level) != caption(edit.after, level)


def _kind(scene: Scene) -> str:
    return "" if scene.subject is None else scene.subject.kind


def _paint(scene: Scene, name: str) -> Any:
    return getattr(scene.subject, name)
