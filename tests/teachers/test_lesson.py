from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.diffusion.noise import keyed_generator
from tutelage.teachers.lesson import Lesson, cluster_latents
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Sampling, Training


@pytest.fixture(scope="module")
def model(tiny_sd: Path) -> Model:
    return Model.load(tiny_sd, "cpu", "fp32", Training(), Sampling())


def test_pictures_keep_their_aspect_ratio(model: Model, make_cluster: Any) -> None:
    latents = cluster_latents(model, make_cluster("a", sizes=((32, 32), (64, 32), (20, 40), (300, 300))))
    fold = model.pipeline.vae_scale_factor
    sizes = [(latent.shape[1] * fold, latent.shape[2] * fold) for latent in latents]
    assert sizes == [(32, 32), (16, 32), (32, 16), (32, 32)]


def test_batches_hold_one_size_and_repeat_late() -> None:
    """The last of three sizes has three pictures."""
    shapes = [(4, 8, 8), (4, 4, 8), (4, 8, 8), *[(4, 8, 4)] * 3]
    lesson = Lesson([torch.zeros(shape) for shape in shapes], lambda *_: None)  # type: ignore[arg-type, return-value]
    seen: list[int] = []
    for step in range(600):
        batch = lesson.draw(4, keyed_generator(step))
        assert len({shapes[number] for number in batch}) == 1
        assert len(set(batch)) == sum(shape == shapes[batch[0]] for shape in shapes)
        seen.append(batch[0])
    shares = [seen.count(number) / len(seen) for number in range(len(shapes))]
    assert min(shares) > 0.11
    assert max(shares) < 0.23


def test_batches_are_keyed() -> None:
    lesson = Lesson([torch.zeros(4, 8, 8)] * 5, lambda *_: None)  # type: ignore[arg-type, return-value]
    assert lesson.draw(3, keyed_generator(1)) == lesson.draw(3, keyed_generator(1))
    assert len({tuple(lesson.draw(3, keyed_generator(step))) for step in range(9)}) > 1
