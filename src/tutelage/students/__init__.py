"""Who learns: one network that answers a text and references at once, after what teachers made and judges kept.

To add one: fill the contract of `base.Learner` in a file of its own and name the class in `STUDENTS`, and the pipeline
class that its folders name in `FOLDERS`. What a student is told to be goes into `settings.py`, which a command can read
without PyTorch.
"""

import importlib
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.students.base import Learner

STUDENTS: Final[dict[str, str]] = {
    "suti": "tutelage.students.suti:Suti",
    "instruct-pix2pix": "tutelage.students.instruct_pix2pix:InstructPix2Pix",
    "concat-transformer": "tutelage.students.concat_transformer:ConcatStudent",
    "controlnet": "tutelage.students.controlnet:ControlNet",
    "editnet": "tutelage.students.editnet:EditNetStudent",
}
"""Student → "module:class"."""
EDITORS: Final = ("instruct-pix2pix", "concat-transformer", "controlnet", "editnet")
"""Those that edit a picture as told."""
FOLDERS: Final[dict[str, str]] = {
    "SutiPipeline": "suti",
    "StableDiffusionInstructPix2PixPipeline": "instruct-pix2pix",
    "StableDiffusionXLInstructPix2PixPipeline": "instruct-pix2pix",
    "StableDiffusion3InstructPix2PixPipeline": "concat-transformer",
    "StableDiffusion3ControlNetPipeline": "controlnet",
    "EditNetPipeline": "editnet",
}
"""Class that a folder's index names → student."""


def student(name: str) -> "type[Learner]":
    """The class of a student; its module, and with it PyTorch, is imported now.

    Raises:
        BadInput: there is no student of that name.
    """
    if name not in STUDENTS:
        raise BadInput(f"no student '{name}'.{did_you_mean(name, STUDENTS)} There are {', '.join(STUDENTS)}")
    module, _, attribute = STUDENTS[name].partition(":")
    found: type[Learner] = getattr(importlib.import_module(module), attribute)
    return found
