"""Noise levels: schedulers by name, log-SNR under every kind of schedule, and where to begin at a stated one."""

from typing import Any, Final

import diffusers
import numpy as np
import torch
from torch import Tensor

from tutelage.diffusion.noise import training_schedule
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.errors import BadInput, did_you_mean

RHO: Final = 7.0
"""ρ of EDM's discretisation (Karras et al. 2022, Eq. 5)."""


def sampling_schedule(name: str, trained: Any, **changes: Any) -> Any:
    """A fresh scheduler of diffusers of that name with the noise levels of `trained`, which is left as it is.

    `changes` are to its config.

    Raises:
        BadInput: there is none of that name, or it is of another kind than the one that was trained with.
    """
    names = [known for known in dir(diffusers) if known.endswith("Scheduler")]
    if name not in names:
        raise BadInput(f"no scheduler '{name}' in diffusers.{did_you_mean(name, names)} Give one such as DDPMScheduler")
    with quiet_libraries():  # they remark on every setting that only the other scheduler has
        kind: Any = getattr(diffusers, name)
        made = kind.from_config(trained.config, **{"clip_sample": False} | changes)  # latents have no limits to clip at
    if _family(made) != _family(trained):
        raise BadInput(f"{name} has no noise levels like those of {type(trained).__name__}, which the model came with")
    return made


def log_snr(scheduler: Any) -> Tensor:
    """Log signal-to-noise ratio (n,), float64, at each of a scheduler's timesteps, which are set.

    Variance preserving, x_t = √ᾱ x + √(1 − ᾱ) ε:    ln ᾱ − ln(1 − ᾱ)
    variance exploding and EDM, x_t = x + σ ε:      −2 ln σ
    flow matching, x_t = (1 − σ) x + σ ε:           2 ln(1 − σ) − 2 ln σ

    Raises:
        BadInput: the scheduler is of none of these kinds.
    """
    if sigmas := _sigmas(scheduler):
        sigma = torch.tensor(sigmas, dtype=torch.float64)
        return 2 * torch.log1p(-sigma) - 2 * sigma.log() if is_flow(scheduler) else -2 * sigma.log()
    if not hasattr(scheduler, "alphas_cumprod"):
        raise BadInput(f"{type(scheduler).__name__} has neither sigmas nor alphas; give one such as DDIMScheduler")
    signal: Tensor = scheduler.alphas_cumprod.double().cpu()[scheduler.timesteps.long().cpu()]
    return signal.log() - torch.log1p(-signal)


def is_flow(scheduler: Any) -> bool:
    """Whether its levels are those of flow matching, as SD3's and FLUX's are."""
    config = scheduler.config
    flows = config.get("use_flow_sigmas") or config.get("prediction_type") == "flow_prediction"
    return bool(flows) or type(scheduler).__name__.startswith("FlowMatch")


def noised(scheduler: Any, clean: Tensor, noise: Tensor, step: int) -> Tensor:
    """Clean latents (B, C, h, w) as a scheduler has them before step number `step`; after the last one they are clean.

    `noise` is standard normal, of the same shape; the scheduler's timesteps are set.
    """
    if step >= len(scheduler.timesteps):
        return clean
    time = scheduler.timesteps[step].repeat(len(clean))
    if is_flow(scheduler):
        flowing: Tensor = scheduler.scale_noise(clean, time, noise)
        return flowing
    noisy: Tensor = scheduler.add_noise(clean, noise, time)
    return noisy


def schedule_from(trained: Any, start: float, steps: int, device: Any) -> Any:
    """A DPM-Solver++ (2M) whose timesteps are set: EDM's discretisation from a log-SNR of `start` down to no noise.

    Of levels that were trained at discrete steps the nearest is taken for each, as SDXL's own code does; where these
    are few, so that two would be one, there are fewer steps than asked for.

    Raises:
        BadInput: `start` is noisier than anything the model was trained at, or its schedule is flow matching.
    """
    sigma = float(np.exp(-start / 2))
    if _family(trained) == "edm":
        _within(sigma, trained.config.sigma_min, trained.config.sigma_max, start)
        solver = sampling_schedule("EDMDPMSolverMultistepScheduler", trained, sigma_max=sigma)
        solver.set_timesteps(steps, device=device)
        return solver
    signal = training_schedule(trained).alphas_cumprod.double().numpy()
    levels = np.sqrt((1 - signal) / np.maximum(signal, np.finfo(float).tiny))
    _within(sigma, levels[0], levels[-1], start)
    wanted = np.log(edm_levels(sigma, levels[0], steps))
    nearest = np.abs(np.log(levels)[None] - wanted[:, None]).argmin(axis=1)
    plain = {f"use_{kind}": False for kind in ("karras_sigmas", "exponential_sigmas", "beta_sigmas", "lu_lambdas")}
    ours = {"algorithm_type": "dpmsolver++", "solver_order": 2, "final_sigmas_type": "zero"}
    solver = sampling_schedule("DPMSolverMultistepScheduler", trained, **plain, **ours)
    solver.set_timesteps(timesteps=sorted(set(nearest.tolist()), reverse=True), device=device)
    return solver


def edm_levels(most: float, least: float, steps: int) -> Any:
    """σ (steps,), from `most` to `least` (Karras et al. 2022, Eq. 5); one step is at `most`."""
    ramp = np.linspace(0, 1, steps)
    high, low = most ** (1 / RHO), least ** (1 / RHO)
    return (high + ramp * (low - high)) ** RHO


def _family(scheduler: Any) -> str:
    if is_flow(scheduler):
        return "flow"
    return "edm" if "sigma_data" in scheduler.config else "preserving"


def _sigmas(scheduler: Any) -> list[float]:
    """Its σ at its timesteps, without the one after the last; empty if it goes by ᾱ."""
    sigmas = getattr(scheduler, "sigmas", None)
    return [] if sigmas is None else sigmas[: len(scheduler.timesteps)].double().tolist()


def _within(sigma: float, least: float, most: float, start: float) -> None:
    if not least * (1 - 1e-6) <= sigma <= most * (1 + 1e-6):
        bounds = f"{-2 * np.log(most):.3f} to {-2 * np.log(least):.3f}"
        raise BadInput(f"log-SNR {start:g} is not among the model's levels; give one from {bounds}")
