"""Who edits pictures by one task each: a captioned picture and an instruction in, a (source, instruction, target) out.

OmniEdit's seven tasks. Four inpaint what a phrase masks: `swap`, `removal`, `addition` (a removal read backwards) and
`background` (the complement of the mask). Three draw a picture and its edit at once by Prompt-to-Prompt: `attribute`,
within a mask, and `environment` and `style`, all over. `guild.Specialists` is all of them as one teacher.

To add one: a frozen, keyword-only dataclass over `base.Specialist` with a `name` and `drawn` in a file of its own, and
its line in `SPECIALISTS`. The contract tests find it there.
"""

import importlib
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.teachers.specialists.base import Specialist

SPECIALISTS: Final[dict[str, str]] = {
    "swap": "tutelage.teachers.specialists.swap:Swap",
    "removal": "tutelage.teachers.specialists.removal:Removal",
    "addition": "tutelage.teachers.specialists.addition:Addition",
    "attribute": "tutelage.teachers.specialists.attribute:Attribute",
    "background": "tutelage.teachers.specialists.background:Background",
    "environment": "tutelage.teachers.specialists.environment:Environment",
    "style": "tutelage.teachers.specialists.style:Style",
}
"""Task → "module:class"."""


def specialist(task: str) -> "type[Specialist]":
    """The class of the specialist for a task; PyTorch is imported when it teaches first.

    Raises:
        BadInput: there is no such task.
    """
    if task not in SPECIALISTS:
        raise BadInput(f"no specialist '{task}'.{did_you_mean(task, SPECIALISTS)} There are {', '.join(SPECIALISTS)}")
    module, _, attribute = SPECIALISTS[task].partition(":")
    found: type[Specialist] = getattr(importlib.import_module(module), attribute)
    return found
