"""Object swap: another thing is inpainted where the old one was (OmniEdit, §3)."""

from dataclasses import dataclass
from typing import ClassVar

from tutelage.teachers.specialists.filling import Filling


@dataclass(frozen=True, kw_only=True)
class Swap(Filling):
    """The phrase names the old thing, the fill the new one. The mask is wide: the new thing may be larger."""

    dilation: float = 0.06
    name: ClassVar[str] = "swap"
