"""What experts can be told. Nothing heavy is imported here, so that recipes and the command line can read it."""

import math
from dataclasses import dataclass
from typing import Literal

from tutelage.errors import BadInput

Weighting = Literal["plain", "min-snr"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """How one expert is trained: Eq. 4 of SuTI; the defaults are the paper's where it gives them."""

    steps: int = 500
    batch: int = 4
    """Pictures a step, all of one size."""
    optimiser: Literal["adafactor", "adamw"] = "adafactor"
    """Neither decays weights."""
    lr: float = 1e-5
    """The paper's, for all weights of a large base. Adapters and embeddings want 1e-4 to 5e-3, small bases more."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    warmup: int = 0
    """First steps, over which the rate rises."""
    decay: float = 0.0
    """Last share of the steps, over which the rate falls to zero."""
    weighting: Weighting = "plain"
    """Of the squared error over noise levels."""
    gradient_checkpointing: bool = False
    """Compute activations twice and keep few of them: less memory, a third slower."""

    def __post_init__(self) -> None:
        for name, value in (("steps", self.steps), ("batch", self.batch)):
            if value < 1:
                raise BadInput(f"{name} of an expert's training is {value}; give at least 1")
        for name, number in (("lr", self.lr), ("clip", self.clip)):
            if not 0 < number < math.inf:
                raise BadInput(f"{name} of an expert's training is {number}; give a number above 0")
        if self.warmup < 0 or not 0 <= self.decay <= 1:
            raise BadInput(f"warmup is {self.warmup}, decay {self.decay}; give steps from 0 and a share from 0 to 1")

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rising = min(1.0, (step + 1) / (self.warmup + 1))
        falling = min(1.0, (self.steps - step) / (self.decay * self.steps)) if self.decay else 1.0
        return self.lr * rising * falling


@dataclass(frozen=True, kw_only=True)
class EarlyStop:
    """End an expert's training when it draws one of its own pictures well enough.

    "Well enough" is an error on the first demonstration, which it is trained on as well, at fixed noise. With what the
    base errs there as the unit, subjects that differ in difficulty can share a threshold.
    """

    share: float = 0.8
    """Of the base's error, at which an expert is done."""
    every: int = 10
    """Steps between looks."""
    levels: int = 8
    """Noise levels of a look, from low to high; each costs a pass forward."""

    def __post_init__(self) -> None:
        for name, value in (("every", self.every), ("levels", self.levels)):
            if value < 1:
                raise BadInput(f"{name} of the early stop is {value}; give at least 1")
        if not 0 < self.share < 1:
            raise BadInput(f"share of the early stop is {self.share}; give one between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How an expert's pictures are drawn."""

    samples: int = 4
    """Pictures for each assignment."""
    steps: int = 100
    guidance: float = 7.5
    """Up to 1: none. The paper's 30 is for a model of pixels, which clips them at every step; latents have no limits
    and burn at such weights."""
    scheduler: str = "DDPMScheduler"
    """Class in diffusers; it takes the noise levels that the base came with."""
    size: tuple[int, int] | None = None
    """Height and width in pixels; None: what the base was trained at."""
    batch: int = 8
    """Pictures to draw at once; on a CPU it changes nothing."""

    def __post_init__(self) -> None:
        for name, value in (("samples", self.samples), ("steps", self.steps), ("batch", self.batch)):
            if value < 1:
                raise BadInput(f"{name} of an expert's sampling is {value}; give at least 1")
        if not 0 <= self.guidance < math.inf:
            raise BadInput(f"guidance of an expert's sampling is {self.guidance}; give a number from 0, such as 7.5")


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021) beside the UNet's frozen weights."""

    rank: int = 16
    convolutions: bool = False
    """Adapt the convolutions of the residual blocks as well as attention."""

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise BadInput(f"rank of the adapters is {self.rank}; give at least 1")


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Prior preservation (DreamBooth, Eq. 2): the expert goes on drawing the base's own pictures of "a <subject>"."""

    pictures: int = 100
    """Of the class, drawn from the base."""
    weight: float = 1.0
    """Of the error on them."""

    def __post_init__(self) -> None:
        if self.pictures < 1:
            raise BadInput(f"pictures of the prior is {self.pictures}; give at least 1, or no prior")
        if not 0 < self.weight < math.inf:
            raise BadInput(f"weight of the prior is {self.weight}; give a number above 0")
