"""Every registered teacher obeys its contract, with a base in the shape of Stable Diffusion and one of SDXL."""

import dataclasses
import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.errors import BadInput
from tutelage.teachers import TEACHERS, teacher
from tutelage.teachers.base import Teacher
from tutelage.teachers.settings import Sampling, Training
from tutelage.triplet import Assignment, Cluster, Triplet

QUICK: dict[str, Any] = {"training": Training(steps=2, batch=2, lr=2e-2), "sampling": Sampling(samples=2, steps=2)}
"""For teachers that have them."""
ADAMW = {"training": dataclasses.replace(QUICK["training"], optimiser="adamw")}
OWN: dict[str, dict[str, Any]] = {
    "fleet": ADAMW,
    "textual-inversion": ADAMW,
    "imagic": {"embedding": Training(steps=1, batch=1, lr=2e-2)},
}
"""Of one teacher."""
ROUNDING = {"fleet": 2}
"""Grey levels by which the company of other subjects may change a picture; nothing for who is not named."""

Make = Callable[..., Teacher]


def make(name: str, base: Path, **changes: Any) -> Teacher:
    kind: Any = teacher(name)
    fields = {field.name for field in dataclasses.fields(kind)}
    quick = {key: value for key, value in (QUICK | {"device": "cpu"}).items() if key in fields}
    made: Teacher = kind(**({"base": base, "seed": 0} | quick | OWN.get(name, {}) | changes))
    return made


def assigned(cluster: Cluster, *texts: str) -> list[Assignment]:
    skills = ("recontextualisation", "accessory")
    return [
        Assignment(id=f"{cluster.id}/{number:02d}", cluster=cluster, text=text, skill=skills[number % 2])
        for number, text in enumerate(texts)
    ]


@pytest.fixture
def assignments(make_cluster: Any) -> list[Assignment]:
    """Two of one cluster with one of another between them."""
    first, second = make_cluster("cluster-a"), make_cluster("cluster-b", sizes=((32, 32),) * 3)
    beach, crown = assigned(first, "a bear toy on the beach", "a bear toy wearing a crown")
    return [beach, *assigned(second, "a bear toy in the snow"), crown]


@pytest.fixture(params=sorted(TEACHERS))
def name(request: pytest.FixtureRequest) -> str:
    registered: str = request.param
    return registered


@pytest.fixture(params=["tiny_sd", "tiny_sdxl"])
def base(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_every_sample_of_every_assignment_cluster_by_cluster(
    name: str, base: Path, assignments: list[Assignment]
) -> None:
    """And they are the same alone, after another subject, and from another teacher with the same settings."""
    made = make(name, base)
    triplets = list(made.teach(assignments))
    beach, snow, crown = assignments
    order = [beach, beach, crown, crown, snow, snow]
    assert [t.id for t in triplets] == [f"{one.id}/{number % 2}" for number, one in enumerate(order)]
    for triplet, one in zip(triplets, order, strict=True):
        assert (triplet.text, triplet.skill, triplet.cluster) == (one.text, one.skill, one.cluster.id)
        assert (triplet.references, triplet.subject) == (one.cluster.references, one.cluster.subject)
        assert triplet.provenance.teacher == name == made.name
        assert Image.open(io.BytesIO(triplet.target)).format == "PNG"
    assert len({triplet.target for triplet in triplets}) == len(triplets)
    assert len({triplet.provenance.seed for triplet in triplets}) == len(triplets)
    assert_same(list(made.teach([snow])), triplets[4:], ROUNDING.get(name, 0))
    assert_same(list(make(name, base).teach([crown])), triplets[2:4], ROUNDING.get(name, 0))
    assert list(make(name, base).teach(assignments)) == triplets


def assert_same(some: Sequence[Triplet], others: Sequence[Triplet], levels: int) -> None:
    """Equal in all but their pictures, and in these up to so many grey levels; with none, in every byte."""
    if not levels:
        assert some == others
    for one, other in zip(some, others, strict=True):
        assert dataclasses.replace(one, target=b"") == dataclasses.replace(other, target=b"")
        assert abs(grey_levels(one) - grey_levels(other)).max() <= levels


def grey_levels(triplet: Triplet) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return np.asarray(Image.open(io.BytesIO(triplet.target))).astype(np.int64)


def test_pictures_depend_on_subject_and_seed(name: str, tiny_sd: Path, make_cluster: Any) -> None:
    """The noise of a sample is keyed by the assignment, so another subject under the same id shows what was learnt."""
    one = assigned(make_cluster("a"), "a bear toy on the beach")
    other = dataclasses.replace(one[0], cluster=dataclasses.replace(make_cluster("b"), id="a"))
    here = [list(make(name, tiny_sd).teach(task)) for task in (one, [other])]
    elsewhere = list(make(name, tiny_sd, seed=1).teach(one))
    assert here[0][0].provenance == here[1][0].provenance
    assert len({triplet.target for triplets in (*here, elsewhere) for triplet in triplets}) == 6


def test_triplets_come_as_they_are_made(name: str, tiny_sd: Path, assignments: list[Assignment]) -> None:
    """A broken second subject does not keep the first one's triplets back."""
    broken = dataclasses.replace(assignments[1].cluster.references[0].picture, data=b"no picture")
    reference = dataclasses.replace(assignments[1].cluster.references[0], picture=broken)
    cluster = dataclasses.replace(assignments[1].cluster, references=(reference,))
    alone = {"size": 1} if name == "fleet" else {}  # a fleet looks at all of its subjects first
    triplets = make(name, tiny_sd, **alone).teach(
        [assignments[0], dataclasses.replace(assignments[1], cluster=cluster)]
    )
    assert len(list(islice(triplets, 2))) == 2
    with pytest.raises(BadInput, match="cluster-b, picture 0 is no picture"):
        next(triplets)


def test_what_is_kept_grows_with_prompts_or_not_at_all(name: str, base: Path) -> None:
    made = make(name, base)
    none, one, two = (made.numbers_kept(prompts) for prompts in (0, 1, 2))
    assert 0 <= none <= one <= two
    assert (two - one) in (0, one)


def test_nothing_to_teach_makes_nothing(name: str, tiny_sd: Path) -> None:
    assert list(make(name, tiny_sd).teach([])) == []


def test_faults_are_told_before_anything_is_made(name: str, tiny_sd: Path, make_cluster: Any) -> None:
    [one] = assigned(make_cluster("a"), "a bear toy on the beach")
    twin = dataclasses.replace(one, id="b", cluster=make_cluster("b"))
    faults = {
        "two assignments are called a/00": [one, one],
        "two different clusters are called a": [one, dataclasses.replace(twin, cluster=make_cluster("a", subject="x"))],
        "cluster b has no pictures": [
            one,
            dataclasses.replace(twin, cluster=dataclasses.replace(twin.cluster, references=())),
        ],
    }
    for says, assignments in faults.items():
        with pytest.raises(BadInput, match=says):
            next(make(name, tiny_sd).teach(assignments))


def test_a_missing_base_is_answered(name: str, tmp_path: Path, assignments: list[Assignment]) -> None:
    with pytest.raises(BadInput, match="is not a folder"):
        next(make(name, tmp_path / "none").teach(assignments))


def test_an_unknown_name_is_answered() -> None:
    with pytest.raises(BadInput, match=r"no teacher 'dreamboth'\. Did you mean 'dreambooth'\?"):
        teacher("dreamboth")


def test_teachers_are_light_until_they_teach() -> None:
    """The command line shows their settings."""
    code = "import sys; from tutelage.teachers import *; [teacher(n) for n in TEACHERS]; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
