"""Imagic's three steps."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.noise import keyed_generator
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.teachers.closest import closest
from tutelage.teachers.imagic import Imagic, _between, _lesson
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.teachers.training import denoising_error
from tutelage.triplet import Assignment

LEARNING = Training(steps=30, batch=2, optimiser="adamw", lr=2e-2)


@pytest.fixture
def assignment(make_cluster: Any) -> Assignment:
    return Assignment(id="a/00", cluster=make_cluster("a"), text="a bear toy in the snow", skill="view")


def made(base: Path, **changes: Any) -> Imagic:
    quick: dict[str, Any] = {"embedding": Training(steps=1, batch=1, lr=1e-2), "training": Training(steps=1, batch=1)}
    return Imagic(**({"base": base, "sampling": Sampling(samples=1, steps=2), "device": "cpu"} | quick | changes))


@pytest.mark.parametrize("kind", ["tiny_sd", "tiny_sdxl"])
def test_the_embedding_is_learnt_and_the_network_is_not(
    request: pytest.FixtureRequest, kind: str, assignment: Assignment
) -> None:
    """Step A: the picture is told better than by the prompt, with the base as it was."""
    teacher = made(request.getfixturevalue(kind), embedding=LEARNING)
    before = {name: value.clone() for name, value in teacher._model.pipeline.unet.state_dict().items()}
    picture, target = teacher._picture(assignment), teacher._target(assignment.text)
    found = teacher._described(picture, target, "a/00")

    @torch.no_grad()
    def error(words: TextConditions) -> float:
        draws = [keyed_generator(n, "held out") for n in range(8)]
        return sum(float(denoising_error(teacher._model, _lesson(picture, words), LEARNING, draw)) for draw in draws)

    assert error(found) < error(target)
    assert not found.hidden.requires_grad
    assert (found.pooled is None) == (target.pooled is None)
    after = teacher._model.pipeline.unet.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_eta_goes_from_the_picture_to_the_prompt() -> None:
    """Eq. 3."""
    target = TextConditions(torch.full((1, 2, 3), 4.0), torch.full((1, 3), 2.0))
    found = TextConditions(torch.zeros(1, 2, 3), torch.ones(1, 3))
    quarter = _between(target, found, 0.25)
    assert torch.equal(quarter.hidden, torch.full((1, 2, 3), 1.0))
    assert quarter.pooled is not None
    assert torch.equal(quarter.pooled, torch.full((1, 3), 1.25))
    for eta, end in ((0.0, found), (1.0, target)):
        assert torch.equal(_between(target, found, eta).hidden, end.hidden)


@pytest.mark.parametrize("changes", [{}, {"lora": Lora(rank=2)}])
def test_every_prompt_starts_from_the_base(tiny_sd: Path, assignment: Assignment, changes: dict[str, Any]) -> None:
    """Whatever was asked before; and afterwards the base is there again."""
    training = Training(steps=2, batch=1, lr=1e-1)
    teacher = made(tiny_sd, training=training, **changes)
    other = dataclasses.replace(assignment, id="a/01", text="a red hat")
    [alone] = teacher.teach([other])
    _, after = teacher.teach([assignment, other])
    assert after == alone
    fresh, now = load_pipeline(tiny_sd, "cpu").unet.state_dict(), teacher._model.pipeline.unet.state_dict()
    assert fresh.keys() == now.keys()
    assert all(torch.equal(value, now[name]) for name, value in fresh.items())


def test_every_setting_makes_another_picture(tiny_sd: Path, assignment: Assignment) -> None:
    strong = Training(steps=3, batch=1, lr=1e-1)
    ways: list[dict[str, Any]] = [
        {"training": strong},
        {"training": strong, "embedding": strong},
        {"training": strong, "embedding": strong, "eta": 0.0},
        {"training": strong, "embedding": strong, "lora": Lora(rank=2)},
    ]
    targets = [next(iter(made(tiny_sd, **way).teach([assignment]))).target for way in ways]
    assert len(set(targets)) == len(ways)


def test_the_closest_picture_is_the_one_whose_caption_says_the_same(tiny_sd: Path, make_cluster: Any) -> None:
    teacher, cluster = made(tiny_sd), make_cluster("a")
    for number, reference in enumerate(cluster.references):
        same = Assignment(id=f"a/{number}", cluster=cluster, text=reference.caption, skill="view")
        assert closest(teacher._model.pipeline, same) == number


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
def test_eta_is_a_share(eta: float) -> None:
    with pytest.raises(BadInput, match="eta of Imagic"):
        Imagic(base="", eta=eta)
