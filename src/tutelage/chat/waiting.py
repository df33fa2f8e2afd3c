"""When to ask again: back-off, what a server asks for, and when to give up on it."""

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tutelage.errors import BadInput

LONGEST_PAUSE: Final = 60.0
"""Seconds between two attempts, unless the server asks for more."""
SILENT: Final = 16
"""Requests in a row that came to nothing before a server counts as down; at least twice as many as are under way."""


class Patience:
    """Shared by the threads that ask one server."""

    def __init__(self, parallel: int) -> None:
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._silent, self._most_silent = 0, max(SILENT, 2 * parallel)
        self.spoken = False
        """Whether the server has answered anything yet."""

    def hold(self, seconds: float) -> None:
        """Let nobody ask for so long: the server is told to be busy with all of us."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def wait(self, seconds: float = 0.0) -> None:
        """Sleep for so long, or longer if the server asked for it; returns at once after `stop`."""
        until = max(time.monotonic() + seconds, self._not_before)
        self._stopped.wait(max(0.0, until - time.monotonic()))

    def stop(self) -> None:
        """Wake whoever waits."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether nobody wants an answer any more."""
        return self._stopped.is_set()

    def heard(self) -> None:
        """Note an answer."""
        with self._lock:
            self._silent, self.spoken = 0, True

    def silent(self, why: str) -> None:
        """Note that a request came to nothing.

        Raises:
            BadInput: so did many in a row.
        """
        with self._lock:
            self._silent += 1
            if self._silent >= self._most_silent:
                raise BadInput(f"{why}. {self._silent} requests in a row came to nothing, so no more are sent")


def pause(first: float, attempt: int) -> float:
    """Seconds to wait after attempt 0, 1, …: each twice as long, up to a minute."""
    return min(LONGEST_PAUSE, first * 2.0 ** min(attempt, 60))


def retry_after(header: str) -> float:
    """A `Retry-After` in seconds: a number, or a date (RFC 9110, 10.2.3); 0 for what is neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
