"""`tutelage bench viescore-hygiene`: what becomes of VIEScore when the judge misbehaves.

Protocol `fake-server`: a server on this machine answers, refuses, stalls and breaks its JSON at the rates given, and
knows what it would have said of every picture. A run scores half of the items and ends; a second one, which shares its
cache, scores all; a third scores all again. A fourth has a cache of its own and half the money.

`said by the judge`: scores that are the judge's own, of all that were given. `asked once`: requests that reached the
model once, of all that did. `not asked again`: 1 if the third run sent nothing. `within budget`: 1 if what the server
billed, stalled requests included, is at most what was noted, and that at most the budget.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from tutelage.benches.base import Row, print_table, write_json
from tutelage.benches.intervals import Interval, wilson
from tutelage.chat.fake_server import Asked, FakeServer, Faults
from tutelage.chat.settings import Budget, Manners
from tutelage.errors import BadInput
from tutelage.viescore.coverage import coverage
from tutelage.viescore.items import SIDES, Item, Scored
from tutelage.viescore.pretend import MODEL, say, truth
from tutelage.viescore.tasks import RUBRICS, TASKS

if TYPE_CHECKING:
    from tutelage.chat.endpoint import Endpoint

BENCH: Final = "viescore-hygiene"
PROTOCOL: Final = "fake-server"
WHOLE, SHORT = "resumed run", "run with half the money"
TARGETS: Final[dict[tuple[str, str, str], float]] = {
    (BENCH, row, metric): 1.0
    for row in (WHOLE, SHORT)
    for metric in ("said by the judge", "asked once", "not asked again", "within budget")
    if (row, metric) != (SHORT, "not asked again")
}
BUDGET: Final = Budget(price_in=2.5, price_out=10.0, picture_tokens=800)
NEVER_MODEL: Final = ("limit", "fail")
"""Faults of requests that the model never saw."""


@dataclass(frozen=True, kw_only=True)
class HygieneBench:
    """Scores, coverage, cost and resuming with a judge that misbehaves."""

    items: int = 210
    faults: Faults = field(default_factory=lambda: Faults(refuse=0.3, stall=0.1, bad_json=0.2))
    timeout: float = 0.5
    """Seconds after which a request counts as stalled."""
    parallel: int = 16
    seed: int = 0
    """Of the pictures."""

    def __post_init__(self) -> None:
        if self.items < 2:
            raise BadInput(f"items is {self.items}; give at least 2")

    def run(self) -> list[Row]:
        """Rows of the resumed run, of the one with half the money, and of what the server did."""
        items = made_items(self.items, self.seed)
        with FakeServer(say, self.faults) as server, TemporaryDirectory() as folder:
            budget = replace(BUDGET, requests=20 * self.items)
            self._score(server, Path(folder) / "whole", budget, items[: self.items // 2])
            resumed, whole = self._score(server, Path(folder) / "whole", budget, items)
            before = len(server.log)
            repeated, again = self._score(server, Path(folder) / "whole", budget, items)
            sent = len(server.log) - before
            assert [one.overall for one in repeated] == [one.overall for one in resumed]
            rows = [*self._rows(WHOLE, items, resumed, server.log, again, budget), _flag("not asked again", sent == 0)]
            log, first = server.log, len(server.log)
            half = replace(BUDGET, cost=whole.purse.cost / 2)
            scored, asker = self._score(server, Path(folder) / "short", half, items)
            rows += self._rows(SHORT, items, scored, log[first:], asker, half)
            return rows + list(_faults(self.faults, log))

    def _score(
        self, server: FakeServer, cache: Path, budget: Budget, items: Sequence[Item]
    ) -> "tuple[list[Scored], Endpoint]":
        """Score in a new process's stead: nothing is shared with other runs but the cache."""
        from tutelage.chat.endpoint import Endpoint
        from tutelage.viescore.scorer import Scorer

        manners = Manners(parallel=self.parallel, timeout=self.timeout, pause=0.01, budget=budget)
        endpoint = Endpoint.at(f"{server.url}#{MODEL}", cache, manners, insist=False)
        scored = Scorer(model=endpoint).score(items)
        endpoint.store.close()
        return scored, Endpoint.at(f"{server.url}#{MODEL}", cache, manners, insist=False)

    def _rows(
        self,
        row: str,
        items: Sequence[Item],
        scored: Sequence[Scored],
        log: Sequence[Asked],
        endpoint: "Endpoint",
        budget: Budget,
    ) -> list[Row]:
        given = [
            one.halves[side].scores == truth(item, side)
            for item, one in zip(items, scored, strict=True)
            for side in SIDES
            if one.halves[side].scores
        ]
        seen = Counter(asked.digest for asked in log if asked.fault not in NEVER_MODEL)
        rows = [
            _row(row, "said by the judge", wilson(sum(given), len(given)), len(given)),
            _row(row, "asked once", wilson(sum(times == 1 for times in seen.values()), len(seen)), len(seen)),
            *_coverage(row, scored),
            *_cost(row, log, endpoint, budget),
        ]
        endpoint.store.close()
        return rows


def hygiene_command(
    *,
    items: int = 210,
    refuse: float = 0.3,
    stall: float = 0.1,
    bad_json: float = 0.2,
    truncate: float = 0.0,
    prose: float = 0.0,
    limit: float = 0.0,
    fail: float = 0.0,
    seed: int = 0,
    json: Path | None = None,
) -> int:
    """Print what becomes of VIEScore when the judge misbehaves: made-up scores, coverage, cost, resuming.

    The judge is a server on this machine that looks at nothing. Exit status 1 if a target is missed.

    Args:
        items: Pictures to score.
        refuse: Share of the requests that the model will not answer.
        stall: Share that nothing comes of.
        bad_json: Share that is answered with JSON that cannot be read.
        truncate: Share whose answer ends half-way.
        prose: Share that is answered with words.
        limit: Share that is turned away with status 429.
        fail: Share that is turned away with status 500, 502 or 503.
        seed: Of the pictures and of what goes wrong.
        json: File to write the rows to as well.

    Raises:
        BadInput: a number is out of range, or the file cannot be written.
    """
    rates = {"refuse": refuse, "stall": stall, "bad_json": bad_json, "truncate": truncate, "prose": prose}
    faults = Faults(**rates, limit=limit, fail=fail, seed=seed)
    rows = HygieneBench(items=items, faults=faults, seed=seed).run()
    print_table(rows, TARGETS)
    if json is not None:
        write_json(rows, json)
    wanted = ((row, TARGETS.get((row.bench, row.row, row.metric))) for row in rows)
    return int(any(goal is not None and (row.value is None or row.value < goal) for row, goal in wanted))


def made_items(count: int, seed: int) -> list[Item]:
    """Items of all seven tasks in turn, with pictures of noise that are all different."""
    import numpy as np
    from PIL import Image

    from tutelage.diffusion.pictures import png

    def picture(*key: int) -> bytes:
        pixels = np.random.default_rng([seed, *key]).integers(0, 256, (16, 16, 3), np.uint8)
        return png(Image.fromarray(pixels))

    tasks = [TASKS[number % len(TASKS)] for number in range(count)]
    return [
        Item(
            id=str(number),
            task=task,
            prompt=f"picture {number}",
            pictures=tuple(picture(number, at) for at in range(len(RUBRICS[task].shows))),
        )
        for number, task in enumerate(tasks)
    ]


def _coverage(row: str, scored: Sequence[Scored]) -> Iterator[Row]:
    for one in coverage(scored):
        yield _row(row, f"coverage {one.name}", wilson(one.scored, one.items), one.items, one.items - one.scored)
        for cause, count in one.causes.items():
            yield _row(row, f"missing {one.name}: {cause}", wilson(count, one.items), one.items)


def _cost(row: str, log: Sequence[Asked], endpoint: "Endpoint", budget: Budget) -> Iterator[Row]:
    """Requests and cost, as the server billed them, as they were noted, and as they were allowed."""
    spent, noted = endpoint.purse.spent, endpoint.purse.cost
    tokens_in, tokens_out = (sum(getattr(asked, name) for asked in log) for name in ("tokens_in", "tokens_out"))
    billed = (tokens_in * budget.price_in + tokens_out * budget.price_out) / 1e6
    allowed = {"requests": budget.requests, "cost": budget.cost}
    yield from (_row(row, f"{name} allowed", Interval(float(value), None, None), 1)
                for name, value in allowed.items() if value is not None)  # fmt: skip
    figures = {"requests sent": len(log), "requests noted": spent.requests, "cost billed": billed, "cost noted": noted}
    yield from (_row(row, name, Interval(float(value), None, None), 1) for name, value in figures.items())
    fits = budget.cost is None or noted <= budget.cost
    fits = fits and (budget.requests is None or spent.requests <= budget.requests)
    yield _flag("within budget", billed <= noted + 1e-9 and len(log) <= spent.requests and fits, row)


def _faults(faults: Faults, log: Sequence[Asked]) -> Iterator[Row]:
    done = Counter(asked.fault for asked in log)
    for name, rate in faults.rates().items():
        if rate:
            yield _row("server", f"{name} (asked for {rate:g})", wilson(done[name], len(log)), len(log))  # type: ignore[index]


def _flag(metric: str, holds: bool, row: str = WHOLE) -> Row:
    return _row(row, metric, Interval(float(holds), None, None), 1)


def _row(row: str, metric: str, interval: Interval, n: int, missing: int = 0) -> Row:
    told: dict[str, Any] = dict(zip(("value", "low", "high"), interval, strict=True))
    return Row(bench=BENCH, protocol=PROTOCOL, row=row, metric=metric, **told, n=n, missing=missing)
