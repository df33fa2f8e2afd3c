"""Where steps run. An executor maps a step over shards and has one sink write what comes of them, in order.

What every executor does alike (leases, retries, order, how much may wait) is in `leases` and `dispatch`; an executor
only starts workers and carries shards to them. To add one: write its pool (see `dispatch.Pool`) and a frozen dataclass
with `map` (see `base.Executor`) in a file of its own, and name it in `EXECUTORS`.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tutelage.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from tutelage.executors.base import Executor

EXECUTORS: Final[dict[str, str]] = {
    "local": "tutelage.executors.local:Local",
    "ray": "tutelage.executors.ray:Ray",
}
"""Executor → "module:class"."""


def executor(name: str) -> "Callable[..., Executor]":
    """The class of an executor; Ray is imported when something is mapped.

    Raises:
        BadInput: there is no executor of that name.
    """
    if name not in EXECUTORS:
        raise BadInput(f"no executor '{name}'.{did_you_mean(name, EXECUTORS)} There are {', '.join(EXECUTORS)}")
    module, _, attribute = EXECUTORS[name].partition(":")
    found: Callable[..., Executor] = getattr(importlib.import_module(module), attribute)
    return found
