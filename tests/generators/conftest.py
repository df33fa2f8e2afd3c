"""Small generators."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def tiny_student(tiny_sd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's folder whose new layers do something."""
    from tutelage.diffusion.load import load_pipeline
    from tutelage.students.settings import SutiShape
    from tutelage.students.suti import Suti

    suti = Suti.from_base(load_pipeline(tiny_sd, "cpu"), SutiShape(levels=(0, 1)))
    torch.manual_seed(3)
    for layer in suti.network.attention.layers.values():
        torch.nn.init.normal_(layer.to_out.weight, std=0.3)
    folder = tmp_path_factory.mktemp("students") / "tiny"
    suti.save(folder)
    return folder


@pytest.fixture(scope="session")
def quick_experts():
    from tutelage.generators.experts import ExpertSettings
    from tutelage.teachers.settings import Sampling, Training

    training = Training(steps=2, batch=2, lr=2e-2)
    return ExpertSettings(training=training, word_training=training, sampling=Sampling(samples=3, steps=2))


@pytest.fixture(scope="session")
def generators(tiny_sd: Path, tiny_student: Path, quick_experts) -> dict[str, Callable]:
    """Name → (folder of pictures) → a generator of that name."""
    from tutelage.benches.subjects.questions import SubjectsBench
    from tutelage.generators.command import BESIDE, ToyboxBench
    from tutelage.generators.given import Images, Renders
    from tutelage.generators.networks import Student

    told = ToyboxBench(base=str(tiny_sd), experts=quick_experts, steps=2, device="cpu")
    made = {name: lambda _, name=name: BESIDE[name](told) for name in BESIDE}
    made["student"] = lambda _: Student(model=tiny_student, steps=2, device="cpu")
    made["renders"] = lambda _: Renders(bench=SubjectsBench(subjects=2))
    made["images"] = lambda folder: Images(folder=folder)
    return made
