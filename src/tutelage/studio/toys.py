"""Toys to pick, and prompts to try: what a first look needs no pictures of one's own for."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element

from tutelage.benches.subjects.questions import SubjectsBench, held_out_toy, questions_of
from tutelage.mining.describe import by_rule
from tutelage.mining.grammar import imagine
from tutelage.report.markup import el, fragment
from tutelage.studio.pictures import Pictures
from tutelage.triplet import Picture, Reference

TOYS: Final = 12
"""One of each kind; no training has seen them."""
SHOWN: Final = SubjectsBench(demonstrations=5)
SIDE: Final = 128
A_TOY: Final = "bear toy"


@lru_cache(TOYS)
def toy(number: int) -> tuple[Reference, ...]:
    """Five captioned pictures of held-out toy `number`."""
    from tutelage.toybox.captions import caption
    from tutelage.toybox.pictures import png
    from tutelage.toybox.render import render

    scenes = questions_of(number, SHOWN)[0].demonstrations
    return tuple(
        Reference(picture=Picture(data=png(render(scene, SIDE)[0]), url=f"toy {number}, {at}"), caption=caption(scene))
        for at, scene in enumerate(scenes)
    )


def toy_name(number: int) -> str:
    """Such as `bear toy`."""
    return f"{held_out_toy(number, SHOWN.seed).kind} toy"


def picker(pictures: Pictures) -> str:
    """A button for each toy."""
    return fragment(el("div", [_button(number, pictures) for number in range(TOYS)], class_="toys"))


def subject_name(references: Sequence[Reference]) -> str:
    """What the captions call their subject; a toy where they name none."""
    return by_rule([("", reference.caption) for reference in references]) or A_TOY


def prompt_for(skill: str, name: str, number: int) -> str:
    """Prompt `number` that asks for a skill of a subject of that name."""
    return imagine(name, skill, number)


def _button(number: int, pictures: Pictures) -> Element:
    image = el("img", src=pictures.url(toy(number)[0].picture.data), alt=toy_name(number))
    return el("button", image, type="button", data_value=str(number), title=toy_name(number))
