"""Small generators."""

from collections.abc import Callable
from dataclasses import replace
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
def tiny_editor(tiny_sd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that looks at a picture."""
    from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline

    folder = tmp_path_factory.mktemp("models") / "tiny-editor"
    parts = StableDiffusionPipeline.from_pretrained(tiny_sd).components
    StableDiffusionImg2ImgPipeline(**parts, requires_safety_checker=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def quick_experts():
    from tutelage.generators.experts import ExpertSettings
    from tutelage.teachers.settings import Prior, Sampling, Training

    training, sampling = Training(steps=2, batch=2, optimiser="adamw", lr=2e-2), Sampling(samples=3, steps=2)
    each = dict.fromkeys(("training", "word_training", "embedding", "editing"), training)
    return ExpertSettings(**each, sampling=sampling, prior=Prior(pictures=1))


@pytest.fixture(scope="session")
def generators(tiny_sd: Path, tiny_student: Path, tiny_editor: Path, quick_experts) -> dict[str, Callable]:
    """Name → (folder of pictures) → a generator of that name."""
    from tutelage.benches.subjects.questions import SubjectsBench
    from tutelage.editing.settings import NullText
    from tutelage.generators.answering import BESIDE
    from tutelage.generators.command import ToyboxBench
    from tutelage.generators.fewer import Fewer
    from tutelage.generators.given import Images, Renders
    from tutelage.generators.networks import Student
    from tutelage.generators.pipelines import Pipeline

    quick = {"experts": quick_experts, "tuning": quick_experts.training, "steps": 2, "device": "cpu"}
    told = ToyboxBench(base=str(tiny_sd), student=str(tiny_student), **quick)
    made = {name: lambda _, name=name: BESIDE[name](told) for name in BESIDE}
    made["null-text"] = lambda _: replace(BESIDE["null-text"](told), null_text=NullText(guidance=3.0, tries=1))
    made["student"] = lambda _: Student(model=tiny_student, steps=2, device="cpu")
    made["student-1"] = lambda _: Fewer(generator=Student(model=tiny_student, steps=2, device="cpu"), demonstrations=1)
    made["re-imagen"] = lambda _: replace(told, beside=(), student=None, re_imagen=str(tiny_student)).generators()[0]
    made["pipeline"] = lambda _: Pipeline(model=tiny_editor, argument="image", steps=2, device="cpu")
    made["renders"] = lambda _: Renders(bench=SubjectsBench(subjects=2))
    made["images"] = lambda folder: Images(folder=folder)
    return made
