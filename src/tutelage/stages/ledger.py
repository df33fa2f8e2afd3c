"""A folder that remembers which shards are done, line by line, so that no start does them again.

A line is written when the sink has the shard's result, never before: a run that is killed in between makes the shard
again, and the sink drops what it has. `planning` drives this with workers that only take time.
"""

import sys
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tutelage.executors.base import Executor, Outcome, Shards, Sink, Step
from tutelage.run import append_log, read_log
from tutelage.stages.progress import Progress

Line = dict[str, Any]
"""`shard`, `tries`, the sink's answer, and for a shard that no worker could do `failed`, which says why."""


class Ledger:
    """Of one step. A shard that failed is not done: the next start tries it again."""

    def __init__(self, folder: Path, failed: Mapping[str, Any]) -> None:
        """In a folder, which is made; `failed` is what stands in the line of a shard for the answer it never got."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._failed = folder, failed
        self.done = {line["shard"]: line for line in read_log(folder) if not line.get("failed")}
        """Shard → its line, of this start and those before."""

    def work_through(self, shards: Shards, executor: Executor, step: Step, sink: Sink) -> Generator[Line]:
        """Have what is not done done; yield the lines as they are written.

        Raises:
            BadInput: what the step or the sink raised.
            Hopeless: nothing gets done.
        """
        left = ((number, shard) for number, shard in shards if number not in self.done)
        with closing(executor.map(step, left, sink)) as outcomes:
            for outcome in outcomes:
                line = self._line(outcome)
                append_log(self.folder, line)
                self.done[outcome.number] = line
                yield line

    def follow(self, lines: Generator[Line], progress: Progress) -> None:
        """Draw the lines of `work_through` to their end, and show how many assignments are done."""
        with closing(lines), progress as bar:
            bar.advance(sum(line["assignments"] for line in self.done.values()))
            for line in lines:
                bar.advance(line["assignments"])

    def _line(self, outcome: Outcome) -> Line:
        if outcome.failed:
            print(f"shard {outcome.number} failed {outcome.tries} times: {outcome.failed}", file=sys.stderr)
            return {"shard": outcome.number, **self._failed, "tries": outcome.tries, "failed": outcome.failed}
        return {"shard": outcome.number, **outcome.answer, "tries": outcome.tries}
