"""Processes that are killed, stopped and wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from traces import Doubling, Lines

from tutelage.errors import BadInput
from tutelage.executors import executor
from tutelage.executors.leases import Rules
from tutelage.executors.local import Local


def numbered(count: int, **special: dict[int, Any]) -> list[tuple[int, dict[str, Any]]]:
    """Shards; `kills={3: "once"}` says what befalls the third."""
    return [
        (number, {"number": number, **{name: at[number] for name, at in special.items() if number in at}})
        for number in range(count)
    ]


def traces(folder: Path) -> tuple[Doubling, Lines]:
    (folder / "notes").mkdir()
    return Doubling(folder / "notes"), Lines(folder / "lines")


def tried(folder: Path, number: int) -> int:
    """Processes that a shard saw."""
    return len(list((folder / "notes").glob(f"{number} *")))


def test_killed_and_stopped_workers_are_replaced_and_order_stays(tmp_path: Path) -> None:
    step, sink = traces(tmp_path)
    shards = numbered(12, kills={1: "once", 2: "always"}, hangs={5: True}, seconds={0: 0.5})
    found = list(Local(workers=2, rules=Rules(tries=2, silence=6.0)).map(step, shards, sink))
    assert [one.number for one in found] == list(range(12))
    assert [one.number for one in found if one.failed] == [2]
    assert found[2].failed == "a worker ended with status -9"
    assert [one.answer for one in found if not one.failed] == [f"wrote {2 * n}" for n in range(12) if n != 2]
    lines = (tmp_path / "lines").read_text().split()
    assert lines == [*(str(2 * n) for n in range(12) if n != 2), "closed"]
    assert {number: tried(tmp_path, number) for number in (0, 1, 2, 5)} == {0: 1, 1: 2, 2: 2, 5: 2}
    assert not psutil.Process().children(recursive=True) or all(
        "_serve" not in " ".join(child.cmdline()) for child in psutil.Process().children()
    )


def test_workers_that_have_done_all_end_by_themselves(tmp_path: Path) -> None:
    """Else what libraries hold of the system, such as a lock between processes, is lost, and Python says so."""
    step, sink = Doubling(tmp_path / "notes", ends=tmp_path / "ends"), Lines(tmp_path / "lines")
    for folder in (step.notes, tmp_path / "ends"):
        folder.mkdir()
    list(Local(workers=2).map(step, numbered(4, seconds={0: 0.5, 1: 0.5}), sink))
    assert len(list((tmp_path / "ends").iterdir())) == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_user_can_mend_stops_all(tmp_path: Path, workers: int) -> None:
    step, sink = traces(tmp_path)
    with pytest.raises(BadInput, match="shard 1 is wrong; mend it"):
        list(Local(workers=workers).map(step, numbered(8, wrong={1: True}), sink))


def test_one_worker_is_this_process_and_raises_what_it_raises(tmp_path: Path) -> None:
    step, sink = traces(tmp_path)
    found = Local().map(step, numbered(3, raises={1: True}), sink)
    assert next(found).answer == "wrote 0"
    with pytest.raises(ArithmeticError, match="no luck with 1"):
        next(found)


def test_what_raises_is_tried_elsewhere_and_its_traceback_kept(tmp_path: Path) -> None:
    step, sink = traces(tmp_path)
    found = list(Local(workers=2, rules=Rules(tries=2)).map(step, numbered(3, raises={1: True}), sink))
    assert "ArithmeticError: no luck with 1" in found[1].failed
    assert tried(tmp_path, 1) == 2
    assert [one.number for one in found] == [0, 1, 2]


def test_without_shards_nothing_is_started(tmp_path: Path) -> None:
    step, sink = traces(tmp_path)
    for workers in (1, 2):
        assert list(Local(workers=workers).map(step, [], sink)) == []
    assert not (tmp_path / "lines").exists()


def test_closed_early_it_ends_its_workers(tmp_path: Path) -> None:
    step, sink = traces(tmp_path)
    before = set(psutil.Process().children(recursive=True))
    found = Local(workers=2).map(step, numbered(100, seconds=dict.fromkeys(range(100), 0.05)), sink)
    assert next(found).answer == "wrote 0"
    found.close()
    left = [one for one in psutil.Process().children(recursive=True) if one not in before]
    assert [one for one in left if "spawn_main" in " ".join(one.cmdline())] == []


INTERRUPTED = """
import sys
from pathlib import Path

from test_local_executor import numbered, traces
from tutelage.executors.local import Local

step, sink = traces(Path(sys.argv[1]))
shards = numbered(1000, seconds=dict.fromkeys(range(1000), 0.05))
for outcome in Local(workers=2).map(step, shards, sink):
    print(outcome.number, flush=True)
"""


def test_ctrl_c_ends_workers_without_a_word_of_theirs(tmp_path: Path) -> None:
    """All processes of a terminal hear it; the workers leave it to the one that started them."""
    known = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | known, start_new_session=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == b"0\n"
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=60)
    lines = said.decode().splitlines()
    assert lines[-1] == "KeyboardInterrupt"
    assert lines.count("KeyboardInterrupt") == 1
    assert "spawn_main" not in said.decode(), said.decode()
    assert ends(run.pid)


def ends(group: int) -> bool:
    """The last process to go, which looks after shared memory, takes a moment."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_executors_are_found_by_name() -> None:
    assert executor("local") is Local
    with pytest.raises(BadInput, match=r"no executor 'lokal'\. Did you mean 'local'\?"):
        executor("lokal")
    for name in ("local", "ray"):
        with pytest.raises(BadInput, match="workers is 0; give at least 1"):
            executor(name)(workers=0)
