"""Random subjects and scenes, every one from a seed of its own, so that item 7 is item 7 whatever came before it."""

from dataclasses import replace

import numpy as np

from tutelage.toybox.scene import (
    ACCESSORIES,
    COLOUR_JITTER,
    COLOURS,
    ENVIRONMENTS,
    EXPRESSIONS,
    KINDS,
    OUTDOORS,
    PATTERNS,
    PLACES,
    STYLES,
    VIEWS,
    Colour,
    Kind,
    Scene,
    Subject,
    colour_name,
)

TRAIN, HELD_OUT = 0, 1
"""The two worlds of subjects: no seed of one is ever drawn in the other."""


def subject_at(index: int, *, split: int = TRAIN, seed: int = 0, kind: Kind | None = None) -> Subject:
    """Subject number `index` of a split; `kind` forces the kind and leaves everything else as drawn."""
    return random_subject(np.random.default_rng([split, seed, index]), kind)


def scene_at(subject: Subject, index: int, view: int, *, split: int = TRAIN, seed: int = 0) -> Scene:
    """Picture number `view` of subject number `index`."""
    return random_scene(np.random.default_rng([split, seed, index, view + 1]), subject)


def random_subject(rng: np.random.Generator, kind: Kind | None = None) -> Subject:
    """A toy of any kind, with three colours of which the torso's differs from the accent's (so patterns show)."""
    drawn = KINDS[rng.integers(len(KINDS))]
    body, head, accent = (_random_colour(rng) for _ in range(3))
    while colour_name(accent) == colour_name(body):
        accent = _random_colour(rng)
    return Subject(
        kind=kind or drawn,
        body=body,
        head=head,
        accent=accent,
        pattern=PATTERNS[rng.integers(len(PATTERNS))],
        belly=bool(rng.random() < 0.3),
        head_size=float(rng.uniform(0.88, 1.12)),
        width=float(rng.uniform(0.88, 1.12)),
        height=float(rng.uniform(0.9, 1.1)),
        ears=float(rng.uniform(0.85, 1.2)),
        limbs=float(rng.uniform(0.85, 1.15)),
    )


def random_scene(rng: np.random.Generator, subject: Subject | None) -> Scene:
    """A picture of `subject` with everything else drawn: a good third front views, half photos, a third bare-headed."""
    place = PLACES[rng.integers(len(PLACES))]
    weather = place in OUTDOORS and rng.random() < 0.5
    return Scene(
        subject=subject,
        place=place,
        view="front" if rng.random() < 0.3 else VIEWS[rng.integers(len(VIEWS))],
        accessory="none" if rng.random() < 0.2 else ACCESSORIES[rng.integers(len(ACCESSORIES))],
        expression=EXPRESSIONS[rng.integers(len(EXPRESSIONS))],
        environment=ENVIRONMENTS[rng.integers(1, len(ENVIRONMENTS))] if weather else "day",
        style="photo" if rng.random() < 0.5 else STYLES[rng.integers(len(STYLES))],
        layout=int(rng.integers(2**31)),
        x=float(rng.uniform(-0.10, 0.10)),
        scale=float(rng.uniform(0.98, 1.12)),
    )


def plain_scene(subject: Subject, layout: int = 0) -> Scene:
    """The catalogue picture of a toy: front view in the studio, nothing worn."""
    return replace(Scene(subject=subject), layout=layout)


def _random_colour(rng: np.random.Generator) -> Colour:
    names = tuple(COLOURS)
    centre = COLOURS[names[rng.integers(len(names))]]
    red, green, blue = (float(np.clip(c + rng.uniform(-COLOUR_JITTER, COLOUR_JITTER), 0, 1)) for c in centre)
    return red, green, blue
