"""Who learns: one network that answers a text and references at once, after what teachers made and judges kept.

To add one: fill the contract of `base.Student` in a file of its own and name the class in `STUDENTS`. What a student is
told to be goes into `settings.py`, which a command can read without PyTorch.
"""

import importlib
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.students.base import Student

STUDENTS: Final[dict[str, str]] = {"suti": "tutelage.students.suti:Suti"}
"""Student → "module:class"."""


def student(name: str) -> "type[Student]":
    """The class of a student; its module, and with it PyTorch, is imported now.

    Raises:
        BadInput: there is no student of that name.
    """
    if name not in STUDENTS:
        raise BadInput(f"no student '{name}'.{did_you_mean(name, STUDENTS)} There are {', '.join(STUDENTS)}")
    module, _, attribute = STUDENTS[name].partition(":")
    found: type[Student] = getattr(importlib.import_module(module), attribute)
    return found
