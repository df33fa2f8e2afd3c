"""Style transfer: another medium, all over the picture, its structure kept."""

from dataclasses import dataclass
from typing import ClassVar

from tutelage.teachers.specialists.twins import Twins


@dataclass(frozen=True, kw_only=True)
class Style(Twins):
    """The order names no phrase: everything may change."""

    name: ClassVar[str] = "style"
