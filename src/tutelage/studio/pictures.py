"""Pictures that pages show, by what they hold: a name that says neither where one is from nor who made it."""

import hashlib
import threading
from collections import OrderedDict
from typing import Final

MOST_BYTES: Final = 256 * 2**20
ROUTE: Final = "picture"
"""Pages ask for `picture/KEY`."""


class Pictures:
    """Files in memory; the ones that were asked for longest ago go when there are too many bytes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most, self._bytes = most, 0
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._guard = threading.Lock()

    def add(self, data: bytes) -> str:
        """Keep a file; its key, 32 hex digits."""
        key = hashlib.sha256(data).hexdigest()[:32]
        with self._guard:
            if key not in self._files:
                self._files[key] = data
                self._bytes += len(data)
            self._files.move_to_end(key)
            while self._bytes > self._most and len(self._files) > 1:
                self._bytes -= len(self._files.popitem(last=False)[1])
        return key

    def get(self, key: str) -> bytes | None:
        """The file of a key; None if it went, or never was."""
        with self._guard:
            if key in self._files:
                self._files.move_to_end(key)
            return self._files.get(key)

    def url(self, data: bytes) -> str:
        """Keep a file; where pages find it."""
        return f"{ROUTE}/{self.add(data)}"
