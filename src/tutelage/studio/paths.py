"""No path of the machine in any page: folders that words name are cut to their last name."""

import re
from pathlib import Path
from typing import Final

from tutelage.errors import BadInput

_ABSOLUTE: Final = re.compile(r"(?<![\w.:/<>+=])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\\"'<>|]+[/\\])+([^\s/\\\"'<>|]*)")
"""A slash that follows no word, two names at least: no URL, no fraction, no end of a tag."""


def without_paths(text: str) -> str:
    """A message with every absolute path cut to its last name.

    >>> without_paths("/home/somebody/runs/suti/config.json, line 3: not JSON")
    'config.json, line 3: not JSON'
    >>> without_paths("see https://example.com/a/b, 3/4 of 'red and/or blue'")
    "see https://example.com/a/b, 3/4 of 'red and/or blue'"
    """
    return _ABSOLUTE.sub(lambda found: found[1] or "…", text)


def without_folders(page: str, folders: tuple[Path, ...]) -> str:
    """A page with these folders, wherever they are named in full, cut to their last name.

    Unlike `without_paths` it is safe on markup with pictures inside, whose letters may look like a path.
    """
    for folder in sorted({str(one) for path in folders for one in (path.absolute(), path.resolve())}, key=len)[::-1]:
        if len(folder) > 1:
            page = page.replace(folder, Path(folder).name)
    return page


def told(error: BadInput) -> str:
    """What pages say of an error: its words, without paths and without the flags of the command line."""
    return without_paths(str(error))
