"""The same steps on a Ray cluster of this machine: actors, and the one that writes, are killed."""

import importlib.util
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import traces
from test_local_executor import numbered, tried

from tutelage.errors import BadInput
from tutelage.executors.leases import Rules
from tutelage.executors.ray import Ray
from tutelage.executors.ray_cluster import connect

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'tutelage[ray]'"
)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Started once: it takes seconds. Ray may have been imported before, as Daft does."""
    import ray

    connect("")

    ray.cloudpickle.register_pickle_by_value(traces)
    yield
    ray.shutdown()


def test_killed_and_stopped_actors_are_replaced_and_order_stays(tmp_path: Path) -> None:
    """The sink dies as well, after it wrote and before it could say so: what it wrote is written again."""
    (tmp_path / "notes").mkdir()
    step, lines = traces.Doubling(tmp_path / "notes"), traces.Lines(tmp_path / "lines")
    shards = numbered(10, kills={1: "once"}, hangs={5: True}, seconds={0: 0.5})
    found = list(Ray(workers=2, rules=Rules(silence=3.0)).map(step, shards, traces.Dying(lines)))
    assert [(one.number, one.answer) for one in found] == [(number, f"wrote {2 * number}") for number in range(10)]
    assert {number: tried(tmp_path, number) for number in (0, 1, 5)} == {0: 1, 1: 2, 5: 2}
    written = (tmp_path / "lines").read_text().split()
    assert (tmp_path / "lines.killed").exists()
    assert list(dict.fromkeys(written)) == [*(str(2 * number) for number in range(10)), "closed"]


def test_what_the_user_can_mend_stops_all(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    step, sink = traces.Doubling(tmp_path / "notes"), traces.Lines(tmp_path / "lines")
    with pytest.raises(BadInput, match="shard 1 is wrong; mend it"):
        list(Ray(workers=1).map(step, numbered(3, wrong={1: True}), sink))


def test_what_is_started_here_listens_to_this_machine_only() -> None:
    heard = set()
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended meanwhile
            heard |= {at.laddr.ip for at in one.net_connections() if at.status == psutil.CONN_LISTEN}
    assert heard
    assert {name.removeprefix("::ffff:") for name in heard} <= {"127.0.0.1", "::1"}


def test_the_launchers_example_is_one_that_ray_takes() -> None:
    """By Ray's own schema; and workers have what the head has, by which accelerators are counted at the start."""
    import json

    import ray.autoscaler
    import yaml
    from jsonschema import validate

    config = yaml.safe_load((Path(__file__).parents[2] / "docs" / "cluster.yaml").read_text())
    validate(config, json.loads(Path(ray.autoscaler.__file__).with_name("ray-schema.json").read_text()))
    kinds = config["available_node_types"]
    assert kinds[config["head_node_type"]]["resources"] == kinds["worker"]["resources"]
