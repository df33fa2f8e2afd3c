"""Files of a set, and names in it that are safe as paths."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tutelage.errors import BadInput

NAME: Final = re.compile(r"[\w\-][\w.\-]*(/[\w\-][\w.\-]*)*")
"""What an id may be: a relative path that stays where it is."""


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
