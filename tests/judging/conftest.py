"""A small corpus with verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from tutelage.corpus.writer import Committer
from tutelage.triplet import Triplet, Verdict

CLUSTERS, EACH = 60, 3


@pytest.fixture(scope="session")
def triplets(make_triplet) -> list[Triplet]:
    """Three targets of each of sixty toys; the second is a demonstration once more."""
    made = []
    for cluster in (f"c{number:02d}" for number in range(CLUSTERS)):
        one = make_triplet(cluster)
        targets = (one.target, one.references[0].picture.data, make_triplet(f"{cluster} again").target)
        made += [replace(one, id=f"{cluster}/{at}", cluster=cluster, target=data) for at, data in enumerate(targets)]
    return made


@pytest.fixture(scope="session")
def corpus_folder(triplets: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those triplets, with verdicts of a judge that sees through copies, and of one of two marks."""
    folder = tmp_path_factory.mktemp("judging") / "corpus"
    said = [
        Verdict(triplet=one.id, judge=judge, score=score, keep=True)
        for one in triplets
        for judge, score in (("strict", 10.0 * (one.id[-1] != "1")), ("asked-sc", 0.5), ("asked-pq", 1.0))
    ]
    with Committer(folder) as committer:
        committer.append(triplets, said)
    return folder
