"""Trains one expert: Eq. 4 of SuTI, on one cluster and nothing else."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers.optimization import Adafactor

from tutelage.diffusion.noise import denoising_target, error_weight, keyed_generator
from tutelage.teachers.base import Diverged
from tutelage.teachers.lesson import Lesson, encoded
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Training


def train(
    model: Model, lessons: Sequence[Lesson], parameters: Sequence[nn.Parameter], training: Training, seed: int, key: str
) -> None:
    """Fit `parameters` to the lessons, in place. All randomness is keyed by (seed, key, step), with `key` the expert's.

    Raises:
        Diverged: the error did not stay finite.
    """
    optimiser = make_optimiser(parameters, training)
    total = torch.zeros((), device=model.pipeline.device)
    for step in range(training.steps):
        generator = keyed_generator(seed, key, step, "train")
        errors = [lesson.weight * denoising_error(model, lesson, training, generator) for lesson in lessons]
        error = torch.stack(errors).sum()
        error.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, training.clip)
        for group in optimiser.param_groups:
            group["lr"] = training.rate(step)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        total += error.detach()
    if not torch.isfinite(total):  # asked once: every question makes an accelerator wait
        raise Diverged(f"the expert of cluster {key} diverged; give a lower lr than {training.lr:g}")


def denoising_error(model: Model, lesson: Lesson, training: Training, generator: torch.Generator) -> Tensor:
    """Eq. 4: E ‖x̂(x_t, c) − x‖² over a batch, in terms of what the network predicts; averaged over elements, scalar."""
    which = lesson.draw(training.batch, generator)
    clean = torch.stack([lesson.latents[number] for number in which])
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    levels = model.schedule.config.num_train_timesteps
    t = torch.randint(levels, (training.batch,), generator=generator).to(clean.device)
    noisy = model.schedule.add_noise(clean, noise, t)
    with model.autocast():
        words = encoded(model, [lesson.told(which, generator)])
    said = model.said(noisy, t, words)
    square = (said - denoising_target(model.schedule, clean, noise, t)).square().mean((1, 2, 3))
    error: Tensor = (square * error_weight(model.schedule, t, training.weighting)).mean()
    return error


def make_optimiser(parameters: Sequence[nn.Parameter], training: Training) -> torch.optim.Optimizer:
    """Adafactor with the rate as it is given, or AdamW.

    Adafactor's own rate schedule, and steps relative to the size of the weights, are off: at the paper's 1e-5 the
    latter would not move a weight within 500 steps.
    """
    if training.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=training.lr, weight_decay=0.0, fused=True)
    adafactor: torch.optim.Optimizer = Adafactor(
        parameters, lr=training.lr, scale_parameter=False, relative_step=False, warmup_init=False
    )
    return adafactor
