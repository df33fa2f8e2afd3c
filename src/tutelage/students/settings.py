"""What students can be told, as data and light to import."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class SutiShape:
    """Where a UNet attends to demonstrations, and how."""

    levels: tuple[int, ...] | None = None
    """Resolutions, 0 the finest: beside their transformers, or after each residual block where a block has none.
    None: beside every transformer of the base and nowhere else."""
    head_width: int = 64
    """Channels a head at most; a head is as wide as the largest common divisor of this and the channels there."""
    clean_timestep: int = 0
    """What the UNet is told the time is when it looks at a demonstration, which has no noise."""


@dataclass(frozen=True, kw_only=True)
class SutiTraining:
    """How one learns (Eq. 5)."""

    demonstrations: int = 3
    """Most demonstrations an example; which of them, and in which order, is drawn anew at every step."""
    text_drop: float = 0.1
    """Share of examples whose text is not shown, so that guidance has something to compare with."""
    references_drop: float = 0.1
    """Share of examples whose demonstrations are not shown; drawn independently of the text."""
    weighting: Literal["plain", "min-snr"] = "plain"
    """Of the squared error over noise levels; plain is the paper's."""
    learns: Literal["everything", "new-layers"] = "everything"
    """The whole UNet, as in the paper, or the new attention alone."""
    through_references: bool = True
    """Whether the down stack also learns from how it encodes demonstrations; without it a step is cheaper."""
    checkpointing: bool = False
    """Compute activations twice instead of keeping them: slower, in less memory."""
