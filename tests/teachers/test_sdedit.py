"""SDEdit: how much is left of the picture, and what it is denoised towards."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.errors import BadInput
from tutelage.teachers.sdedit import SDEdit
from tutelage.teachers.settings import Sampling
from tutelage.triplet import Assignment, Reference, Triplet

SAMPLING = Sampling(samples=1, steps=10, guidance=1.0, scheduler="DDIMScheduler")


@pytest.fixture
def assignment(make_cluster: Any) -> Assignment:
    return Assignment(id="a/00", cluster=make_cluster("a"), text="a bear toy in the snow", skill="view")


def made(base: Path, **changes: Any) -> SDEdit:
    return SDEdit(**({"base": base, "sampling": SAMPLING, "device": "cpu"} | changes))


def one(teacher: SDEdit, assignment: Assignment) -> Triplet:
    [triplet] = teacher.teach([assignment])
    return triplet


def pixels(triplet: Triplet) -> Any:
    return np.asarray(Image.open(io.BytesIO(triplet.target))).astype(float)


def with_first(assignment: Assignment, reference: Reference) -> Assignment:
    cluster = dataclasses.replace(assignment.cluster, references=(reference,))
    return dataclasses.replace(assignment, cluster=cluster)


def test_the_more_noise_the_less_of_the_picture_is_left(tiny_sd: Path, assignment: Assignment) -> None:
    """How far the answers to two pictures are apart, which without noise are as far apart as the pictures."""
    first, _, third = assignment.cluster.references
    asked = [with_first(assignment, reference) for reference in (first, third)]
    apart = []
    for strength in (0.1, 0.5, 1.0):
        teacher = made(tiny_sd, strength=strength)
        here, there = (pixels(one(teacher, question)) for question in asked)
        apart.append(np.abs(here - there).mean())
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 0.5 * apart[0]


def test_it_starts_from_the_closest_picture_alone(tiny_sd: Path, assignment: Assignment) -> None:
    """Of three the third is captioned with the prompt; the others are not looked at."""
    third = assignment.cluster.references[2]
    assert third.caption == assignment.text
    every, alone = one(made(tiny_sd), assignment), one(made(tiny_sd), with_first(assignment, third))
    assert every.target == alone.target


def test_the_text_matters_and_nothing_is_kept(tiny_sd: Path, assignment: Assignment) -> None:
    teacher = made(tiny_sd, sampling=dataclasses.replace(SAMPLING, guidance=5.0))
    fixed = with_first(assignment, assignment.cluster.references[0])
    other = dataclasses.replace(fixed, text="a red hat")
    assert one(teacher, fixed).target != one(teacher, other).target
    assert teacher.numbers_kept(5) == 0


def test_pictures_of_other_sides_are_cut_to_the_bases(tiny_sd: Path, assignment: Assignment) -> None:
    wide = with_first(assignment, assignment.cluster.references[1])
    assert pixels(one(made(tiny_sd), wide)).shape == (32, 32, 3)
    sized = made(tiny_sd, sampling=dataclasses.replace(SAMPLING, size=(16, 32)))
    assert pixels(one(sized, wide)).shape == (16, 32, 3)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strength": 0.0}, "strength of SDEdit is 0"),
        ({"strength": 1.5}, "strength of SDEdit is 1.5"),
        ({"strength": 0.05}, "0.05 of 10 steps is no step"),
    ],
)
def test_numbers_out_of_range_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        made(Path(), **changes)
