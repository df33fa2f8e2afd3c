"""Scene → words. A full caption names every colour and the pattern; a short one reads like a prompt and names none."""

import re
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from tutelage.diffusion.words import first_said
from tutelage.toybox.scene import (
    COLOURS,
    EXPRESSIONS,
    KINDS,
    PATTERNS,
    VIEWS,
    Accessory,
    Environment,
    Expression,
    Place,
    Scene,
    Style,
    describe,
)

Level = Literal["full", "short"]

PLACE_WORDS: Final[dict[Place, str]] = {
    "beach": "on the beach",
    "city": "in the city",
    "desert": "in the desert",
    "forest": "in the forest",
    "grass": "on the grass",
    "library": "in a library",
    "mountains": "in the mountains",
    "room": "in a room",
    "sea": "under the sea",
    "snow": "in the snow",
    "space": "in space",
    "studio": "in a studio",
}
ACCESSORY_WORDS: Final[dict[Accessory, str]] = {
    "hat": "wearing a hat",
    "crown": "wearing a crown",
    "scarf": "wearing a scarf",
    "glasses": "wearing glasses",
    "cape": "wearing a cape",
    "balloon": "holding a balloon",
}
ENVIRONMENT_WORDS: Final[dict[Environment, str]] = {
    "night": "at night",
    "rain": "in the rain",
    "snowfall": "in falling snow",
    "sunset": "at sunset",
}
EMPTY: Final = "an empty place"
"""In place of a toy, where nobody is."""
STYLE_WORDS: Final[dict[Style, str]] = {
    "pencil sketch": "a pencil sketch of",
    "watercolour": "a watercolour painting of",
    "pixel art": "pixel art of",
    "cartoon": "a cartoon of",
}
PHRASES: Final[dict[str, dict[str, str]]] = {
    "kind": {kind: kind for kind in KINDS},
    "scene": {str(place): words for place, words in PLACE_WORDS.items()},
    "view": {view: f"{view} view" for view in VIEWS},
    "accessory": {str(worn): words for worn, words in ACCESSORY_WORDS.items()},
    "expression": {mood: mood for mood in EXPRESSIONS if mood != "neutral"},
    "environment": {str(weather): words for weather, words in ENVIRONMENT_WORDS.items()},
    "style": {str(style): words for style, words in STYLE_WORDS.items()},
}
"""Attribute → value → the words for it."""
SILENT: Final = frozenset({"plain", "none", "neutral", "day", "photo"})
"""Values that go without saying: no caption names them."""


def caption(scene: Scene, level: Level = "full") -> str:
    """The sentence for a scene, always the same one.

    >>> caption(Scene(subject=None, place="snow"))
    'an empty place in the snow'
    """
    who = _subject_words(scene, level)
    where = [PLACE_WORDS[scene.place]]
    if scene.environment != "day":
        where.append(ENVIRONMENT_WORDS[scene.environment])
    style = [STYLE_WORDS[scene.style]] if scene.style != "photo" else []
    sentence = " ".join([*style, *who, *where])
    named_view = scene.subject is not None and (level == "full" or scene.view != "front")
    return f"{sentence}, {scene.view} view" if named_view else sentence


def named(scene: Scene, level: Level = "full") -> dict[str, str]:
    """Attribute → value for what `caption` says of a scene: what a picture made from it can be held to."""
    said = {attribute: value for attribute, value in describe(scene).items() if value not in SILENT}
    if level == "short":
        said = {a: v for a, v in said.items() if a not in ("body", "head", "accent", "pattern")}
        if scene.view == "front":
            said.pop("view", None)
    return said


def spoken(sentence: str) -> dict[str, str]:
    """Attribute → value for what a sentence in these words asks for, colours and patterns left out.

    The inverse of `caption`, as far as `named` goes at the level "short". Of several values of an attribute the one
    said first counts.

    >>> spoken("a sad bear toy wearing a crown in the snow")
    {'kind': 'bear', 'scene': 'snow', 'accessory': 'crown', 'expression': 'sad'}
    """
    found = {}
    for attribute, phrases in PHRASES.items():
        values = {phrase: value for value, phrase in phrases.items()}
        if said := first_said(values, sentence):
            found[attribute] = values[said]
    return found


def varied_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A caption for training: either level, and now and then without a colour or something else seen."""
    level: Level = "full" if rng.random() < 0.65 else "short"
    expression: Expression = "neutral" if rng.random() < 0.08 else scene.expression
    accessory: Accessory = "none" if rng.random() < 0.05 else scene.accessory
    environment: Environment = "day" if rng.random() < 0.05 else scene.environment
    said = replace(scene, expression=expression, accessory=accessory, environment=environment)
    sentence = caption(said, level)
    dropped = rng.random()
    if dropped < 0.06:
        return re.sub(r" with an? \w+ head and \w+ limbs", "", sentence)
    return re.sub(r" and \w+ limbs", "", sentence) if dropped < 0.15 else sentence


def vocabulary() -> list[str]:
    """Every word a caption can hold, sorted: what the toybox text encoder knows."""
    phrases = [*PLACE_WORDS.values(), *ACCESSORY_WORDS.values(), *ENVIRONMENT_WORDS.values(), *STYLE_WORDS.values()]
    phrases += [*COLOURS, *EXPRESSIONS, *KINDS, *PATTERNS, *VIEWS, "a an with and toy head limbs view empty place"]
    return sorted({word for phrase in phrases for word in phrase.split()} - {"neutral", "plain"} | {",", "photo", "of"})


def _subject_words(scene: Scene, level: Level) -> list[str]:
    seen = describe(scene)
    if scene.subject is None:
        return [EMPTY]
    words = [seen[name] for name in ("expression",) if seen.get(name, "neutral") != "neutral"]
    if level == "full":
        words += [seen["body"]] + ([seen["pattern"]] if seen["pattern"] != "plain" else [])
    words += [scene.subject.kind, "toy"]
    words = [_article(words[0]), *words]
    if level == "full":
        words += ["with", _article(seen["head"]), seen["head"], "head", "and", seen["accent"], "limbs"]
    if scene.accessory != "none":
        words.append(ACCESSORY_WORDS[scene.accessory])
    return words


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
