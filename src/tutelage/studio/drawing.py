"""A drawing as it goes: made in a thread of its own, told of in moments, and given up when nobody looks any more."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from tutelage.stamp import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

Tick = Callable[[], None]
"""Called at each evaluation of a network; what it raises ends the drawing."""

APART: Final = 0.15
"""Seconds between two moments of progress, at least."""


class Wished(Protocol):
    """What is to be drawn."""

    @property
    def who(self) -> tuple[str, ...]:
        """By whom, one after the other."""
        ...


W_contra = TypeVar("W_contra", bound=Wished, contravariant=True)
W = TypeVar("W", bound=Wished)


class Drawers(Protocol[W_contra]):
    """Those who draw, or edit."""

    @property
    def busy(self) -> threading.RLock:
        """One drawing at a time."""
        ...

    def drawn(self, who: str, wish: W_contra, tick: Tick) -> "Iterator[tuple[Image, Settings]]":
        """Yield the pictures of one of them as they are made."""
        ...

    def evaluations(self, who: str, wish: W_contra) -> int:
        """About how many ticks that has; 0 where it is not known."""
        ...


class Stopped(Exception):
    """Nobody waits for the drawing."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one artist is."""

    who: str
    share: float | None
    """Of its work, in [0, 1]; None: it does not say."""
    seconds: float
    """Since the drawing began."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A finished picture."""

    who: str
    image: "Image"
    settings: Settings
    seconds: float
    """Since the drawing began."""


Moment = Progress | Drawn


class Stops:
    """Which drawings somebody wants to stop, by the page that they look at."""

    def __init__(self) -> None:
        self._wanted: dict[str | None, threading.Event] = {}

    @contextmanager
    def of(self, page: str | None) -> Iterator[threading.Event]:
        """Within it a page's drawing may be stopped: what is set when it is to."""
        wanted = self._wanted[page] = threading.Event()
        try:
            yield wanted
        finally:
            self._wanted.pop(page, None)

    def stop(self, page: str | None) -> None:
        """Stop what a page draws now, if it does."""
        if (wanted := self._wanted.get(page)) is not None:
            wanted.set()


def drawing(artists: Drawers[W], wish: W, stop: threading.Event | None = None) -> Iterator[Moment]:
    """Yield what happens, artist by artist; `stop`, or closing the iterator, ends the work within a step.

    Raises:
        BadInput: a model cannot be loaded, or the wish does not fit it.
    """
    inbox: queue.Queue[Moment | BaseException | None] = queue.Queue()
    worker = _Worker(artists, wish, inbox, stop or threading.Event())
    thread = threading.Thread(target=worker.run, name="drawing", daemon=True)
    thread.start()
    try:
        while (moment := inbox.get()) is not None:
            if isinstance(moment, BaseException):
                raise moment
            yield moment
    finally:
        worker.stop.set()


class _Worker(Generic[W]):
    def __init__(
        self, artists: Drawers[W], wish: W, inbox: "queue.Queue[Moment | BaseException | None]", stop: threading.Event
    ) -> None:
        self.artists, self.wish, self.inbox = artists, wish, inbox
        self.stop = stop
        self.began = time.monotonic()
        self._ticks, self._told = 0, 0.0

    def run(self) -> None:
        try:
            with self.artists.busy:
                for who in self.wish.who:
                    self._draw(who)
            self.inbox.put(None)
        except Stopped:
            self.inbox.put(None)
        except Exception as error:  # noqa: BLE001  # the thread that waits raises it
            self.inbox.put(error)

    def _draw(self, who: str) -> None:
        self._check()
        self._say(who, 0)
        total, self._ticks = self.artists.evaluations(who, self.wish), 0

        def tick() -> None:
            self._check()
            self._ticks += 1
            if time.monotonic() - self._told >= APART:
                self._say(who, total)

        for image, settings in self.artists.drawn(who, self.wish, tick):
            self._check()
            self.inbox.put(Drawn(who=who, image=image, settings=settings, seconds=self._seconds()))

    def _check(self) -> None:
        if self.stop.is_set():
            raise Stopped

    def _say(self, who: str, total: int) -> None:
        self._told = time.monotonic()
        share = min(self._ticks / total, 1.0) if total else None
        self.inbox.put(Progress(who=who, share=share, seconds=self._seconds()))

    def _seconds(self) -> float:
        return time.monotonic() - self.began
