"""Every registered student obeys its contract."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.diffusion.load import load_pipeline
from tutelage.students import EDITORS, FOLDERS, STUDENTS, student
from tutelage.students.base import Learner, Request
from tutelage.students.examples import make_batch
from tutelage.students.folder import pipeline_class
from tutelage.students.guidance import BOTH, Chain
from tutelage.students.settings import EditShape, EditTraining, SutiShape, SutiTraining

TOLD: dict[str, tuple[Any, Any, tuple[str, ...]]] = {
    "suti": (SutiShape(levels=(0, 1)), SutiTraining(demonstrations=1), ("tiny_sd", "tiny_sdxl")),
    "instruct-pix2pix": (EditShape(), EditTraining(), ("tiny_sd", "tiny_sdxl")),
    "concat-transformer": (EditShape(), EditTraining(), ("tiny_sd3",)),
    "controlnet": (EditShape(), EditTraining(), ("tiny_sd3",)),
    "editnet": (EditShape(), EditTraining(), ("tiny_sd3",)),
}
"""Student → shape, training and the fixtures of its bases."""
CASES = [(name, base) for name, (_, _, bases) in TOLD.items() for base in bases]


class Unguided:
    """The network is asked once, shown everything."""

    def chain(self, draw: float, time: float) -> Chain:
        return Chain(BOTH, ())


@pytest.fixture(params=CASES, ids="-".join)
def made(request: pytest.FixtureRequest) -> tuple[str, Learner]:
    name, base = request.param
    shape, training, _ = TOLD[name]
    return name, student(name).from_base(load_pipeline(request.getfixturevalue(base), "cpu"), shape, training)


def test_every_student_is_tried() -> None:
    assert set(TOLD) == set(STUDENTS) == set(FOLDERS.values())
    assert set(EDITORS) < set(STUDENTS)


def test_it_learns_draws_and_is_kept(made: tuple[str, Learner], make_triplet: Any, tmp_path: Path) -> None:
    name, begun = made
    triplets = [make_triplet(key, text="a red hat") for key in ("a", "b")]
    triplets = [type(one)(**(vars(one) | {"references": one.references[:1]})) for one in triplets]
    encoder = begun.encoder()
    assert encoder.bucket((32, 32)) in encoder.sizes
    examples = [encoder.example(one) for one in triplets]
    batch = make_batch(examples, TOLD[name][1], seed=0, step=0)
    assert torch.equal(begun.loss(batch), begun.loss(batch))
    begun.network.train()
    begun.loss(batch).backward()
    slopes = [p.grad for p in begun.network.parameters() if p.requires_grad]
    assert slopes
    assert all(slope is not None and torch.isfinite(slope).all() for slope in slopes)
    asked = [Request(text="a red hat", references=triplets[0].references, seed=seed) for seed in (1, 2, 1)]
    pictures = [p.tobytes() for made in begun.generate(asked, steps=1, guidance=Unguided(), batch=2) for p in made]
    assert pictures[0] == pictures[2] != pictures[1]
    begun.save(tmp_path / "student")
    assert FOLDERS[pipeline_class(tmp_path / "student")] == name
    again = student(name).load(tmp_path / "student", "cpu")
    [[picture]] = again.generate(asked[:1], steps=1, guidance=Unguided())
    assert picture.tobytes() == pictures[0]


def test_settings_of_students_are_light() -> None:
    """The command line shows them."""
    code = "import sys, tutelage.students, tutelage.students.settings; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
