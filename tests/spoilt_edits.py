"""True edits of the toybox as specialists of a crawl would make them, spoilt in the ways in which these fail."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from tutelage.diffusion.pictures import png
from tutelage.toybox.captions import caption
from tutelage.toybox.edits import Edit, random_edit
from tutelage.toybox.pairs import Pairs
from tutelage.toybox.render import render
from tutelage.toybox.scene import ACCESSORIES, PLACES, Scene
from tutelage.triplet import Picture, Provenance, Reference, Triplet

FAULTS: Final = ("none", "idle", "other", "more", "blurred")
"""As it should be; nothing was done; another edit of the task; something else changed too; out of focus."""


def found(edit: Edit) -> Scene:
    """What the crawl's picture shows: of an addition what comes after."""
    return edit.after if edit.task == "addition" else edit.before


def made(edit: Edit, fault: str, seed: int = 0) -> Scene:
    """What is shown in place of the other scene."""
    right, given = (edit.before, edit.after) if edit.task == "addition" else (edit.after, edit.before)
    if fault == "idle":
        return given
    if fault == "other":
        return _other(edit, right, seed)
    if fault == "more":
        if edit.task == "background" and right.subject is not None:
            return replace(right, accessory=next(one for one in ACCESSORIES[1:] if one != right.accessory))
        place = next(one for one in PLACES[seed % 7 :] if one not in (right.place, given.place))
        return replace(right, place=place, environment="day")
    return right


def triplet(edit: Edit, number: int, fault: str = "none", size: tuple[int, int] = (128, 128)) -> Triplet:
    """A pair as a specialist leaves it, with the address of the picture that was found."""
    picture = Image.fromarray(np.asarray(render(made(edit, fault, number), size)[0]))
    if fault == "blurred":
        picture = picture.filter(ImageFilter.GaussianBlur(size[0] / 40))
    drawn, given = png(picture), png(Image.fromarray(np.asarray(render(found(edit), size)[0])))
    source, target = (drawn, given) if edit.task == "addition" else (given, drawn)
    kept = Picture(data=source, url=url(number))
    return Triplet(
        id=f"{number:04d}/{FAULTS.index(fault)}/0",
        target=target,
        text=edit.instruction,
        references=(Reference(picture=kept, caption=caption(edit.before)),),
        subject="toy",
        skill=edit.task,
        cluster=f"{number:04d}",
        provenance=Provenance(teacher=edit.task, base="", seed=number),
        caption=caption(edit.after),
    )


def url(number: int) -> str:
    """Address of the picture that edit `number` is of."""
    return f"https://toys.example/{number}.png"


def write_labels(path: Path, edits: Iterable[tuple[int, Edit]]) -> Path:
    """The labels of a crawl that has these pictures, one a page."""
    lines = []
    for number, edit in edits:
        scene = dataclasses.asdict(found(edit))
        image = {"url": url(number), "subject": number, "scene": scene, "fault": None}
        lines.append(json.dumps({"page": number, "page_url": url(number), "kind": "cluster", "images": [image]}))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def toys(count: int, first: int = 0) -> list[tuple[int, Edit]]:
    """Edits of toys, by number; the seven tasks take turns."""
    pairs = Pairs(count=first + count)
    every = ((number, pairs.edit(number)) for number in range(first, first + count))
    return [(number, edit) for number, edit in every if found(edit).subject is not None]


def _other(edit: Edit, right: Scene, seed: int) -> Scene:
    """Another edit of the same picture by the same task, of the same kind where there are two."""
    shown = found(edit)
    for at in range(100):
        one = random_edit(edit.task, shown, np.random.default_rng([seed, at]))
        scene = one.before if edit.task == "addition" else one.after
        if scene not in (right, shown) and found(one) == shown:
            return scene
    return shown
