"""Environment change: another time of day or weather, all over the picture, its structure kept."""

from dataclasses import dataclass
from typing import ClassVar

from tutelage.teachers.specialists.twins import Twins


@dataclass(frozen=True, kw_only=True)
class Environment(Twins):
    """The order names no phrase: everything may change."""

    name: ClassVar[str] = "environment"
