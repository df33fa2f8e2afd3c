"""What a specialist is told: a picture read back as a scene of the toybox, and an instruction as an edit of it."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tutelage.errors import BadInput
from tutelage.mining.edit_grammar import told
from tutelage.mining.edit_reading import edit_of
from tutelage.toybox.captions import caption
from tutelage.toybox.edits import Task, possible_tasks, random_edit
from tutelage.toybox.scene import COLOURS, OUTDOORS, Scene, Subject
from tutelage.triplet import EDITS, Assignment, Cluster, Order, Picture, Reference

if TYPE_CHECKING:
    from tutelage.toybox.masks import Segmenter
    from tutelage.toybox.reader import Reader

SHOWN: Final = "shown"
"""Id of the cluster of a picture that somebody brought."""
LEAST: Final = 0.01
"""Share of a picture from which a toy is in it."""


def order_of(source: bytes, instruction: str, device: str) -> Assignment:
    """What the specialist for an instruction is told of a picture.

    Raises:
        BadInput: the instruction is none of the seven tasks, or the one that cannot be done to a picture as it is.
    """
    scene = scene_of(source, device)
    edit = edit_of(instruction, scene)
    if edit is None:
        raise BadInput(
            f"It reads the picture as “{caption(scene)}”, and in the instruction none of {', '.join(EDITS)} of it."
        )
    if edit.task == "addition":
        raise BadInput(
            "Additions are removals read backwards: this specialist takes things away from pictures that have them, "
            "and so makes pairs to learn from. It cannot add to a picture."
        )
    words = told(edit)
    reference = Reference(picture=Picture(data=source, url="picture"), caption=caption(edit.before))
    return Assignment(
        id=f"{SHOWN}/00",
        cluster=Cluster(id=SHOWN, subject=reference.caption, references=(reference,)),
        text=instruction,
        skill=edit.task,
        order=Order(phrase=words["phrase"], caption=words["caption"], fill=words["fill"]),
    )


def suggestion(source: bytes, task: str, number: int, device: str) -> str:
    """Instruction `number` of a task that fits a picture.

    Raises:
        BadInput: the picture does not allow the task.
    """
    import numpy as np

    scene = scene_of(source, device)
    possible: dict[str, Task] = {name: name for name in possible_tasks(scene)}
    if task not in possible:
        raise BadInput(f"{task} has nothing to change in this picture, “{caption(scene)}”; choose another task")
    made = (random_edit(possible[task], scene, np.random.default_rng([number, again])) for again in range(20))
    fits = (edit for edit in made if task != "addition" or edit.before.subject is not None or scene.subject is None)
    return next(fits).instruction


@lru_cache(maxsize=32)
def scene_of(source: bytes, device: str) -> Scene:
    """What a picture shows, as the shipped reader and segmenter see it."""
    from tutelage.diffusion.pictures import decode

    picture = decode(source, "the picture")
    reader, segmenter = _eyes(device)
    [reading], [toy] = reader.read([picture]), segmenter.mask([picture], "the toy")
    return _scene(reading.values, there=bool(toy.mean() >= LEAST))


def _scene(seen: dict[str, str], *, there: bool) -> Scene:
    place: Any = seen["scene"]
    where: Any = {"place": place, "style": seen["style"]}
    where["environment"] = seen["environment"] if place in OUTDOORS else "day"
    if not there:
        return Scene(subject=None, **where)
    looks: Any = {part: COLOURS[seen[part]] for part in ("body", "head", "accent")}
    looks |= {"kind": seen["kind"], "pattern": seen["pattern"]}
    worn: Any = {name: seen[name] for name in ("view", "accessory", "expression")}
    return Scene(subject=Subject(**looks), **where, **worn)


@lru_cache(maxsize=1)
def _eyes(device: str) -> "tuple[Reader, Segmenter]":
    from tutelage.toybox.masks import Segmenter
    from tutelage.toybox.reader import Reader

    return Reader.load(device=device), Segmenter.load(device=device)
