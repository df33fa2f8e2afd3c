"""Who measures. A bench is made of what it needs (checkpoints, counts, a seed) and answers with rows: figures with
intervals, counts and what is missing.

To add one: write a frozen, keyword-only dataclass with `run() -> list[Row]` (see `base.Bench`) in a file of its own and
name it in `BENCHES`. A figure that must be reached gets its line in the targets of the command that prints it.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.benches.base import Bench

BENCHES: Final[dict[str, str]] = {
    "toybox-clip": "tutelage.benches.toybox_clip:ClipBench",
    "toybox-dino": "tutelage.benches.toybox_dino:DinoBench",
    "toybox-sd": "tutelage.benches.toybox_sd:SdBench",
    "toybox-dit": "tutelage.benches.toybox_dit:DitBench",
    "toybox-seg": "tutelage.benches.toybox_seg:SegBench",
    "toybox-reader": "tutelage.benches.toybox_reader:ReaderBench",
    "toybox-tagger": "tutelage.benches.toybox_tagger:TaggerBench",
}
"""Bench → "module:class"."""


def bench(name: str) -> "Callable[..., Bench]":
    """The class of a bench; its module, and with it PyTorch, is imported now.

    Raises:
        BadInput: there is no bench of that name.
    """
    if name not in BENCHES:
        raise BadInput(f"no bench '{name}'.{did_you_mean(name, BENCHES)} There are {', '.join(BENCHES)}")
    module, _, attribute = BENCHES[name].partition(":")
    found: Callable[..., Bench] = getattr(importlib.import_module(module), attribute)
    return found
