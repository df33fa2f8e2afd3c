"""Prompts from a grammar: the toybox's own phrases around a subject, one or two skills at a time.

Every word but the subject's is of the toybox's vocabulary. A prompt for a toy reads exactly like a short caption
(`toybox.captions`), so the base generator has seen its like.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np

from tutelage.toybox.captions import ACCESSORY_WORDS, ENVIRONMENT_WORDS, PLACE_WORDS, STYLE_WORDS
from tutelage.toybox.scene import EXPRESSIONS, FACE_VIEWS, OUTDOORS, PLACES, VIEWS, Place

T = TypeVar("T")

TASK: Final = "imagine"
COMPOSED: Final = ("stylisation", "attribute", "accessory", "view")
"""The skills that a composition takes two of, in the order they are drawn: which views show a face depends on the rest.

A place is named anyway, so recontextualisation would add nothing.
"""
_STREAM: Final = 31
"""Word of the random keys."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a prompt says of its subject."""

    place: Place
    environment: str = ""
    style: str = ""
    view: str = ""
    expression: str = ""
    accessory: str = ""

    def sentence(self, subject: str) -> str:
        """The plan in words, such as "a sad bear toy wearing a crown in the snow at night"."""
        who = " ".join(filter(None, (self.expression, subject)))
        article = "an" if who[0].lower() in "aeiou" else "a"
        parts = (self.style, article, who, self.accessory, PLACE_WORDS[self.place], self.environment)
        return " ".join(filter(None, parts)) + (f", {self.view} view" if self.view else "")


def imagine(subject: str, skill: str, seed: int) -> str:
    """One prompt that asks for a skill of `triplet.SKILLS`; the same arguments give the same one.

    A place is always named, as in every caption the base has seen. With recontextualisation it is the point, and may
    have weather or a time of day.
    """
    rng = np.random.default_rng([_STREAM, seed])
    plan = Plan(place=_of(rng, PLACES))
    two = set(rng.choice(len(COMPOSED), 2, replace=False).tolist())
    composed = tuple(one for number, one in enumerate(COMPOSED) if number in two)
    for one in composed if skill == "composition" else (skill,):
        plan = _with(plan, one, rng)
    return plan.sentence(subject)


def answer(task: Mapping[str, Any], seed: int) -> str:
    """What the built-in language model answers to `imagine.request`."""
    return imagine(str(task["subject"]), str(task["skill"]), seed)


def _with(plan: Plan, skill: str, rng: np.random.Generator) -> Plan:
    if skill == "stylisation":
        return replace(plan, style=_of(rng, tuple(STYLE_WORDS.values())))
    if skill == "view":
        faces = VIEWS if not plan.expression else tuple(view for view in VIEWS if view in FACE_VIEWS)
        return replace(plan, view=_of(rng, tuple(view for view in faces if view != "front")))
    if skill == "attribute":
        return replace(plan, expression=_of(rng, tuple(mood for mood in EXPRESSIONS if mood != "neutral")))
    if skill == "accessory":
        return replace(plan, accessory=_of(rng, tuple(ACCESSORY_WORDS.values())))
    weather = plan.place in OUTDOORS and rng.random() < 0.5
    return replace(plan, environment=_of(rng, tuple(ENVIRONMENT_WORDS.values()))) if weather else plan


def _of(rng: np.random.Generator, choices: tuple[T, ...]) -> T:
    return choices[rng.integers(len(choices))]
