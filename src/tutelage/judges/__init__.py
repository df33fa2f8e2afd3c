"""Who weighs what the teachers made. A judge looks at triplets and answers with verdicts: a score, and whether to keep.

To add one: write a frozen, keyword-only dataclass with a `name` and `judge(triplets) -> list[Verdict]` (see
`base.Judge`) in a file of its own and name it in `JUDGES`. The contract tests find it there.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.judges.base import Judge

JUDGES: Final[dict[str, str]] = {
    "delta-clip": "tutelage.judges.delta_clip:DeltaClip",
    "likeness": "tutelage.judges.likeness:Likeness",
    "viescore": "tutelage.judges.viescore:VieScore",
}
"""Judge → "module:class"."""


def judge(name: str) -> "Callable[..., Judge]":
    """The class of a judge; its module is imported now, PyTorch when it judges first.

    Raises:
        BadInput: there is no judge of that name.
    """
    if name not in JUDGES:
        raise BadInput(f"no judge '{name}'.{did_you_mean(name, JUDGES)} There are {', '.join(JUDGES)}")
    module, _, attribute = JUDGES[name].partition(":")
    found: Callable[..., Judge] = getattr(importlib.import_module(module), attribute)
    return found
