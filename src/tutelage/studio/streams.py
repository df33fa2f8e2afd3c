"""One stream of answers for each open page, for as long as it is open."""

from typing import Any, Final

STAYS: Final = "the page"
"""Stands for the page itself among the events that a page still waits for."""


class Awaited(dict[str, set[str]]):
    """Session → the events that it waits for; never none.

    Gradio closes a page's stream when the page waits for nothing. What somebody clicks while that news is under way is
    answered into the closed stream, and the page waits for ever: the browser side takes the old stream for open still.
    """

    def __setitem__(self, session: str, events: set[str]) -> None:
        super().__setitem__(session, events | {STAYS})


def keep_open(blocks: Any) -> None:
    """Let streams end with their pages alone; to be called after `blocks.queue`, before anybody is served."""
    blocks._queue.pending_event_ids_session = Awaited()
