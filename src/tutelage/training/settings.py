"""What the trainings can be told: shapes and schedules, as data and light to import."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast: AdamW with a short warm-up, a plateau, and a linear fall to zero."""

    steps: int
    batch: int
    lr: float
    warmup: int = 100
    """Steps over which the rate rises from zero."""
    decay: float = 0.5
    """Share of the steps, at the end, over which the rate falls."""
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of the gradient."""
    ema: float = 0.0
    """Decay of the averaged weights; 0 keeps none."""
    seed: int = 0

    def rate(self, step: int) -> float:
        """Learning rate at a step."""
        up, down = (step + 1) / self.warmup, (self.steps - step) / (self.steps * self.decay)
        return self.lr * min(1.0, up, down)


@dataclass(frozen=True, kw_only=True)
class VaeShape:
    """An `AutoencoderTiny`: levels from full size down; f = 2 ** (levels - 1)."""

    channels: int = 64
    blocks: tuple[int, ...] = (0, 1, 2, 3)
    """Residual blocks per level, the full-size level first."""
    latents: int = 16


@dataclass(frozen=True, kw_only=True)
class ClipShape:
    """A `CLIPModel` whose two towers have the same width."""

    width: int = 192
    vision_layers: int = 6
    text_layers: int = 4
    heads: int = 4
    patch: int = 16
    size: int = 128
    """Pixels a side of the input."""


@dataclass(frozen=True, kw_only=True)
class UNetShape:
    """Two levels, 16 × 16 and 8 × 8; attention to the text (and within the picture) where `attention` says."""

    channels: tuple[int, int] = (96, 160)
    attention: tuple[bool, bool] = (False, True)
    layers: int = 1
    """Residual blocks per level."""
    heads: tuple[int, int] = (3, 5)


@dataclass(frozen=True, kw_only=True)
class DitShape:
    """A transformer of SD3's kind on 16 × 16 latents."""

    layers: int = 4
    heads: int = 4
    head_width: int = 32
    patch: int = 2
    """Side of a token in latent cells."""
    words: int = 64
    """Channels of the second text encoder."""


@dataclass(frozen=True, kw_only=True)
class Emphasis:
    """How much more an error counts on the toy: most of a picture is scenery, most of a prompt is about the toy."""

    toy: float = 3.0
    """Anywhere on it and on what it wears."""
    head: float = 6.0
    """On the head besides: a mouth is smaller than a latent's cell."""


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """What a batch of identities is made of: `kinds` × `subjects` × `views` pictures."""

    kinds: int = 2
    subjects: int = 16
    """Toys of each kind."""
    views: int = 4
    """Pictures of each toy."""
