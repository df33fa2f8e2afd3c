"""Measures the base of editors on transformers: whether its pictures show what the prompt names.

The protocol is `read-back-24-steps` of toybox-sd, whose codec it has.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from tutelage.benches.base import Row
from tutelage.benches.toybox_sd import SdBench

CHECKPOINT: Final = "toybox-dit"


@dataclass(frozen=True, kw_only=True)
class DitBench(SdBench):
    """The share of what a prompt names that is read back right; scale 1 is 256 scenes with two captions each."""

    name: ClassVar[str] = CHECKPOINT
    checkpoint: str = CHECKPOINT

    def run(self) -> list[Row]:
        """Rows of the protocol.

        Raises:
            BadInput: a checkpoint cannot be loaded.
        """
        return self.read_back()
