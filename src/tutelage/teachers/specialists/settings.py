"""What specialists can be told. Nothing heavy is imported here."""

import math
from dataclasses import dataclass

from tutelage.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How a specialist's pictures are drawn; the size is the source's, at the area that the base was trained at."""

    samples: int = 1
    """Pictures for each assignment."""
    steps: int = 50
    guidance: float = 7.5
    """Up to 1: none."""
    scheduler: str = "DDIMScheduler"
    """Class in diffusers; it takes the noise levels that the base came with."""
    batch: int = 8
    """Pictures to draw at once; on a CPU it changes nothing."""

    def __post_init__(self) -> None:
        for name, value in (("samples", self.samples), ("steps", self.steps), ("batch", self.batch)):
            if value < 1:
                raise BadInput(f"{name} of a specialist's drawing is {value}; give at least 1")
        if not 0 <= self.guidance < math.inf:
            raise BadInput(f"guidance of a specialist is {self.guidance}; give a number from 0, such as 7.5")
