"""Steps and sinks that leave traces in files, so that processes and actors can be watched."""

import atexit
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutelage.errors import BadInput
from tutelage.executors.base import Resources


@dataclass(frozen=True)
class Doubling:
    """Twice a number; some shards come to grief."""

    notes: Path
    ends: Path | None = None
    """Where a process leaves a file when it ends by itself."""
    resources: Resources = field(default_factory=Resources)

    def __call__(self, shard: dict[str, Any]) -> int:
        number = shard["number"]
        (self.notes / f"{number} {os.getpid()}").touch()
        if self.ends is not None:
            atexit.register((self.ends / str(os.getpid())).touch)
        first = len(list(self.notes.glob(f"{number} *"))) == 1
        if shard.get("kills") == "always" or (shard.get("kills") == "once" and first):
            os.kill(os.getpid(), signal.SIGKILL)
        if shard.get("hangs") and first:
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(600)  # another thread may take the signal, and leave this one time to answer
        if shard.get("raises"):
            raise ArithmeticError(f"no luck with {number}")
        if shard.get("wrong"):
            raise BadInput(f"shard {number} is wrong; mend it")
        time.sleep(shard.get("seconds", 0.0))
        return 2 * number


@dataclass(frozen=True)
class Lines:
    """A file with a line for each result, a line for each write before it is made, and one for its end."""

    path: Path

    @contextmanager
    def __call__(self) -> Iterator[Any]:
        def write(results: Any) -> list[str]:
            with self.path.open("a") as file:
                file.writelines(f"{result}\n" for result in results)
            return [f"wrote {result}" for result in results]

        yield write
        with self.path.open("a") as file:
            file.write("closed\n")


@dataclass(frozen=True)
class Dying:
    """A sink that is killed once, between writing and saying so."""

    lines: Lines

    @contextmanager
    def __call__(self) -> Iterator[Any]:
        with self.lines() as write:

            def die(results: Any) -> Any:
                answers = write(results)
                killed = self.lines.path.with_suffix(".killed")
                if not killed.exists():
                    killed.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                return answers

            yield die
