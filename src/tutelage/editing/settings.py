"""What an edit can be told. Nothing heavy is imported here."""

import math
from dataclasses import dataclass
from typing import Literal

from tutelage.errors import BadInput

Words = Literal["replace", "refine"]


@dataclass(frozen=True, kw_only=True)
class Blend:
    """Local blend (Prompt-to-Prompt, Algorithm 1): what no named word attends to stays the source's."""

    source: tuple[str, ...]
    """Words of the source prompt."""
    target: tuple[str, ...]
    """Words of the target prompt; the region is where any word of either is looked at."""
    threshold: float = 0.3
    """Share of the largest attention from which a place belongs to the region."""
    start: float = 0.2
    """Share of the steps before the first blend; attention says little in the beginning."""

    def __post_init__(self) -> None:
        if not self.source and not self.target:
            raise BadInput("a local blend without words has no region; give words of the prompts, or no blend")
        check_share("threshold of a local blend", self.threshold)
        check_share("start of a local blend", self.start)


@dataclass(frozen=True, kw_only=True)
class PromptToPrompt:
    """How much an edit takes from its source while both are drawn (Hertz et al. 2022); shares are of the steps."""

    words: Words = "replace"
    """`replace`: a word that stands for another one takes over its attention, so the new thing has the old one's
    shape. `refine`: only words that both prompts have are held."""
    cross: float = 0.8
    """Steps, from the first, at which cross-attention is the source's."""
    self_attention: float = 0.4
    """Steps, from the first, at which self-attention is the source's."""
    coarse: float = 0.5
    """Self-attention is the source's only where a side is at most this share of the latents' side."""
    weights: tuple[tuple[str, float], ...] = ()
    """Word of the target prompt → factor of its attention, at every step; the paper's are -2 to 2."""
    blend: Blend | None = None

    def __post_init__(self) -> None:
        for name in ("cross", "self_attention", "coarse"):
            check_share(f"{name} of Prompt-to-Prompt", getattr(self, name))
        for word, factor in self.weights:
            if not math.isfinite(factor):
                raise BadInput(f"weight of '{word}' is {factor}; give a number such as 2")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How an edit and its source are drawn."""

    steps: int = 50
    size: tuple[int, int] | None = None
    """Height and width in pixels; None: what the model was trained at."""
    scheduler: str = "DDIMScheduler"
    """Class in diffusers; it takes the noise levels that the model came with."""
    batch: int = 4
    """Pairs to draw at once; on a CPU it changes nothing."""

    def __post_init__(self) -> None:
        for name, value in (("steps", self.steps), ("batch", self.batch)):
            if value < 1:
                raise BadInput(f"{name} of drawing is {value}; give at least 1")


@dataclass(frozen=True, kw_only=True)
class NullText:
    """How null-text inversion learns; the numbers are of the paper and its code."""

    guidance: float = 7.5
    """To be drawn with; up to 1 there is nothing to learn."""
    tries: int = 10
    """Steps of Adam for each step of DDIM, at most."""
    lr: float = 1e-2
    """At the first step of DDIM; it falls to half of it at the last."""
    enough: float = 1e-5
    """Mean squared error at which a step ends; at step n it is 1 + 2 n times as much."""

    def __post_init__(self) -> None:
        check_guidance(self.guidance)
        if self.guidance <= 1 or self.tries < 1 or not 0 < self.lr < math.inf or not self.enough >= 0:
            raise BadInput(f"{self}: give guidance above 1, at least one try, a rate above 0, an error from 0")


@dataclass(frozen=True, kw_only=True)
class DiffEdit:
    """How DiffEdit finds a region and edits it (Couairon et al. 2023); the numbers are the paper's."""

    steps: int = 50
    """Of DDIM, of which the last share of `strength` is done."""
    strength: float = 0.8
    """Encoding ratio r: how far the picture is inverted before it is edited."""
    noise: float = 0.5
    """Noise at which the two prompts are compared, as a share of the noise levels."""
    noises: int = 10
    """How many the comparison is averaged over."""
    threshold: float = 0.5
    """Of the difference, after it is brought to [0, 1]: from it on a place is edited."""
    guidance: float = 7.5

    def __post_init__(self) -> None:
        check_guidance(self.guidance)
        check_strength("DiffEdit", self.strength, self.steps)
        check_share("noise of DiffEdit", self.noise)
        check_share("threshold of DiffEdit", self.threshold)
        if self.noises < 1:
            raise BadInput(f"noises of DiffEdit is {self.noises}; give at least 1")


def check_share(what: str, value: float) -> None:
    """A share is within [0, 1].

    Raises:
        BadInput: it is not.
    """
    if not 0 <= value <= 1:
        raise BadInput(f"{what} is {value}; give a share from 0 to 1")


def check_guidance(value: float) -> None:
    """A guidance scale is finite and not negative.

    Raises:
        BadInput: it is not.
    """
    if not 0 <= value < math.inf:
        raise BadInput(f"guidance is {value}; give a number from 0 (1 and below: none), such as 7.5")


def check_strength(what: str, strength: float, steps: int) -> None:
    """A share of the noise levels is above 0, at most 1, and a step or more.

    Raises:
        BadInput: it is not.
    """
    if not 0 < strength <= 1:
        raise BadInput(f"strength of {what} is {strength}; give a share above 0, at most 1")
    if int(strength * steps) < 1:
        raise BadInput(f"strength {strength} of {steps} steps is no step; give more of either")
