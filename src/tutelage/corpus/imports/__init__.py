"""Sets of edits in their makers' layouts → triplets and what their makers' judges said; `exports` has the way back.

To add one: write a function that yields (triplet, verdicts) of a path in a file of its own and name it in `IMPORTS`.
"""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.triplet import Triplet, Verdict

    Import = Callable[[Path], Iterator[tuple[Triplet, list[Verdict]]]]

IMPORTS: Final[dict[str, str]] = {
    "omniedit": "tutelage.corpus.imports.omniedit:read",
    "instruct-pix2pix": "tutelage.corpus.imports.instruct_pix2pix:read",
}
"""Layout → "module:function"."""


def import_of(name: str) -> "Import":
    """The function that reads a layout; its module is imported now.

    Raises:
        BadInput: there is no layout of that name.
    """
    if name not in IMPORTS:
        raise BadInput(f"no layout '{name}'.{did_you_mean(name, IMPORTS)} There are {', '.join(IMPORTS)}")
    module, _, attribute = IMPORTS[name].partition(":")
    found: Import = getattr(importlib.import_module(module), attribute)
    return found
