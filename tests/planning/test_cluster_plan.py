"""A plan of a cluster: real ledger and leases, simulated machines, a real run's rates."""

import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.cli import main
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.mining.cluster import Decision, Measured
from tutelage.mining.mine import PAGES
from tutelage.mining.records import write_pages
from tutelage.planning.plan import busiest, planned
from tutelage.planning.rates import Rates, rates_of
from tutelage.planning.settings import Cluster, Planning
from tutelage.planning.simulation import HOUR, learning, teaching, unbroken
from tutelage.run import append_log
from tutelage.stages.learnt import STUDENT
from tutelage.stages.mined import FINISHED, MINED
from tutelage.stages.taught import CORPUS, TAUGHT
from tutelage.triplet import Triplet

RATES = Rates(
    page=0.25,
    page_bytes=50_000.0,
    share=0.5,
    imagined=0.01,
    shard=80.0,
    spread=0.1,
    subjects=16.0,
    triplets=6.0,
    kept=0.9,
    commit=0.1,
    written=0.2,
    corpus_bytes=160_000.0,
    step=0.7,
    steps=1000,
    student_bytes=1e8,
)
SAFE = unbroken(Cluster(workers=4, straggling=0.0, start=0.0, handling=0.0))


def test_without_failures_time_is_work_over_workers() -> None:
    rates = replace(RATES, spread=0.0, commit=0.0, written=0.0)
    taught = teaching(rates, SAFE, 16 * 40, 0)
    assert taught.seconds == pytest.approx(800.0)
    assert (taught.deaths, taught.starts, taught.again) == (0, 1, pytest.approx(0.0))
    assert taught.workers == pytest.approx(1.0)
    assert teaching(rates, replace(SAFE, speed=2.0), 16 * 40, 0).seconds == pytest.approx(400.0)


@settings(max_examples=15)
@given(
    subjects=st.integers(1, 3000),
    workers=st.integers(1, 20),
    life=st.floats(0.5, 10.0),
    driver_life=st.floats(0.1, 5.0),
    silent=st.floats(0.0, 1.0),
    seed=st.integers(0, 99),
)
def test_however_machines_die_every_shard_is_done_and_time_is_lost(
    subjects: int, workers: int, life: float, driver_life: float, silent: float, seed: int
) -> None:
    """That each shard is written is asserted by `teaching`; so is that the ledger has each."""
    cluster = Cluster(workers=workers, life=life, driver_life=driver_life, silent=silent)
    taught = teaching(RATES, cluster, subjects, seed)
    assert taught == teaching(RATES, cluster, subjects, seed)
    assert taught.again > -1e-6
    assert 0.0 < taught.workers <= 1.0 + 1e-9
    assert taught.seconds * workers * taught.workers >= math.ceil(subjects / 16) * 30.0


def test_what_failures_cost_is_what_machines_that_never_die_would_save() -> None:
    cluster = Cluster(workers=8, price=2.0, life=2.0, driver_life=4.0)
    steps, recovery = planned(RATES, cluster, 16_000, 1000, seed=0)
    assert [step.name for step in steps] == ["mine", "imagine", "teach", "learn"]
    assert recovery.deaths > 10
    assert recovery.restarts > 0
    assert recovery.again > 0
    assert recovery.seconds > 0
    assert recovery.money == pytest.approx(recovery.seconds * 8 * 2.0 / HOUR)
    assert steps[0].bytes == 32_000 * 50_000.0
    assert steps[0].seconds == pytest.approx(32_000 * 0.25 / 64)
    assert steps[2].bytes == 16_000 * 160_000.0
    calm, nothing = planned(RATES, unbroken(cluster), 16_000, 1000, seed=0)
    assert (nothing.deaths, nothing.restarts, nothing.again, nothing.seconds, nothing.money) == (0, 0, 0.0, 0.0, 0.0)
    assert calm[2].seconds < steps[2].seconds


def test_the_bottleneck_moves_from_the_workers_to_the_writer() -> None:
    looked = list(busiest(replace(RATES, written=1.0), Cluster(workers=1), 0))
    assert [one.workers for one in looked] == [1, 4, 16, 64, 256]
    assert looked[0].taught.limit == "workers"
    assert looked[-1].taught.limit == "writer"
    assert looked[-1].subjects_per_hour == pytest.approx(16 * HOUR, rel=0.1)
    driven = Cluster(workers=1024, handling=0.2, start=0.0)
    assert teaching(replace(RATES, written=0.0), unbroken(driven), 16 * 3000, 0).limit == "driver"


def test_learners_go_on_from_what_was_saved() -> None:
    cluster = Cluster(learners=4, scaling=1.0, start=0.0)
    whole = learning(RATES, unbroken(cluster), 100_000, 0)
    assert whole == pytest.approx(100_000 * 0.7 / 4)
    assert learning(RATES, replace(cluster, life=4.0), 100_000, 0) > whole
    with pytest.raises(BadInput, match=r"machines break too often .* give a longer --cluster\.life"):
        learning(RATES, replace(cluster, life=0.001), 100_000, 0)


def test_workers_that_never_live_long_enough_are_told_of() -> None:
    with pytest.raises(BadInput, match="machines break too often"):
        teaching(RATES, Cluster(workers=2, life=0.001), 160, 0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"workers": 0}, "--cluster.workers is 0; give a number of more than 0"),
        ({"silent": 1.5}, "--cluster.silent is 1.5; give a number of at least 0 and at most 1"),
        ({"driver_life": math.nan}, "--cluster.driver-life is nan"),
        ({"price": -1.0}, "--cluster.price is -1.0; give a number of at least 0"),
        ({"scaling": 0.0}, "--cluster.scaling is 0.0"),
    ],
)
def test_what_no_cluster_can_be_is_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(BadInput, match=said.replace(".", r"\.")):
        Cluster(**changes)
    with pytest.raises(BadInput, match="--subjects is 0; give at least 1"):
        Planning(run=Path("x"), subjects=(0,))


@pytest.fixture
def small(tmp_path: Path, make_triplet: Callable[..., Triplet]) -> Path:
    """The folders and logs of a run: 16 pages in two files, 8 subjects in two shards, a student of 40 steps."""
    run = tmp_path / "run"
    for folder in (run / MINED / PAGES, run / TAUGHT, run / STUDENT):
        folder.mkdir(parents=True)
    for part in range(2):
        pages = [(Measured(page=f"{part}/{n}", found=4, faults={}, copies=0), decided(n % 2 == 0)) for n in range(8)]
        file = run / MINED / PAGES / f"{part}.parquet"
        write_pages([(page, decision, "") for page, decision in pages], file)
        os.utime(file, (100.0 + 4.0 * part,) * 2)
    (run / MINED / FINISHED).touch()
    with Committer(run / CORPUS) as committer:
        committer.append([make_triplet(f"{number:02d}") for number in range(8)])
    for shard, seconds in enumerate((10.0, 40.0)):
        append_log(run / TAUGHT, {"shard": shard, "triplets": 4, "kept": 3, "seconds": seconds})
    for seconds in (0.1, 2.0):  # of a start that found it done, and of the one that did it
        append_log(run, {"stage": "imagine", "seconds": seconds})
    for step in (20, 40):
        append_log(run / STUDENT, {"step": step, "time": 1.5 * step})
    return run


def decided(kept: bool) -> Decision:
    return Decision(kept=kept, reason="" if kept else "few pictures")


def test_rates_are_what_a_run_took(small: Path, tmp_path: Path) -> None:
    rates = rates_of(small, tmp_path / "tried")
    assert (rates.share, rates.subjects, rates.triplets, rates.kept) == (0.5, 4.0, 1.0, 0.75)
    assert rates.page == pytest.approx(4.0 / 8 * (os.cpu_count() or 1))
    assert rates.imagined == 2.0 / 8
    assert rates.shard == pytest.approx(20.0)
    assert rates.spread == pytest.approx(math.log(2.0))
    assert (rates.step, rates.steps) == (1.5, 40)
    assert rates.commit >= 0  # a line through two measured times: on a busy machine it may start below 0, which is cut
    assert rates.commit + rates.written > 0
    assert rates.corpus_bytes * 8 == pytest.approx(
        sum(f.stat().st_size for f in (small / CORPUS).rglob("*.*")), rel=0.5
    )


def test_the_command_prints_and_writes(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "plan.json"
    assert main(["plan", str(small), "--subjects", "100", "400", "--cluster.workers", "1", "--json", str(figures)]) == 0
    said = capsys.readouterr().out
    assert "1 workers, 5.0 s a subject, 1.0 triplets, 75% kept" in said
    assert "teach (longest)" in said
    told = json.loads(figures.read_text())
    assert [step["subjects"] for step in told["steps"]] == [100] * 4 + [400] * 4
    assert [one["workers"] for one in told["busy"]] == [1, 4, 16, 64, 256]


def test_a_run_that_has_taught_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(tmp_path)]) == 2
    assert "has taught nothing yet; give the directory of a run that has" in capsys.readouterr().err
