"""What every bench of editors asks, whatever layout it is read from."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tutelage.errors import BadInput

NAME: Final = re.compile(r"[\w\-][\w.\-]*(/[\w\-][\w.\-]*)*")
"""What an id may be: a relative path that stays where it is."""


@dataclass(frozen=True, kw_only=True)
class EditQuestion:
    """One picture, what is to be done to it, and what is known about the result."""

    id: str
    """The answer's path without its ending, such as `1_change_object_80/000000000001`."""
    groups: tuple[str, ...]
    """Names of the sets it belongs to, such as its kind of edit: figures are also given for each."""
    source: bytes
    """The picture's file."""
    instruction: str
    before: str = ""
    """Caption of the source."""
    after: str = ""
    """Caption of what is wanted."""
    mask: NDArray[np.bool_] | None = None
    """What may change (H, W)."""
    truth: bytes | None = None
    """The set's own edit."""


def checked_id(text: str, where: str) -> str:
    """An id that is safe as a path.

    Raises:
        BadInput: it is none.
    """
    if not NAME.fullmatch(text):
        raise BadInput(f"{where}: '{text}' is no name of a file; use letters, digits, '.', '-', '_' and '/'")
    return text


def read_json(path: Path, what: str) -> Any:
    """What a JSON file holds.

    Raises:
        BadInput: it cannot be read; the message says that it should be `what`.
    """
    return _read(path, what, lambda: json.loads(path.read_bytes()))


def read_bytes(path: Path, what: str) -> bytes:
    """A file.

    Raises:
        BadInput: it cannot be read; the message says that it should be `what`.
    """
    found: bytes = _read(path, what, path.read_bytes)
    return found


def _read(path: Path, what: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read ({error}); it should be {what}") from error
