"""Attribute modification: Prompt-to-Prompt on a drawn source, within the mask of what has the attribute."""

from dataclasses import dataclass
from typing import ClassVar

from tutelage.teachers.specialists.twins import Twins


@dataclass(frozen=True, kw_only=True)
class Attribute(Twins):
    """M ⊙ x_edited,t + (1 − M) ⊙ x_input,t at each step (OmniEdit, §3)."""

    name: ClassVar[str] = "attribute"
