"""A finished run, small enough for seconds: what experiments read of it, made by hand from a tiny base."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def finished_run(tiny_sd: Path, make_cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four subjects, eight triplets with ΔCLIP of .0 to .7, and a student of them."""
    from tutelage.corpus.writer import Committer
    from tutelage.mining.mine import CLUSTERS
    from tutelage.mining.records import write_clusters
    from tutelage.run import write_atomic
    from tutelage.stages.learnt import learn
    from tutelage.stages.settings import Learning
    from tutelage.students.settings import SutiShape, SutiTraining
    from tutelage.training.settings import Schedule
    from tutelage.triplet import Provenance, Triplet, Verdict

    run = tmp_path_factory.mktemp("runs") / "suti"
    clusters = [make_cluster(f"{number:02x}", sizes=((32, 32),) * 3) for number in range(4)]
    (run / "mined" / CLUSTERS).mkdir(parents=True)
    write_clusters(clusters, run / "mined" / CLUSTERS / "00000.parquet")
    seen = Provenance(teacher="fleet", base="0", seed=0)
    triplets = [
        Triplet(
            id=f"{cluster.id}/{number:02d}/0",
            target=cluster.references[number].picture.data,
            text="a bear toy in the snow",
            references=cluster.references,
            subject=cluster.subject,
            skill="view",
            cluster=cluster.id,
            provenance=seen,
        )
        for cluster in clusters
        for number in range(2)
    ]
    verdicts = [
        Verdict(triplet=triplet.id, judge=judge, score=score, keep=True)
        for at, triplet in enumerate(triplets)
        for judge, score in (("delta-clip", at / 10), ("likeness", 0.9))
    ]
    with Committer(run / "corpus") as committer:
        committer.append(triplets, verdicts)
    how = Learning(
        base=str(tiny_sd),
        shape=SutiShape(levels=(0, 1)),
        training=SutiTraining(),
        schedule=Schedule(steps=2, batch=2, lr=1e-3),
        gate={"delta-clip": (0.1, 2.0), "likeness": (0.6, 0.98)},
        bf16=False,
    )
    config = {"seed": 0, "imagining": {"prompts": 2, "words": "imagined", "subjects": 3}}
    write_atomic(run / "config.json", json.dumps({"recipe": "suti", "config": config}).encode())
    learn(how, 0, "cpu", run)
    return run


@pytest.fixture
def quick(finished_run: Path, tiny_sd: Path, tmp_path: Path, quick_experts: Any) -> dict[str, Any]:
    """Settings of an experiment of two toys."""
    return {
        "run": finished_run,
        "out": tmp_path / "reproduce",
        "subjects": 2,
        "steps": 2,
        "candidates": 2,
        "renders": 8,
        "device": "cpu",
        "workers": 1,
    }


@pytest.fixture(scope="session")
def quick_experts() -> Any:
    from tutelage.generators.experts import ExpertSettings
    from tutelage.teachers.settings import Prior, Sampling, Training

    training = Training(steps=1, batch=1, lr=1e-3)
    each = dict.fromkeys(("training", "word_training", "embedding", "editing"), training)
    return ExpertSettings(**each, sampling=Sampling(samples=1, steps=2), prior=Prior(pictures=1))


@pytest.fixture(scope="session")
def edited_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two true pairs of each task; a judge has rejected the last one."""
    from tutelage.corpus.writer import Committer
    from tutelage.run import write_atomic
    from tutelage.stages.paired import pair
    from tutelage.toybox.pairs import Pairs
    from tutelage.triplet import Verdict

    run, pairs = tmp_path_factory.mktemp("runs") / "omniedit", Pairs(count=14, sizes=((32, 32), (24, 40)))
    triplets = [pair(pairs, number) for number in range(14)]
    said = [Verdict(triplet=one.id, judge="clip-image", score=0.5, keep=at < 13) for at, one in enumerate(triplets)]
    with Committer(run / "corpus") as committer:
        committer.append(triplets, said)
    write_atomic(run / "config.json", json.dumps({"recipe": "omniedit", "config": {"seed": 3}}).encode())
    return run
