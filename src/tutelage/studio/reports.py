"""The report of a run, made anew from what its folder holds, as a page of the studio."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tutelage.errors import BadInput
from tutelage.studio.paths import without_folders
from tutelage.studio.settings import Studio


def report_of(studio: Studio, name: str) -> str:
    """The report's page without paths of the machine.

    Raises:
        BadInput: there is no run of that name, or a file in it is not what its name says.
    """
    from tutelage.report.found import find
    from tutelage.report.page import MOST_BYTES, page
    from tutelage.report.pictures import ALBUMS

    run = studio.runs().get(name)
    if run is None:
        raise BadInput(f"there is no run '{name}' here")
    found, data = find(run), b""
    for album in ALBUMS:
        data = page(found, album)
        if len(data) <= MOST_BYTES:
            break
    named = tuple(path for text in _texts(found.config) if (path := Path(text)).is_absolute())
    return without_folders(data.decode(), (run, *named, Path.cwd(), Path.home()))


def _texts(config: Mapping[str, Any]) -> Iterator[str]:
    for value in config.values():
        if isinstance(value, dict):
            yield from _texts(value)
        elif isinstance(value, str):
            yield value
