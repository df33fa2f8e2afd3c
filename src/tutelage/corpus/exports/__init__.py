"""A corpus in the field's formats; in the first three nothing is lost: every score, reason, URL, page and licence goes
with its triplet. The layouts of InstructPix2Pix and OmniEdit hold what they have a place for, and `imports` reads them.

To add one: write a function that takes rows and a folder (see `base.Export`) in a file of its own and name it in
`EXPORTS`.
"""

import importlib
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.corpus.exports.base import Export

EXPORTS: Final[dict[str, str]] = {
    "webdataset": "tutelage.corpus.exports.webdataset:write",
    "parquet": "tutelage.corpus.exports.parquet:write",
    "datasets": "tutelage.corpus.exports.datasets:write",
    "omniedit": "tutelage.corpus.exports.omniedit:write",
    "instruct-pix2pix": "tutelage.corpus.exports.instruct_pix2pix:write",
}
"""Format → "module:function"."""


def export(name: str) -> "Export":
    """The function that writes a format; its module is imported now.

    Raises:
        BadInput: there is no format of that name.
    """
    if name not in EXPORTS:
        raise BadInput(f"no format '{name}'.{did_you_mean(name, EXPORTS)} There are {', '.join(EXPORTS)}")
    module, _, attribute = EXPORTS[name].partition(":")
    found: Export = getattr(importlib.import_module(module), attribute)
    return found
