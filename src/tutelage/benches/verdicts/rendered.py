"""Triplets of held-out toys with one fault each, the truth about them exact.

A question of the toybox bench (`subjects.questions`) becomes five triplets: the target as it was asked for, another toy
of its kind, one named attribute changed, one artefact, and a demonstration given back as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from PIL import Image

from tutelage.benches.heldout import draw
from tutelage.benches.subjects.examiner import other_toys
from tutelage.benches.subjects.questions import Question, SubjectsBench, questions
from tutelage.benches.verdicts.artefacts import ARTEFACTS
from tutelage.benches.verdicts.truth import Truth
from tutelage.diffusion.pictures import png
from tutelage.toybox.captions import caption, named
from tutelage.toybox.oracle import damage, likeness
from tutelage.toybox.render import render
from tutelage.toybox.scene import ATTRIBUTES, OUTDOORS, Scene, describe
from tutelage.triplet import Picture, Provenance, Reference, Triplet

NONE, SUBJECT, TEXT, COPY = "none", "subject", "text", "copy"
FIELDS: Final[dict[str, str]] = {"scene": "place"}
"""Attribute → the field of a scene that holds it, where it is called otherwise."""
_FAULT: Final = 61
"""First word of the random keys."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A triplet, the truth about it, and what is wrong with it."""

    triplet: Triplet
    truth: Truth
    fault: str
    """`none`, `subject`, `copy`, `text: view` and the like, `artefact: blur` and the like."""


def rendered_items(bench: SubjectsBench, workers: int = 2) -> list[Item]:
    """Five items for each question, question by question."""
    asked = questions(bench)
    shown = _demonstrations(asked, workers)
    strangers = [_stranger(question, bench) for question in asked]
    changed = [_changed(question, at, bench.seed) for at, question in enumerate(asked)]
    wrong = [scene for scene, _ in changed]
    drawn = draw([*(one.target for one in asked), *strangers, *wrong], workers).images
    clean, other, unasked = np.split(drawn, 3)
    items = []
    for at, question in enumerate(asked):
        demonstrations = shown[question.toy]
        parts = (
            (NONE, clean[at], question.target),
            (SUBJECT, other[at], strangers[at]),
            (f"{TEXT}: {changed[at][1]}", unasked[at], wrong[at]),
            (*_damaged(question, at, clean[at], bench.seed), question.target),
            (COPY, None, question.demonstrations[at % len(demonstrations)]),
        )
        items += [_item(question, demonstrations, *part) for part in parts]
    return items


def _item(question: Question, shown: Sequence[Reference], fault: str, image: Any, scene: Scene) -> Item:
    """The item whose target is `image`, or the demonstration that shows `scene`, and shows `scene`."""
    at = question.demonstrations.index(scene) if image is None else 0
    target = shown[at].picture.data if image is None else png(Image.fromarray(image))
    seen = describe(scene)
    spoilt = fault.startswith("artefact")
    truth = Truth(
        alike=likeness(question.subject, scene.subject),
        followed={name: seen.get(name) == value for name, value in named(question.target, "short").items()},
        damage=damage(image, scene) if spoilt else 0.0,
        copied=fault == COPY,
    )
    return Item(triplet=_triplet(question, shown, fault, target), truth=truth, fault=fault)


def _triplet(question: Question, shown: Sequence[Reference], fault: str, target: bytes) -> Triplet:
    return Triplet(
        id=f"{question.id}/{fault}",
        target=target,
        text=question.text,
        references=tuple(shown),
        subject=f"{question.subject.kind} toy",
        skill=question.skill,
        cluster=question.toy,
        provenance=Provenance(teacher="renders", base="", seed=0),
    )


def _demonstrations(asked: Sequence[Question], workers: int) -> dict[str, list[Reference]]:
    """Toy → its demonstrations as files with captions."""
    toys = {question.toy: question.demonstrations for question in asked}
    images = iter(draw([scene for scenes in toys.values() for scene in scenes], workers).images)
    return {
        toy: [
            Reference(picture=Picture(data=png(Image.fromarray(next(images)))), caption=caption(scene, "short"))
            for scene in scenes
        ]
        for toy, scenes in toys.items()
    }


def _stranger(question: Question, bench: SubjectsBench) -> Scene:
    """What was asked for, with another toy of the kind."""
    others = other_toys(question.subject.kind, bench)
    return replace(question.target, subject=others[question.number // len(ATTRIBUTES["kind"]) % len(others)])


def _changed(question: Question, at: int, seed: int) -> tuple[Scene, str]:
    """What was asked for with one named attribute changed, and which."""
    rng = np.random.default_rng([_FAULT, seed, question.number, at])
    names = [name for name in named(question.target, "short") if name != "kind"]
    name = names[rng.integers(len(names))]
    field = FIELDS.get(name, name)
    others = [value for value in ATTRIBUTES[name] if value != getattr(question.target, field)]
    changes: dict[str, Any] = {field: others[rng.integers(len(others))]}
    scene = replace(question.target, **changes)
    return (scene if scene.place in OUTDOORS else replace(scene, environment="day")), name


def _damaged(question: Question, at: int, clean: Any, seed: int) -> tuple[str, Any]:
    """The clean picture with an artefact; the faults take turns."""
    kind = list(ARTEFACTS)[at % len(ARTEFACTS)]
    rng = np.random.default_rng([_FAULT, seed, question.number, at, 1])
    _, mask = render(question.target, clean.shape[:2])
    return f"artefact: {kind}", ARTEFACTS[kind](clean, mask, float(rng.random()), rng)
