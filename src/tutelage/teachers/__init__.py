"""Who makes targets. A teacher is given assignments (a subject's pictures and a text) and answers with triplets.

To add one: write a frozen, keyword-only dataclass with a `name`, a `base`, a `seed` and the methods of `base.Teacher`,
above all `teach(assignments)`, which yields triplets, in a file of its own and name it in `TEACHERS`. The contract
tests find it there.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.teachers.base import Teacher

TEACHERS: Final[dict[str, str]] = {
    "dreambooth": "tutelage.teachers.dreambooth:DreamBooth",
    "fleet": "tutelage.teachers.fleet:Fleet",
    "imagic": "tutelage.teachers.imagic:Imagic",
    "sdedit": "tutelage.teachers.sdedit:SDEdit",
    "textual-inversion": "tutelage.teachers.textual_inversion:TextualInversion",
}
"""Teacher → "module:class"."""


def teacher(name: str) -> "Callable[..., Teacher]":
    """The class of a teacher; its module is imported now, PyTorch when it teaches first.

    Raises:
        BadInput: there is no teacher of that name.
    """
    if name not in TEACHERS:
        raise BadInput(f"no teacher '{name}'.{did_you_mean(name, TEACHERS)} There are {', '.join(TEACHERS)}")
    module, _, attribute = TEACHERS[name].partition(":")
    found: Callable[..., Teacher] = getattr(importlib.import_module(module), attribute)
    return found
