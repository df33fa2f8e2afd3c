"""One step's batch of a fleet: what each expert draws, which of them share a pass, and their errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tutelage.diffusion.noise import denoising_target, error_weight, keyed_generator
from tutelage.teachers.lesson import Lesson, Words, encoded
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Training, Weighting


class Draw(NamedTuple):
    """Some pictures of one expert, all of one size."""

    clean: Tensor
    """Latents (B, C, h, w)."""
    words: Words
    noise: Tensor
    """(B, C, h, w)."""
    t: Tensor
    """Timesteps (B,)."""
    weight: float
    """Of the mean error on them."""


def drawn(model: Model, lesson: Lesson, training: Training, generator: torch.Generator) -> Draw:
    """The same numbers in the same order as `training.denoising_error` draws."""
    which = lesson.draw(training.batch, generator)
    clean = torch.stack([lesson.latents[number] for number in which])
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    levels = model.schedule.config.num_train_timesteps
    t = torch.randint(levels, (training.batch,), generator=generator).to(clean.device)
    return Draw(clean, lesson.told(which, generator), noise, t, lesson.weight)


def look(model: Model, lesson: Lesson, levels: int, seed: int, key: str) -> Draw:
    """The first picture at so many noise levels, evenly spaced; the noise is keyed by (seed, key)."""
    generator = keyed_generator(seed, key, "look")
    clean = lesson.latents[0].expand(levels, -1, -1, -1)
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    highest = model.schedule.config.num_train_timesteps
    t = ((torch.arange(levels) + 0.5) / levels * highest).long().to(clean.device)
    return Draw(clean, lesson.told([0] * levels, generator), noise, t, 1.0)


def by_shape(drawn_by: Mapping[int, Sequence[Draw]]) -> Iterator[tuple[list[int], list[list[Draw]]]]:
    """Yield passes: slots, and of each the draws of one size; all slots of a pass have equally many pictures in it."""
    passes: dict[tuple[int, ...], dict[int, list[Draw]]] = {}
    for slot, draws in drawn_by.items():
        sizes: dict[tuple[int, ...], list[Draw]] = {}
        for draw in draws:
            sizes.setdefault(tuple(draw.clean.shape[1:]), []).append(draw)
        for size, alike in sizes.items():
            rows = sum(len(draw.clean) for draw in alike)
            passes.setdefault((*size, rows), {})[slot] = alike
    for together in passes.values():
        yield list(together), list(together.values())


def errors(model: Model, draws: Sequence[Sequence[Draw]], weighting: Weighting) -> Tensor:
    """Eq. 4 for each expert (E,): the weighted sum, over its draws, of the mean over their pictures."""
    every = [draw for own in draws for draw in own]
    clean, noise = (torch.cat([draw[part] for draw in every]) for part in (0, 2))  # type: ignore[misc]
    t = torch.cat([draw.t for draw in every])
    with model.autocast():
        words = encoded(model, [draw.words for draw in every])
    said = model.said(model.schedule.add_noise(clean, noise, t), t, words)
    square = (said - denoising_target(model.schedule, clean, noise, t)).square().mean((1, 2, 3))
    shares = torch.cat([torch.full((len(draw.t),), draw.weight / len(draw.t)) for draw in every]).to(square.device)
    return (square * error_weight(model.schedule, t, weighting) * shares).view(len(draws), -1).sum(1)
