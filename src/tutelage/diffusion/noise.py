"""Keys → random numbers, and what a network is taught to say of a noisy picture.

Every draw has a key of its own (run seed, item, step), so it depends on no batch, worker, order or restart.
"""

import hashlib
from typing import Any, Final, Literal

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from tutelage.errors import BadInput

PREDICTIONS: Final = ("epsilon", "v_prediction", "sample")
"""What a network may say: the noise, Salimans & Ho's velocity, or the clean picture."""

Weighting = Literal["plain", "min-snr"]
SNR_CEILING: Final = 5.0
"""γ of min-SNR (Hang et al. 2023)."""


def keyed_seed(*key: str | int) -> int:
    """A seed in [0, 2**63) for a key such as (run seed, item, "noise"): a hash, so that neighbours share nothing."""
    digest = hashlib.sha256("/".join(str(part) for part in key).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def keyed_generator(*key: str | int) -> torch.Generator:
    """A generator for a key; on the CPU, so that its numbers are the same for every device."""
    return torch.Generator("cpu").manual_seed(keyed_seed(*key))


def training_schedule(scheduler: Any) -> DDPMScheduler:
    """The noise levels a network was trained with, from any scheduler that it is sampled with.

    Raises:
        BadInput: it is not of the variance-preserving family with discrete steps (DDPM, DDIM, DPM++, Euler, …).
    """
    config = scheduler.config
    if "beta_schedule" not in config or config.get("prediction_type", "epsilon") not in PREDICTIONS:
        raise BadInput(
            f"{type(scheduler).__name__} with prediction type '{config.get('prediction_type')}' has no noise levels to "
            f"train with here; give a model that predicts one of {', '.join(PREDICTIONS)} over discrete steps"
        )
    schedule: DDPMScheduler = DDPMScheduler.from_config(config)
    return schedule


def denoising_target(schedule: DDPMScheduler, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """What the network should say (B, C, H, W) of `schedule.add_noise(clean, noise, t)`, by its prediction type."""
    kind = schedule.config.prediction_type
    if kind == "epsilon":
        return noise
    target: Tensor = clean if kind == "sample" else schedule.get_velocity(clean, noise, t)
    return target


def error_weight(schedule: DDPMScheduler, t: Tensor, weighting: Weighting) -> Tensor:
    """Weight (B,) of the squared error at timesteps (B,): 1, or min-SNR's, which depends on the prediction type."""
    if weighting == "plain":
        return torch.ones(t.shape, device=t.device)
    signal: Tensor = schedule.alphas_cumprod.to(t.device)[t]
    snr = signal / (1 - signal)
    capped = snr.clamp(max=SNR_CEILING)
    divisors = {"epsilon": snr, "v_prediction": snr + 1, "sample": torch.ones_like(snr)}
    divisor = divisors[schedule.config.prediction_type]
    return torch.where(divisor > 0, capped / divisor, 1.0)  # at zero terminal SNR the limit is 1
