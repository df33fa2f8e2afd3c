"""Noise levels to train at, whatever kind of schedule a model has: variance preserving, EDM or flow matching.

A level is drawn as a number t in 0 … count − 1, each alike; what it means is the schedule's affair.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from tutelage.diffusion.noise import Weighting, denoising_target, error_weight, training_schedule
from tutelage.errors import BadInput


class Levels(Protocol):
    """What a network sees, is told and should say at level t (B,) of clean latents and noise (B, C, h, w)."""

    @property
    def count(self) -> int:
        """How many there are."""
        ...

    def noisy(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """What it sees, (B, C, h, w), scaled as samplers scale it."""

    def told(self, t: Tensor) -> Tensor:
        """What it is told the time is, (B,)."""

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """What it should say, (B, C, h, w)."""

    def weight(self, t: Tensor) -> Tensor:
        """Weight (B,) of the squared error."""

    def share(self, told: float) -> float:
        """How much of the way to a finished picture is left at the time it is told: 1 is noise alone, 0 finished."""


def levels_of(scheduler: Any, weighting: Weighting = "plain") -> Levels:
    """The levels that a model with this scheduler of diffusers is trained at.

    Raises:
        BadInput: it is of no kind that is known here, or the weighting is not for its kind.
    """
    config = scheduler.config
    if "sigma_data" not in config and not type(scheduler).__name__.startswith("FlowMatch"):
        return Preserving(schedule=training_schedule(scheduler), weighting=weighting)
    if weighting != "plain":
        raise BadInput(f"weighting '{weighting}' is not for {type(scheduler).__name__}; take 'plain'")
    if "sigma_data" in config:
        names = ("sigma_min", "sigma_max", "sigma_data")
        velocity = config.prediction_type == "v_prediction"
        return Edm(**{name: config[name] for name in names}, velocity=velocity, count=config.num_train_timesteps)
    return Flow(shift=config.shift, count=config.num_train_timesteps)


@dataclass(frozen=True, kw_only=True)
class Preserving:
    """x_t = √ᾱ x + √(1 − ᾱ) ε over discrete steps, which t counts."""

    schedule: DDPMScheduler
    weighting: Weighting

    @cached_property
    def count(self) -> int:
        """Steps of training."""
        return int(self.schedule.config.num_train_timesteps)

    def noisy(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        seen: Tensor = self.schedule.add_noise(clean, noise, t)
        return seen

    def told(self, t: Tensor) -> Tensor:
        return t

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        return denoising_target(self.schedule, clean, noise, t)

    def weight(self, t: Tensor) -> Tensor:
        return error_weight(self.schedule, t, self.weighting)

    def share(self, told: float) -> float:
        return told / self.count


@dataclass(frozen=True, kw_only=True)
class Edm:
    """x_σ = x + σ ε with EDM's preconditioning (Karras et al. 2022, Table 1), as CosXL is trained.

    Levels are those of a continuous cosine schedule, σ = σ_data tan(π u / 2) with u uniform. The error of what the
    network itself says counts the same at every level, which is EDM's weight of the denoiser's error.
    """

    sigma_min: float
    sigma_max: float
    sigma_data: float
    velocity: bool
    """Whether the network says v; it is the same but for the sign."""
    count: int = 1000

    def sigma(self, t: Tensor) -> Tensor:
        """σ (B, 1, 1, 1)."""
        share = (t.float() + 0.5) / self.count
        level = self.sigma_data * torch.tan(share * math.pi / 2)
        return level.clamp(self.sigma_min, self.sigma_max)[:, None, None, None]

    def noisy(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        sigma = self.sigma(t)
        return (clean + sigma * noise) * self._inverse(sigma)

    def told(self, t: Tensor) -> Tensor:
        return self.sigma(t).flatten().log() / 4

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        sigma = self.sigma(t)
        skip = (self.sigma_data * self._inverse(sigma)) ** 2
        out = sigma * self.sigma_data * self._inverse(sigma) * (-1 if self.velocity else 1)
        return (clean - skip * (clean + sigma * noise)) / out

    def weight(self, t: Tensor) -> Tensor:
        return torch.ones(t.shape, device=t.device)

    def share(self, told: float) -> float:
        least, most = math.log(self.sigma_min), math.log(self.sigma_max)
        return min(1.0, max(0.0, (4 * told - least) / (most - least)))

    def _inverse(self, sigma: Tensor) -> Tensor:
        return (sigma.square() + self.sigma_data**2).rsqrt()


@dataclass(frozen=True, kw_only=True)
class Flow:
    """x_σ = (1 − σ) x + σ ε, and the network says ε − x (rectified flow, as in SD3; Esser et al. 2024).

    Levels are logit-normal, σ = 1 / (1 + exp(−n)) with n standard normal, and then shifted as the sampler's are.
    """

    shift: float
    count: int = 1000

    def sigma(self, t: Tensor) -> Tensor:
        """σ (B, 1, 1, 1)."""
        share = (t.float() + 0.5) / self.count
        level = torch.sigmoid(torch.special.ndtri(share))
        return (self.shift * level / (1 + (self.shift - 1) * level))[:, None, None, None]

    def noisy(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        return torch.lerp(clean, noise, self.sigma(t).expand_as(clean))

    def told(self, t: Tensor) -> Tensor:
        return self.sigma(t).flatten() * self.count

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        return noise - clean

    def weight(self, t: Tensor) -> Tensor:
        return torch.ones(t.shape, device=t.device)

    def share(self, told: float) -> float:
        return told / self.count
