"""Trains the experts of a fleet: Eq. 4 of SuTI for each, in one batch; the loss is the sum of theirs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tutelage.diffusion.noise import denoising_target, error_weight, keyed_generator
from tutelage.diffusion.text import TextConditions
from tutelage.teachers.lesson import Lesson
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Training
from tutelage.teachers.stacked_lora import Stack
from tutelage.teachers.training import make_optimiser

Draw = tuple[Tensor, TextConditions, Tensor, Tensor]
"""Of one expert's step: clean latents, text, noise, timesteps."""


def train_fleet(
    model: Model, lessons: Sequence[Lesson], stack: Stack, training: Training, seed: int, keys: Sequence[str]
) -> list[bool]:
    """Fit each expert's adapters to its lesson, in place; says which experts stayed finite.

    All randomness is keyed by (seed, key, step), as for an expert that is trained alone.
    """
    parameters = stack.parameters()
    optimiser = make_optimiser(parameters, training)
    sound = torch.ones(len(lessons), dtype=torch.bool, device=model.pipeline.device)
    for step in range(training.steps):
        draws = [
            _drawn(model, lesson, training, keyed_generator(seed, key, step, "train"))
            for lesson, key in zip(lessons, keys, strict=True)
        ]
        for experts in _of_one_size(draws):
            stack.active = torch.tensor(experts, device=model.pipeline.device)
            error = _errors(model, [draws[expert] for expert in experts], training).sum()
            error.backward()  # type: ignore[no-untyped-call]
        sound &= clip_each(parameters, training.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    finite: list[bool] = sound.tolist()
    return finite


def clip_each(parameters: Sequence[nn.Parameter], limit: float) -> Tensor:
    """Scale each expert's gradient to a norm of at most `limit`; says (K,) whose are finite. Others become zero."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    squares = torch.stack([gradient.square().flatten(1).sum(1) for gradient in gradients]).sum(0)
    finite = squares.isfinite()
    scale = (limit / (squares.sqrt() + 1e-6)).clamp(max=1.0)  # as torch.nn.utils.clip_grad_norm_ has it
    for gradient in gradients:
        shape = (-1, *[1] * (gradient.dim() - 1))
        gradient.copy_(torch.where(finite.view(shape), gradient * scale.view(shape), 0.0))
    return finite


def _drawn(model: Model, lesson: Lesson, training: Training, generator: torch.Generator) -> Draw:
    """The same numbers in the same order as `training.denoising_error` draws."""
    which = lesson.draw(training.batch, generator)
    clean = torch.stack([lesson.latents[number] for number in which])
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    levels = model.schedule.config.num_train_timesteps
    t = torch.randint(levels, (training.batch,), generator=generator).to(clean.device)
    return clean, lesson.told(which, generator), noise, t


def _of_one_size(draws: Sequence[Draw]) -> list[list[int]]:
    """Experts whose pictures of this step have the same size."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for expert, (clean, *_) in enumerate(draws):
        groups.setdefault(tuple(clean.shape[1:]), []).append(expert)
    return list(groups.values())


def _errors(model: Model, draws: Sequence[Draw], training: Training) -> Tensor:
    """Eq. 4 for each expert (E,): its own mean over its pictures."""
    clean, noise, t = (torch.cat([draw[part] for draw in draws]) for part in (0, 2, 3))  # type: ignore[misc]
    text = _joined([draw[1] for draw in draws])
    fold = model.pipeline.vae_scale_factor
    with model.autocast():
        words = text.arguments((clean.shape[2] * fold, clean.shape[3] * fold))
        said = model.pipeline.unet(model.schedule.add_noise(clean, noise, t), t, **words).sample
    square = (said.float() - denoising_target(model.schedule, clean, noise, t)).square().mean((1, 2, 3))
    weighted = square * error_weight(model.schedule, t, training.weighting)
    errors: Tensor = weighted.view(len(draws), -1).mean(1)
    return errors


def _joined(texts: Sequence[TextConditions]) -> TextConditions:
    pooled = [text.pooled for text in texts if text.pooled is not None]
    return TextConditions(torch.cat([text.hidden for text in texts]), torch.cat(pooled) if pooled else None)
