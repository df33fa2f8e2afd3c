"""The command that repeats a run, found from its settings and checked."""

import importlib
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tutelage.run import plain


def command(recipe: str, config: Mapping[str, Any]) -> str | None:
    """`tutelage run RECIPE` with the flags that give these settings; None if no flags of this version's recipe do.

    Only what differs from the recipe's own settings is named. The flags are parsed as the command line would, and the
    result is compared with `config` before they are shown.
    """
    from tutelage.recipes import RECIPES

    if recipe not in RECIPES:
        return None
    module, _, name = RECIPES[recipe].partition(":")
    default = getattr(importlib.import_module(module), name)()
    flags = list(flags_of(plain(default), config))
    return shlex.join(["tutelage", "run", recipe, *flags]) if _parsed(default, flags) == config else None


def flags_of(default: Mapping[str, Any], config: Mapping[str, Any], prefix: str = "--") -> Iterator[str]:
    """The flags that turn the settings `default` into `config`, both as `run.plain` has them."""
    for name, value in config.items():
        then, flag = default.get(name), f"{prefix}{name.replace('_', '-')}"
        if isinstance(then, dict) and isinstance(value, dict):
            yield from flags_of(then, value, f"{flag}.")
        elif value != then and isinstance(value, bool):
            yield flag if value else f"{prefix}no-{name.replace('_', '-')}"
        elif value != then:
            yield flag
            yield from map(str, value if isinstance(value, list) else [value])


def _parsed(default: Any, flags: list[str]) -> Any:
    import tyro

    try:
        return plain(tyro.cli(type(default), default=default, args=flags, console_outputs=False))
    except SystemExit:
        return None
