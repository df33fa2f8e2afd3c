"""The same steps on a Ray cluster of this machine: actors, and the one that writes, are killed."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import traces
from test_local import numbered, tried

from tutelage.errors import BadInput
from tutelage.executors.leases import Rules
from tutelage.executors.local import Local
from tutelage.executors.ray import Ray, connect

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'tutelage[ray]'"
)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Started once: it takes seconds."""
    connect("")
    import ray

    ray.cloudpickle.register_pickle_by_value(traces)
    yield
    ray.shutdown()


def test_killed_and_stopped_actors_are_replaced_and_it_ends_as_on_this_machine(tmp_path: Path) -> None:
    """The sink dies as well, after it wrote and before it could say so: what it wrote is written again."""
    shards = numbered(12, kills={1: "once", 2: "always"}, hangs={5: True}, seconds={0: 0.5})
    rules = Rules(tries=2, silence=3.0)
    ends = {}
    for kind in (Ray, Local):
        out = tmp_path / kind.__name__
        (out / "notes").mkdir(parents=True)
        step, lines = traces.Doubling(out / "notes"), traces.Lines(out / "lines")
        sink = traces.Dying(lines) if kind is Ray else lines
        found = kind(workers=2, rules=rules).map(step, shards, sink)
        ends[kind] = [(one.number, one.answer, bool(one.failed)) for one in found]
        assert {number: tried(out, number) for number in (0, 1, 2, 5)} == {0: 1, 1: 2, 2: 2, 5: 2}
    assert ends[Ray] == ends[Local]
    lines_of = {kind: (tmp_path / kind.__name__ / "lines").read_text().split() for kind in (Ray, Local)}
    assert (tmp_path / "Ray" / "lines.killed").exists()
    assert sorted(set(lines_of[Ray])) == sorted(lines_of[Local])
    assert lines_of[Ray][-1] == "closed"


def test_what_the_user_can_mend_stops_all(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    step, sink = traces.Doubling(tmp_path / "notes"), traces.Lines(tmp_path / "lines")
    with pytest.raises(BadInput, match="shard 1 is wrong; mend it"):
        list(Ray(workers=1).map(step, numbered(3, wrong={1: True}), sink))


def test_what_is_started_here_listens_to_this_machine_only() -> None:
    import psutil

    ours = psutil.Process().children(recursive=True)
    heard = {at.laddr.ip for one in ours for at in one.net_connections() if at.status == psutil.CONN_LISTEN}
    assert heard
    assert {name.removeprefix("::ffff:") for name in heard} <= {"127.0.0.1", "::1"}
