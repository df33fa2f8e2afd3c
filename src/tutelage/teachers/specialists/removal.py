"""Object removal: the background that belongs there is inpainted (OmniEdit, §3)."""

from dataclasses import dataclass
from typing import ClassVar

from tutelage.teachers.specialists.filling import Filling


@dataclass(frozen=True, kw_only=True)
class Removal(Filling):
    """The phrase names the thing, the fill what is there without it."""

    dilation: float = 0.05
    name: ClassVar[str] = "removal"
