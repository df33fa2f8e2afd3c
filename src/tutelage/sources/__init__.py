"""Where pages and pictures come from. A source is made of where it is and answers with a lazy table of pictures.

Every row keeps its URL, page, licence and alt text; what cannot be used keeps its row and says why in `fault`, so that
whoever counts rows by fault counts what was skipped.

To add one: write a frozen, keyword-only dataclass with `frame()` (see `base.Source`) in a file of its own and name it
in `SOURCES`. `scan.pages` makes the table from parts that can be read one by one.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.sources.base import Source

SOURCES: Final[dict[str, str]] = {
    "folder": "tutelage.sources.folder:Folder",
    "webdataset": "tutelage.sources.webdataset:WebDataset",
    "parquet": "tutelage.sources.parquet:Parquet",
    "toybox": "tutelage.sources.toybox:Toybox",
}
"""Source → "module:class"."""


def source(name: str) -> "Callable[..., Source]":
    """The class of a source; its module is imported now.

    Raises:
        BadInput: there is no source of that name.
    """
    if name not in SOURCES:
        raise BadInput(f"no source '{name}'.{did_you_mean(name, SOURCES)} There are {', '.join(SOURCES)}")
    module, _, attribute = SOURCES[name].partition(":")
    found: Callable[..., Source] = getattr(importlib.import_module(module), attribute)
    return found
