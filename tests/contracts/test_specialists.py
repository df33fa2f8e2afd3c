"""Every registered specialist obeys the contract of teachers, with a base in the shape of Stable Diffusion and SDXL."""

import dataclasses
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.errors import BadInput
from tutelage.segmentation.masks import Masks
from tutelage.teachers.specialists import SPECIALISTS, specialist
from tutelage.teachers.specialists.base import Specialist
from tutelage.teachers.specialists.settings import Drawing
from tutelage.triplet import EDITS, Assignment, Cluster, Order

WHOLE = ("environment", "style")
"""Tasks without a mask."""
ABSENT = "nobody"


@pytest.fixture(autouse=True)
def left_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a phrase names is in the left half of the picture, but for `ABSENT`."""

    def of(_: Masks, image: Image.Image, phrase: str, __: str = "auto") -> Any:
        return None if phrase == ABSENT else np.arange(image.width)[None].repeat(image.height, 0) < image.width // 2

    monkeypatch.setattr(Masks, "of", of)


@pytest.fixture(params=sorted(SPECIALISTS))
def task(request: pytest.FixtureRequest) -> str:
    registered: str = request.param
    return registered


@pytest.fixture(params=["tiny_sd", "tiny_sdxl"])
def base(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def make(task: str, base: Path, **changes: Any) -> Specialist:
    quick = {"drawing": Drawing(steps=2, samples=2, guidance=3.0), "device": "cpu", "dilation": 0.0}
    return specialist(task)(base=base, **quick | changes)


def assigned(task: str, cluster: Cluster, phrase: str = "the hat", number: int = 0) -> Assignment:
    order = Order(
        phrase="" if task in WHOLE else phrase,
        caption="a blue bear toy in the snow",
        fill="a blue hat",
        wordings=("do it",),
    )
    return Assignment(id=f"{cluster.id}/{number:02d}", cluster=cluster, text="make it so", skill=task, order=order)


def pixels(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_there_is_one_for_every_task() -> None:
    assert set(SPECIALISTS) == set(EDITS)


def test_every_sample_of_every_assignment(task: str, base: Path, make_cluster: Any) -> None:
    """And they are the same alone, and from another specialist with the same settings."""
    wide = make_cluster("a", sizes=((48, 24),))
    assignments = [assigned(task, wide), assigned(task, make_cluster("b")), assigned(task, wide, number=1)]
    triplets = list(make(task, base).teach(assignments))
    order = [assignments[at] for at in (0, 0, 2, 2, 1, 1)]
    assert [one.id for one in triplets] == [f"{one.id}/{at % 2}" for at, one in enumerate(order)]
    for made, one in zip(triplets, order, strict=True):
        assert (made.text, made.skill, made.cluster) == (one.text, task, one.cluster.id)
        assert made.wordings == ("do it",)
        assert made.provenance.teacher == task
        assert len(made.references) == 1
    assert len({made.provenance.seed for made in triplets}) == len(triplets)
    assert list(make(task, base).teach(assignments[1:2])) == triplets[4:]


def test_a_pair_is_of_one_size_and_differs_inside_its_mask_alone(task: str, base: Path, make_cluster: Any) -> None:
    [made, *_] = make(task, base).teach([assigned(task, make_cluster("a", sizes=((48, 24),)))])
    source, target = pixels(made.references[0].picture.data), pixels(made.target)
    assert source.shape == target.shape
    assert source.shape[1] > source.shape[0]
    assert not np.array_equal(source, target)
    assert bool(made.mask) == (task not in WHOLE)
    if made.mask:
        outside = pixels(made.mask)[..., 0] < 128
        assert outside.any()
        assert np.array_equal(source[outside], target[outside])


def test_captions_and_origins_go_with_their_pictures(task: str, tiny_sd: Path, make_cluster: Any) -> None:
    cluster = make_cluster("a")
    [made, *_] = make(task, tiny_sd).teach([assigned(task, cluster)])
    said = (made.references[0].caption, made.caption)
    expected = ("a red bear toy", "a blue bear toy in the snow")
    assert said == (expected[::-1] if task == "addition" else expected)
    assert made.references[0].picture.url == cluster.references[0].picture.url


def test_noise_follows_the_seed(task: str, tiny_sd: Path, make_cluster: Any) -> None:
    one = assigned(task, make_cluster("a"))
    pairs = [next(make(task, tiny_sd, seed=seed).teach([one])) for seed in (0, 1)]
    assert len({(pair.references[0].picture.data, pair.target) for pair in pairs}) == 2


def test_a_phrase_that_is_not_there_gives_nothing(task: str, tiny_sd: Path, make_cluster: Any) -> None:
    if task in WHOLE:
        pytest.skip("it asks for no mask")
    one, other = assigned(task, make_cluster("a"), phrase=ABSENT), assigned(task, make_cluster("b"))
    made = list(make(task, tiny_sd).sets([one, other]))
    assert [len(some) for some in made] == [0, 2]


def test_faults_are_told_before_anything_is_made(task: str, tiny_sd: Path, make_cluster: Any) -> None:
    one = assigned(task, make_cluster("a"))
    mute = dataclasses.replace(one.cluster.references[0], caption="")
    faults = {
        "assignment a/00 has no order": [dataclasses.replace(one, order=None)],
        "cluster a: its picture has no caption": [
            dataclasses.replace(one, cluster=dataclasses.replace(one.cluster, references=(mute,)))
        ],
        "two assignments are called a/00": [one, one],
    }
    for says, assignments in faults.items():
        with pytest.raises(BadInput, match=says):
            next(make(task, tiny_sd).teach(assignments))
    with pytest.raises(BadInput, match="give shares up to"):
        make(task, tiny_sd, dilation=0.7)


def test_nothing_is_kept_and_nothing_makes_nothing(task: str, tiny_sd: Path) -> None:
    made = make(task, tiny_sd)
    assert made.numbers_kept(3) == 0
    assert list(made.teach([])) == []


def test_an_unknown_task_is_answered() -> None:
    with pytest.raises(BadInput, match=r"no specialist 'swop'\. Did you mean 'swap'\?"):
        specialist("swop")


def test_specialists_are_light_until_they_teach() -> None:
    """The command line shows their settings."""
    code = (
        "import sys; from tutelage.teachers.specialists import *; [specialist(n) for n in SPECIALISTS];"
        "import tutelage.teachers.specialists.guild; print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
