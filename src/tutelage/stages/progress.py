"""One bar a step: how far, how fast, how long yet."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars


class Progress:
    """A bar on stderr, if that is a terminal; what was done in an earlier run does not count for the rate."""

    def __init__(self, what: str, total: int, unit: str) -> None:
        console = Console(stderr=True)
        rate = TextColumn("{task.fields[rate]}")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
        self._bars = Bars(*columns, console=console, disable=not console.is_terminal)
        self._task = self._bars.add_task(what, total=total, rate="")
        self._unit = unit

    def advance(self, count: int, said: str = "") -> None:
        """Go on by so many, and say something beside the rate."""
        self._bars.advance(self._task, count)
        task: Task = self._bars.tasks[0]
        speed = task.finished_speed or task.speed
        rate = f"{speed:.2g} {self._unit} a second" if speed else ""
        self._bars.update(self._task, rate=" ".join(filter(None, (rate, said))))

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
