"""A small corpus with verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from tutelage.corpus.writer import Committer
from tutelage.triplet import Part, Triplet, Verdict

CLUSTERS = 60
TWO = (Part(name="SC", score=0.5), Part(name="PQ", score=1.0))


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
        Verdict(triplet=one.id, judge=judge, score=score, keep=True, parts=parts)
        for one in triplets
        for judge, score, parts in (("strict", 10.0 * (one.id[-1] != "1"), ()), ("asked", 0.7, TWO))
    ]
    with Committer(folder) as committer:
        committer.append(triplets, said)
    return folder
