"""The checkpoints shipped with the package, each a folder laid out as on the Hugging Face Hub."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from tutelage.errors import BadInput, did_you_mean

CHECKPOINTS: Final = (
    "toybox-clip",
    "toybox-dino",
    "toybox-sd",
    "toybox-brush-net",
    "toybox-dit",
    "toybox-suti",
    "toybox-edit",
    "toybox-seg",
    "toybox-reader",
    "toybox-tagger",
)
"""Names of the shipped folders: text and image encoder, subject features, base generator, its branch for inpainting,
base with a transformer, students that draw a subject and that edit, masks, reader, judge's tagger."""

HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def checkpoint(name_or_path: str | Path) -> Path | str:
    """Where a model is: the folder of a shipped name, a local folder as a `Path`, or a Hub id `owner/name` as it is.

    A shipped name wins over a folder of that name in the working directory; `./toybox-sd` means the latter, and so does
    a `Path`.

    Raises:
        BadInput: it is none of the three.
    """
    if name_or_path in CHECKPOINTS:
        return Path(str(files(__name__))) / name_or_path
    path = Path(name_or_path).expanduser()
    if name_or_path and path.is_dir():
        return path
    if isinstance(name_or_path, str) and HUB_ID.fullmatch(name_or_path):
        return name_or_path
    near = did_you_mean(str(name_or_path), CHECKPOINTS)
    raise BadInput(
        f"no model '{name_or_path}'.{near} Give a shipped one ({', '.join(CHECKPOINTS)}), "
        "a folder that exists, or a Hub id such as owner/name"
    )
