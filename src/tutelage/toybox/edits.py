"""Edits whose truth is known: one change to a `Scene`, the words that ask for it, and the pixels it may touch.

The tasks are the seven of OmniEdit. Both pictures are rendered from descriptions, so whatever lies outside the mask is
the same in both, byte for byte.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tutelage.errors import BadInput, did_you_mean
from tutelage.toybox.captions import PLACE_WORDS
from tutelage.toybox.render import Size, footprint, frame_size
from tutelage.toybox.sampling import random_subject
from tutelage.toybox.scene import (
    ACCESSORIES,
    COLOURS,
    ENVIRONMENTS,
    EXPRESSIONS,
    FACE_VIEWS,
    KINDS,
    OUTDOORS,
    PATTERNS,
    PLACES,
    STYLES,
    Environment,
    Expression,
    Scene,
    Style,
    Subject,
    colour_name,
)

Task = Literal["swap", "removal", "addition", "attribute", "background", "environment", "style"]
TASKS: Final[tuple[Task, ...]] = get_args(Task)

TOUCHED: Final[dict[str, frozenset[str]]] = {
    "body": frozenset({"body"}),
    "head": frozenset({"head"}),
    "accent": frozenset({"limbs", "body"}),
    "pattern": frozenset({"body"}),
    "expression": frozenset({"head"}),
}
"""Attribute → labels of the parts it paints. Patterns and belly patches on the body are in the accent colour."""

ENVIRONMENT_ORDERS: Final[dict[Environment, str]] = {
    "day": "make it a clear day",
    "night": "make it night",
    "rain": "make it rain",
    "snowfall": "let it snow",
    "sunset": "make the sun set",
}
EXPRESSION_ORDERS: Final[dict[Expression, str]] = {
    "neutral": "look calm",
    "smiling": "smile",
    "sad": "look sad",
    "sleepy": "look sleepy",
    "screaming": "scream",
}
STYLE_ORDERS: Final[dict[Style, str]] = {
    "photo": "turn it into a photo",
    "pencil sketch": "turn it into a pencil sketch",
    "watercolour": "turn it into a watercolour painting",
    "pixel art": "turn it into pixel art",
    "cartoon": "turn it into a cartoon",
}

Choice = TypeVar("Choice")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One change: the scene before it, the scene after it, and the words that ask for it."""

    task: Task
    before: Scene
    after: Scene
    instruction: str


def edit_mask(edit: Edit, size: Size = 128) -> NDArray[np.bool_]:
    """Every pixel (H, W) the edit may change; outside it the two renders are equal byte for byte.

    An environment or a style changes the whole frame. A background spares what lies inside the toy by more than the
    style carries a change. The other tasks touch the parts concerned in either picture, and with the toy its shadow.

    Raises:
        BadInput: `size` is not one `render` accepts.
    """
    if edit.task in ("environment", "style"):
        return np.ones(frame_size(size), np.bool_)
    if edit.task == "background":
        return _carried(footprint(edit.before, frozenset({"background"}), size), edit.before.style)
    labels = _labels(edit.before, edit.after)
    touched = footprint(edit.before, labels, size) | footprint(edit.after, labels, size)
    return _carried(touched, edit.before.style)


def random_edit(task: Task, scene: Scene, rng: np.random.Generator) -> Edit:
    """An edit of a task that `scene` allows, its details drawn from `rng`.

    `scene` is the picture before, except when something is added to a toy: what is added may have been in `scene`, and
    then it is missing before and `scene` is the picture after.

    Raises:
        BadInput: there is no such task, or the scene does not allow it (`possible_tasks` tells which it does).
    """
    if task not in TASKS:
        raise BadInput(f"no edit task '{task}'.{did_you_mean(task, TASKS)} The tasks are {', '.join(TASKS)}")
    if task not in possible_tasks(scene):
        why = f"a {scene.place} has no weather" if task == "environment" else "nobody is there"
        raise BadInput(f"task '{task}' is impossible: {why}; this scene allows {', '.join(possible_tasks(scene))}")
    before, after, instruction = _MAKERS[task](scene, rng)
    return Edit(task=task, before=before, after=after, instruction=instruction)


def possible_tasks(scene: Scene) -> tuple[Task, ...]:
    """The tasks a scene allows: an empty place has nothing to change but itself, and indoors there is no weather."""
    impossible: set[Task] = set() if scene.place in OUTDOORS else {"environment"}
    if scene.subject is None:
        impossible |= {"swap", "removal", "attribute"}
    return tuple(task for task in TASKS if task not in impossible)


def _labels(before: Scene, after: Scene) -> frozenset[str] | None:
    """Labels of the parts in which two scenes of one place and style differ; None is the toy and its shadow."""
    if before.subject is None or after.subject is None or before.subject.kind != after.subject.kind:
        return None
    touched = {before.accessory, after.accessory} if before.accessory != after.accessory else set()
    labels = set(touched - {"none"}) | ({"head"} if "glasses" in touched else set())  # glasses hide the eyes
    for name in ("body", "head", "accent", "pattern"):
        if getattr(before.subject, name) != getattr(after.subject, name):
            labels |= TOUCHED[name]
    return frozenset(labels | (TOUCHED["expression"] if before.expression != after.expression else set()))


def _carried(mask: NDArray[np.bool_], style: Style) -> NDArray[np.bool_]:
    """The mask with a margin for strokes: under about 100 pixels their width is rounded up to whole pixels."""
    return mask if style == "photo" else np.asarray(ndimage.maximum_filter(mask, 5), np.bool_)


def _swap(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Scene, str]:
    old = _present(scene)
    if scene.accessory != "none" and rng.random() < 0.3:
        worn = _other(ACCESSORIES[1:], scene.accessory, rng)
        return scene, replace(scene, accessory=worn), _swap_words(scene.accessory, _a(worn), rng)
    new = random_subject(rng, _other(KINDS, old.kind, rng))
    return scene, replace(scene, subject=new), _swap_words(f"{old.kind} toy", _a(_toy(new)), rng)


def _removal(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Scene, str]:
    toy = scene.accessory == "none" or rng.random() < 0.35
    what = f"{_present(scene).kind} toy" if toy else scene.accessory
    words = _one_of((f"remove the {what}", f"take away the {what}", f"take the {what} out of the picture"), rng)
    return scene, _without(scene, toy), words


def _addition(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Scene, str]:
    if scene.subject is None:
        subject = random_subject(rng)
        return scene, replace(scene, subject=subject), _addition_words(_toy(subject), rng)
    if rng.random() < 0.35:
        return _without(scene, toy=True), scene, _addition_words(_toy(scene.subject), rng)
    worn = scene.accessory if scene.accessory != "none" else _other(ACCESSORIES, "none", rng)
    return _without(scene, toy=False), replace(scene, accessory=worn), _addition_words(worn, rng)


def _without(scene: Scene, toy: bool) -> Scene:
    return scene.without_subject() if toy else replace(scene, accessory="none")


def _attribute(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Scene, str]:
    subject, name = _present(scene), _one_of(tuple(_visible_attributes(scene)), rng)
    if name == "expression":
        mood = _other(EXPRESSIONS, scene.expression, rng)
        return scene, replace(scene, expression=mood), f"make the {subject.kind} toy {EXPRESSION_ORDERS[mood]}"
    if name == "pattern":
        pattern = _other(PATTERNS, subject.pattern, rng)
        return scene, replace(scene, subject=replace(subject, pattern=pattern)), f"make its body {pattern}"
    taken = {colour_name(getattr(subject, part)) for part in _must_differ(name)}
    colour = _one_of(tuple(c for c in COLOURS if c not in taken), rng)
    repainted: Any = {name: COLOURS[colour]}
    order = _one_of(("make its {} {}", "change the colour of its {} to {}", "paint its {} {}"), rng)
    after = replace(scene, subject=replace(subject, **repainted))
    return scene, after, order.format("limbs" if name == "accent" else name, colour)


def _visible_attributes(scene: Scene) -> Iterator[str]:
    """What can be changed so that it shows: a cape hides the body's back, and only some views show the face."""
    yield from ("head", "accent")
    if not (scene.view == "back" and scene.accessory == "cape"):
        yield from ("body", "pattern")
    if scene.view in FACE_VIEWS:
        yield "expression"


def _must_differ(name: str) -> tuple[str, ...]:
    """The parts whose colours a repainted part may not take: its own, and patterns need two."""
    return ("head",) if name == "head" else ("body", "accent")


def _background(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Scene, str]:
    """Another place, one with weather if there is some: rain stays where it was."""
    places = PLACES if scene.environment == "day" else tuple(place for place in PLACES if place in OUTDOORS)
    place = _other(places, scene.place, rng)
    who = "it" if scene.subject is None else f"the {scene.subject.kind} toy"
    orders = (f"put {who} {{}}", "change the background: {}", "make it look as if taken {}")
    order = _one_of(orders if scene.subject else orders[1:], rng)
    return scene, replace(scene, place=place), order.format(PLACE_WORDS[place])


def _environment(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Scene, str]:
    environment = _other(ENVIRONMENTS, scene.environment, rng)
    return scene, replace(scene, environment=environment), ENVIRONMENT_ORDERS[environment]


def _style(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Scene, str]:
    style = _other(STYLES, scene.style, rng)
    return scene, replace(scene, style=style), STYLE_ORDERS[style]


_MAKERS: Final[dict[Task, Callable[[Scene, np.random.Generator], tuple[Scene, Scene, str]]]] = {
    "swap": _swap,
    "removal": _removal,
    "addition": _addition,
    "attribute": _attribute,
    "background": _background,
    "environment": _environment,
    "style": _style,
}


def _present(scene: Scene) -> Subject:
    if scene.subject is None:  # `random_edit` asked `possible_tasks` before
        raise AssertionError("an edit of a toy needs a toy")
    return scene.subject


def _toy(subject: Subject) -> str:
    return f"{colour_name(subject.body)} {subject.kind} toy"


def _a(thing: str) -> str:
    if thing == "glasses":
        return thing
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _swap_words(old: str, new: str, rng: np.random.Generator) -> str:
    return _one_of((f"replace the {old} with {new}", f"swap the {old} for {new}", f"turn the {old} into {new}"), rng)


def _addition_words(thing: str, rng: np.random.Generator) -> str:
    return _one_of((f"add {_a(thing)}", f"put {_a(thing)} in the picture", f"let there be {_a(thing)}"), rng)


def _one_of(choices: Sequence[Choice], rng: np.random.Generator) -> Choice:
    return choices[int(rng.integers(len(choices)))]


def _other(choices: Sequence[Choice], current: Choice, rng: np.random.Generator) -> Choice:
    return _one_of([choice for choice in choices if choice != current], rng)
