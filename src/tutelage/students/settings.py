"""What students can be told, as data and light to import."""

from dataclasses import dataclass
from typing import Literal, Protocol

from tutelage.errors import BadInput


class Showing(Protocol):
    """What of an example is shown in one step."""

    @property
    def demonstrations(self) -> int:
        """Most references."""
        ...

    def drops(self, first: float, second: float) -> tuple[bool, bool]:
        """Whether the text and whether the references are not shown, by two numbers uniform in [0, 1)."""
        ...


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

    def drops(self, first: float, second: float) -> tuple[bool, bool]:
        """See `Showing`."""
        return first < self.text_drop, second < self.references_drop


@dataclass(frozen=True, kw_only=True)
class EditShape:
    """What is added to a base to make an editor of it."""

    layers: int | None = None
    """Of a ControlNet: blocks of the base that are copied, the first ones, at most half of all; None: half. The other
    editors have no choice."""
    schedule: Literal["base", "edm"] = "base"
    """Of instruct-pix2pix: the base's noise levels, or EDM's with v-prediction, as CosXL has them."""


@dataclass(frozen=True, kw_only=True)
class EditTraining:
    """How an editor learns from pairs (InstructPix2Pix, §3.2)."""

    drop: float = 0.05
    """Share of examples without their instruction, as large a share without their source, and as large a one without
    either, so that guidance has something to compare with."""
    weighting: Literal["plain", "min-snr"] = "plain"
    """Of the squared error over noise levels; min-snr is for discrete steps alone."""
    base_learns: bool = False
    """Whether the base of a ControlNet or an EditNet learns along. Where sources are
    concatenated it always does."""
    checkpointing: bool = False
    """Compute activations twice instead of keeping them: slower, in less memory."""

    def __post_init__(self) -> None:
        if not 0 <= self.drop <= 1 / 3:
            raise BadInput(f"drop is {self.drop}; give a share from 0 to 1/3, for it is taken three times")

    @property
    def demonstrations(self) -> int:
        """The source picture."""
        return 1

    def drops(self, first: float, second: float) -> tuple[bool, bool]:
        """See `Showing`: one number decides both."""
        return first < 2 * self.drop, self.drop <= first < 3 * self.drop
