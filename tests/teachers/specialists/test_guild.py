"""All specialists as one teacher."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tutelage.errors import BadInput
from tutelage.segmentation.masks import Masks
from tutelage.teachers.specialists import specialist
from tutelage.teachers.specialists.filling import Filling
from tutelage.teachers.specialists.guild import guild
from tutelage.teachers.specialists.settings import Drawing
from tutelage.triplet import EDITS, Assignment, Order


def told(cluster: Any, task: str, number: int, phrase: str = "") -> Assignment:
    order = Order(phrase=phrase, caption="a blue bear toy")
    return Assignment(id=f"{cluster.id}/{number}", cluster=cluster, text="do it", skill=task, order=order)


def test_each_task_goes_to_its_specialist_and_order_is_kept(tiny_sd: Path, make_cluster: Any) -> None:
    made = guild(tiny_sd, Drawing(steps=1, guidance=1.0), Masks())
    first, second = make_cluster("a"), make_cluster("b")
    assignments = [told(first, "style", 0), told(second, "environment", 0), told(first, "environment", 1)]
    triplets = list(made.teach(assignments))
    assert [(one.id, one.provenance.teacher) for one in triplets] == [
        ("a/0/0", "style"),
        ("a/1/0", "environment"),
        ("b/0/0", "environment"),
    ]
    assert list(made.teach(assignments[1:2])) == triplets[2:]


def test_what_the_guild_decides_is_filled_in() -> None:
    made = guild("here", Drawing(batch=6, samples=2), Masks())
    assert {made.specialist(task).base for task in ("swap", "style")} == {"here"}
    assert made.at_once == 7 * 3
    assert made.numbers_kept(4) == 0


def test_a_branch_is_told_once_to_those_that_inpaint() -> None:
    """And who has one of its own keeps it."""
    plain = guild("here", Drawing(), Masks())
    inpaint = {task for task in EDITS if issubclass(specialist(task), Filling)}
    assert inpaint == {"swap", "removal", "addition", "background"}
    assert {getattr(plain.specialist(task), "branch", "") for task in EDITS} == {""}
    told = replace(plain, branch="net", swap=replace(plain.swap, branch="own"))
    branches = {task: told.specialist(task).branch for task in inpaint}  # type: ignore[attr-defined]
    assert branches == {"swap": "own", "removal": "net", "addition": "net", "background": "net"}
    assert not any(hasattr(told.specialist(task), "branch") for task in set(EDITS) - inpaint)


def test_a_strange_task_is_answered(make_cluster: Any) -> None:
    with pytest.raises(BadInput, match="no specialist for 'accessory'"):
        next(guild("none", Drawing(), Masks()).teach([told(make_cluster("a"), "accessory", 0)]))
