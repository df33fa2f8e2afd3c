"""What goes wrong, said on the page in the error's own words, without paths; anything else is a fault of ours."""

import functools
import inspect
from collections.abc import Callable
from html import escape
from typing import Any, Final

import gradio as gr

from tutelage.errors import BadInput
from tutelage.studio.paths import told

QUIET: Final[dict[str, Any]] = {"api_visibility": "private", "show_progress": "hidden"}
"""Of every event: no route of its own, and no veil over what is shown while it runs."""


def spoken(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler of an event, or a generator, whose `BadInput` is shown as a notice."""
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def streamed(*args: Any, **named: Any) -> Any:
            try:
                yield from handler(*args, **named)
            except BadInput as error:
                raise notice(error) from error

        return streamed

    @functools.wraps(handler)
    def answered(*args: Any, **named: Any) -> Any:
        try:
            return handler(*args, **named)
        except BadInput as error:
            raise notice(error) from error

    return answered


def notice(error: BadInput) -> Exception:
    """The notice of an error."""
    made: Exception = gr.Error(
        escape(told(error), quote=False), duration=10, print_exception=False, title="That cannot be done"
    )
    return made


def warn(words: str) -> None:
    """Show words as a notice; Gradio would take them for markup, and they may name a file that somebody brought."""
    gr.Warning(escape(words, quote=False), title="Please look")
