"""Who weighs what the teachers made. A judge looks at triplets and answers with verdicts: a score, and whether to keep.

To add one: write a frozen, keyword-only dataclass with a `name`, a `cost` and `judge(triplets) -> list[Verdict]` (see
`base.Judge`) in a file of its own and name it in `JUDGES`. The contract tests and `tutelage judge` find it there. A
judge has one threshold: where several numbers decide, each has a judge, so that all are stored and any can be moved
later. Fields of the type `str | Path` name networks.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.judges.base import Judge

JUDGES: Final[dict[str, str]] = {
    "clip-captions": "tutelage.judges.clip_captions:ClipCaptions",
    "clip-direction": "tutelage.judges.clip_direction:ClipDirection",
    "clip-image": "tutelage.judges.clip_image:ClipImage",
    "delta-clip": "tutelage.judges.delta_clip:DeltaClip",
    "distilled": "tutelage.judges.distilled:Distilled",
    "duplicates": "tutelage.judges.duplicates:Duplicates",
    "duplicates-semantic": "tutelage.judges.duplicates_semantic:SemanticDuplicates",
    "leakage": "tutelage.judges.leakage:Leakage",
    "leakage-semantic": "tutelage.judges.leakage_semantic:SemanticLeakage",
    "leakage-text": "tutelage.judges.leakage_text:TextLeakage",
    "likeness": "tutelage.judges.likeness:Likeness",
    "oracle": "tutelage.judges.oracle:Oracle",
    "outside-mask": "tutelage.judges.outside_mask:OutsideMask",
    "safety": "tutelage.judges.safety:Safety",
    "size-and-bytes": "tutelage.judges.size_and_bytes:SizeAndBytes",
    "tags": "tutelage.judges.tags:Tags",
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
