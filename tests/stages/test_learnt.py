"""A student is what its corpus, settings and seed make of it, whatever order and whatever stops."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.run import CONFIG, append_log, read_log
from tutelage.stages import batches, learnt
from tutelage.stages.batches import GROWTH, picks
from tutelage.stages.learnt import MODEL, STUDENT, learn
from tutelage.stages.settings import Learning
from tutelage.students.examples import make_batch
from tutelage.students.folder import is_student
from tutelage.students.settings import SutiShape, SutiTraining
from tutelage.training.loop import STATE, fit
from tutelage.training.settings import Schedule
from tutelage.triplet import Triplet, Verdict

SCHEDULE = Schedule(steps=5, batch=2, lr=1e-3, warmup=1, ema=0.9)
TRAINING = SutiTraining(demonstrations=2, text_drop=0.3, references_drop=0.5)
"""So that some steps see no demonstrations at all."""
ANY = {"picky": (0.0, 1.0)}


@pytest.fixture(scope="module")
def triplets(make_triplet: Callable[..., Triplet]) -> list[Triplet]:
    texts = ("a bear toy on the beach", "a bear toy in the snow", "a red hat")
    return [make_triplet(f"{number:02x}", text=texts[number % 3]) for number in range(5)]


def run_of(out: Path, triplets: Sequence[Triplet]) -> Path:
    """A run whose corpus holds these; the judge likes the later ones better."""
    verdicts = [
        Verdict(triplet=one.id, judge="picky", score=int(one.cluster, 16) / 10, keep=one.cluster > "00")
        for one in triplets
    ]
    with Committer(out / "corpus") as committer:
        committer.append(triplets, verdicts)
    return out


def learning(base: Path, **changes: Any) -> Learning:
    plain: dict[str, Any] = {"training": TRAINING, "schedule": SCHEDULE, "gate": ANY, "bf16": False, "weights": "fp32"}
    return Learning(base=str(base), **(plain | changes))


def weights(folder: Path) -> dict[str, Tensor]:
    """All of a pipeline's, by file and name."""
    files = sorted(folder.rglob("*.safetensors"))
    return {f"{file.relative_to(folder)} {name}": value for file in files for name, value in load_file(file).items()}


def same(one: Path, other: Path) -> bool:
    ours, theirs = weights(one), weights(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@given(count=st.integers(1, 40), batch=st.integers(1, 50), epochs=st.integers(1, 3), seed=st.integers(0, 99))
def test_every_example_comes_once_before_any_comes_again(count: int, batch: int, epochs: int, seed: int) -> None:
    steps = -(-count * epochs // batch)
    seen = [pick for step in range(steps) for pick in picks(count, batch, step, seed)]
    assert len(seen) == steps * batch
    for epoch in range(len(seen) // count):
        assert sorted(seen[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_the_order_is_new_every_time() -> None:
    orders = [tuple(picks(20, 20, step, seed)) for step in range(3) for seed in range(3)]
    assert len(set(orders)) == 9


def test_the_order_of_writing_does_not_count(tmp_path: Path, triplets: list[Triplet], tiny_sd: Path) -> None:
    """Nor do triplets that the gate holds back; others do."""
    how = learning(tiny_sd, gate={"picky": (0.1, 0.35)})
    for name, written in {"a": triplets, "b": triplets[::-1], "c": triplets[1:4], "d": triplets[2:]}.items():
        counts = learn(how, 0, "cpu", run_of(tmp_path / name, written))
        assert counts == {"triplets": 2 if name == "d" else 3, "steps": 5}
    assert same(tmp_path / "a" / MODEL, tmp_path / "b" / MODEL)
    assert same(tmp_path / "a" / MODEL, tmp_path / "c" / MODEL)
    assert not same(tmp_path / "a" / MODEL, tmp_path / "d" / MODEL)


def test_seed_and_settings_count(tmp_path: Path, triplets: list[Triplet], tiny_sd: Path) -> None:
    how = learning(tiny_sd)
    ways = [
        (how, 0),
        (how, 1),
        (replace(how, optimiser="adafactor"), 0),
        (replace(how, training=replace(TRAINING, weighting="min-snr")), 0),
        (replace(how, bf16=True), 0),
    ]
    for number, (way, seed) in enumerate(ways):
        learn(way, seed, "cpu", run_of(tmp_path / str(number), triplets))
    assert not any(same(tmp_path / "0" / MODEL, tmp_path / str(number) / MODEL) for number in range(1, 5))


@pytest.mark.parametrize("optimiser", ["adamw", "adafactor"])
@pytest.mark.parametrize("base", ["tiny_sd", "tiny_sdxl"])
def test_killed_and_resumed_it_is_the_same_student(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    triplets: list[Triplet],
    killed: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    base: str,
    optimiser: str,
) -> None:
    """Stopped in the middle of a step, and of saving what was finished; one example a step, often without its text or
    demonstrations."""
    folder: Path = request.getfixturevalue(base)
    how = learning(folder, optimiser=optimiser, schedule=replace(SCHEDULE, batch=1))
    whole, cut = (run_of(tmp_path / name, triplets) for name in ("whole", "cut"))
    learn(how, 0, "cpu", whole)
    assert is_student(whole / MODEL)

    def stopping(*given: Any, step: int, **others: Any) -> Any:
        if step == 3:
            raise killed
        return make_batch(*given, step=step, **others)

    with monkeypatch.context() as patch:
        patch.setattr(learnt, "fit", partial(fit, save_seconds=0.0))
        patch.setattr(learnt, "make_batch", stopping)
        with pytest.raises(killed):
            learn(how, 0, "cpu", cut)
    assert (cut / STUDENT / STATE).exists()
    with monkeypatch.context() as patch:
        patch.setattr("tutelage.students.folder._convert", lambda *_: (_ for _ in ()).throw(killed()))
        with pytest.raises(killed):
            learn(how, 0, "cpu", cut)
    assert not (cut / MODEL).exists()
    counts = learn(how, 0, "cpu", cut)
    assert same(whole / MODEL, cut / MODEL)
    assert learn(how, 0, "cpu", cut) == counts == {"triplets": 5, "steps": 5}


def test_if_nothing_was_kept_it_says_so(tmp_path: Path, triplets: list[Triplet], tiny_sd: Path) -> None:
    run = run_of(tmp_path / "run", triplets)
    with pytest.raises(BadInput, match=r"no triplet of .*corpus passes the judges; see `tutelage corpus stats`"):
        learn(learning(tiny_sd, gate={"picky": (0.9, 1.0)}), 0, "cpu", run)
    with pytest.raises(BadInput, match=r"no verdicts of a judge 'piky'\. Did you mean 'picky'\?"):
        learn(learning(tiny_sd, gate={"piky": (0.0, 1.0)}), 0, "cpu", run)
    assert not (run / STUDENT).exists()


def test_another_student_needs_another_run(tmp_path: Path, triplets: list[Triplet], tiny_sd: Path) -> None:
    run = run_of(tmp_path / "run", triplets)
    how = learning(tiny_sd)
    learn(how, 0, "cpu", run)
    assert json.loads((run / STUDENT / "config.json").read_bytes())["config"]["schedule"]["steps"] == 5
    with pytest.raises(BadInput, match=r"started with schedule\.lr = 0\.001, not 0\.5"):
        learn(replace(how, schedule=replace(SCHEDULE, lr=0.5)), 0, "cpu", run)


def test_a_student_goes_on_learning(tmp_path: Path, triplets: list[Triplet], tiny_sd: Path) -> None:
    """From where it is, with the new layers that it has; at a rate of zero it stays who it is."""
    first = learning(tiny_sd, shape=SutiShape(levels=(0, 1)))
    learn(first, 0, "cpu", run_of(tmp_path / "first", triplets))
    begun = tmp_path / "first" / MODEL
    for name, rate in {"asleep": 0.0, "awake": 1e-3}.items():
        learn(learning(begun, schedule=replace(SCHEDULE, lr=rate)), 0, "cpu", run_of(tmp_path / name, triplets))
    assert same(begun, tmp_path / "asleep" / MODEL)
    assert not same(begun, tmp_path / "awake" / MODEL)
    assert weights(begun).keys() == weights(tmp_path / "awake" / MODEL).keys()


def test_only_new_layers_learn_if_so_told(tmp_path: Path, triplets: list[Triplet], tiny_sd: Path) -> None:
    how = learning(tiny_sd, training=replace(TRAINING, learns="new-layers"))
    learn(how, 0, "cpu", run_of(tmp_path, triplets))
    base, student = weights(tiny_sd), weights(tmp_path / MODEL)
    assert base.keys() < student.keys()
    assert all(torch.equal(student[name], value) for name, value in base.items())
    new = {name: value for name, value in student.items() if name not in base}
    assert any("to_out" in name and value.any() for name, value in new.items())


SHARED = """
import sys
import time
from pathlib import Path

from test_learnt import learning
from tutelage.stages import batches, learnt

base, out = map(Path, sys.argv[1:])
taught, batches.EVERY = learnt._taught, 2


def taught_soon(out):
    while (out / "student/growth/log.jsonl").exists() and not taught(out):
        time.sleep(0.05)
    return taught(out)


learnt._taught = taught_soon
learnt.learn(learning(base, early=2), 0, "cpu", out)
"""


def started(*args: str) -> list[subprocess.Popen[bytes]]:
    """Two processes, as `accelerate launch` starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    known = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]), "OMP_NUM_THREADS": "1"}
    known |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [
        subprocess.Popen(
            [sys.executable, "-c", SHARED, *args],
            env=os.environ | known | {"RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for rank in ("0", "1")
    ]


def test_two_processes_share_a_batch_of_a_corpus_that_grows(
    tmp_path: Path, triplets: list[Triplet], tiny_sd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One example of a batch each, and one student: but for rounding the one that a process alone makes of the finished
    corpus by the same notes."""
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    processes = started(str(tiny_sd), str(shared))
    run_of(shared, triplets[:3])
    notes, deadline = shared / STUDENT / GROWTH, time.monotonic() + 200
    while not list(read_log(notes)) and time.monotonic() < deadline and processes[0].poll() is None:
        time.sleep(0.05)
    run_of(shared, triplets[3:])
    append_log(shared, {"stage": "teach"})
    said = [process.communicate(timeout=300)[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert [(note["step"], note["rows"]) for note in read_log(notes)] == [(0, 3), (2, 5)]

    (alone / STUDENT).mkdir(parents=True)
    shutil.copy(shared / STUDENT / CONFIG, alone / STUDENT)
    shutil.copytree(notes, alone / STUDENT / GROWTH)
    append_log(alone, {"stage": "teach"})
    monkeypatch.setattr(batches, "EVERY", 2)
    learn(learning(tiny_sd, early=2), 0, "cpu", run_of(alone, triplets))
    assert list(read_log(alone / STUDENT / GROWTH)) == list(read_log(notes))
    base, ours, theirs = (weights(folder) for folder in (tiny_sd, alone / MODEL, shared / MODEL))
    one, other = (torch.cat([(new[name] - base[name]).flatten() for name in base]) for new in (ours, theirs))
    assert one.norm() > 0.1
    assert torch.cosine_similarity(one, other, dim=0) > 0.99


def test_what_is_there_when_teaching_has_ended_is_enough(
    tmp_path: Path, triplets: list[Triplet], tiny_sd: Path
) -> None:
    """It is the student that waited for the end: the early one saw the same."""
    runs = [run_of(tmp_path / name, triplets) for name in ("late", "early")]
    append_log(runs[1], {"stage": "teach"})
    counts = [learn(learning(tiny_sd, early=early), 0, "cpu", out) for early, out in zip((None, 99), runs, strict=True)]
    assert counts == [{"triplets": 5, "steps": 5}] * 2
    assert same(runs[0] / MODEL, runs[1] / MODEL)
