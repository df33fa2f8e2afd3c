"""However workers die, hang and dawdle, each shard is written once, in its place."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.executors.base import Hopeless, Outcome
from tutelage.executors.dispatch import Died, Event, Unwritten, Written, dispatch
from tutelage.executors.leases import Leases, Rules
from tutelage.executors.simulated import SimulatedPool, World


class Poisoned(SimulatedPool):
    """Some shards kill whoever gets them."""

    poison: frozenset[int] = frozenset()

    def give(self, worker: int, shard: Any) -> None:
        super().give(worker, shard)
        if shard in self.poison:
            self._at(self.now() + 1e-3, Died(worker, f"shard {shard} is poison"), self._workers[worker].life)


class Leaking(SimulatedPool):
    """A sink that dies, and results that are lost on their way to it, every other time."""

    writes = 0

    def wait(self, until: float) -> list[Event]:
        events = super().wait(until)
        for at, event in enumerate(events):
            if isinstance(event, Written):
                self.writes += 1
                if self.writes % 3 < 2:
                    events[at] = Unwritten(lost=self.writes % 3 == 1, reason="a leak")
        return events


def outcomes(pool: SimulatedPool, count: int, rules: Rules | None = None) -> list[Outcome]:
    return list(dispatch(pool, ((number, number) for number in range(count)), rules or Rules()))


worlds = st.builds(
    World,
    workers=st.integers(1, 6),
    shard=st.floats(1.0, 50.0),
    spread=st.floats(0.0, 1.0),
    straggling=st.floats(0.0, 0.3),
    slowness=st.just(20.0),
    start=st.floats(0.0, 30.0),
    life=st.one_of(st.just(math.inf), st.floats(200.0, 2000.0)),
    absence=st.floats(0.0, 100.0),
    silent=st.floats(0.0, 1.0),
    commit=st.floats(0.0, 20.0),
    written=st.floats(0.0, 5.0),
    seed=st.integers(0, 99),
)


@given(world=worlds, count=st.integers(0, 60))
def test_each_shard_is_written_once_and_in_order(world: World, count: int) -> None:
    pool = SimulatedPool(world)
    found = outcomes(pool, count, Rules(tries=1000))
    assert [(one.number, one.answer, one.failed) for one in found] == [(number, number, "") for number in range(count)]
    assert pool.spent.useful <= pool.spent.working * (1 + 1e-9)


@given(world=worlds, ahead=st.integers(1, 5))
def test_no_more_is_read_than_there_is_room_for(world: World, ahead: int) -> None:
    read, written = 0, 0

    def shards() -> Iterator[tuple[int, int]]:
        nonlocal read
        for number in range(40):
            read += 1
            assert read - written <= world.workers * ahead
            yield number, number

    for _ in dispatch(SimulatedPool(world), shards(), Rules(tries=1000, ahead=ahead)):
        written += 1
    assert written == 40


@given(poison=st.sets(st.integers(0, 19), max_size=2), tries=st.integers(1, 4), seed=st.integers(0, 9))
def test_a_shard_that_kills_is_given_up_and_the_others_are_done(poison: set[int], tries: int, seed: int) -> None:
    pool = Poisoned(World(workers=3, shard=10.0, seed=seed))
    pool.poison = frozenset(poison)
    found = outcomes(pool, 20, Rules(tries=tries))
    assert [one.number for one in found] == list(range(20))
    assert {one.number for one in found if one.failed} == poison
    assert all(one.tries == tries and "is poison" in one.failed for one in found if one.failed)


def test_if_shard_after_shard_kills_it_stops() -> None:
    pool = Poisoned(World(workers=3, shard=10.0))
    pool.poison = frozenset(range(5, 20))
    with pytest.raises(Hopeless, match=r"shard after shard fails; the last one: shard \d+ is poison"):
        outcomes(pool, 20)


def test_if_no_worker_lives_to_work_it_stops() -> None:
    with pytest.raises(Hopeless, match="dies before it is ready, again and again: it was preempted"):
        outcomes(SimulatedPool(World(workers=1, shard=1.0, start=1000.0, life=1.0)), 3)


@given(seed=st.integers(0, 99), workers=st.integers(1, 4))
def test_what_was_not_written_is_written_again(seed: int, workers: int) -> None:
    pool = Leaking(World(workers=workers, shard=5.0, spread=0.5, commit=3.0, seed=seed))
    assert [one.answer for one in outcomes(pool, 30, Rules(tries=1000))] == list(range(30))


def test_a_late_shard_is_given_to_an_idle_worker_and_the_first_result_counts() -> None:
    leases = Leases(((number, "") for number in range(5)), 2, Rules(late=3.0, silence=1000.0))
    for number in range(4):  # what is usual is known: 10 s
        assert leases.take(0, 10.0 * number) is not None
        assert leases.made(0, "quick", 10.0 * (number + 1))
    assert leases.take(0, 40.0) is not None
    assert leases.take(1, 69.9) is None
    assert leases.wakes(idle=True) == 70.0
    again = leases.take(1, 70.0)
    assert again is not None
    assert again.number == 4
    assert leases.take(2, 200.0) is None  # two are enough
    assert leases.made(1, "second", 80.0)
    assert not leases.made(0, "first", 90.0)
    assert [task.result for task in leases.ready()] == ["quick"] * 4 + ["second"]


def test_a_lease_expires_when_nothing_is_heard() -> None:
    leases = Leases(iter([(0, "")]), 1, Rules(silence=60.0))
    assert leases.take(0, 0.0) is not None
    assert leases.expired(59.0, lambda _: 0.0) == []
    assert leases.expired(60.0, lambda _: 50.0) == []
    assert leases.wakes(idle=False) == 110.0
    assert leases.expired(110.0, lambda _: 50.0) == [0]
    leases.lost(0, "silent")
    again = leases.take(1, 111.0)
    assert again is not None
    assert again.tries == 2


def test_dispatch_is_the_same_every_time() -> None:
    world = World(workers=5, shard=10.0, straggling=0.1, life=300.0, absence=20.0, silent=0.5, commit=2.0)
    pools = [SimulatedPool(world) for _ in range(2)]
    assert outcomes(pools[0], 100) == outcomes(pools[1], 100)
    assert (pools[0].now(), pools[0].spent) == (pools[1].now(), pools[1].spent)
    assert pools[0].spent.deaths > 0
