from pathlib import Path
from typing import Any

import pytest

from tutelage.diffusion.load import weights_hash
from tutelage.errors import BadInput
from tutelage.judges.likeness import Likeness


@pytest.fixture(params=["tiny_vit", "tiny_clip"])
def network(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_a_copy_is_rejected_and_its_original_named(network: Path, make_triplet: Any) -> None:
    triplet = make_triplet("a")
    [verdict] = Likeness(network=network, high=0.999, device="cpu").judge(
        [make_triplet("a", target=triplet.references[2].picture.data)]
    )
    assert verdict.score == pytest.approx(1, abs=1e-5)
    assert not verdict.keep
    assert verdict.reason.startswith("too close to reference 2")


def test_the_score_is_that_of_the_nearest(network: Path, make_triplet: Any) -> None:
    judge = Likeness(network=network, high=2.0, device="cpu")
    triplet = make_triplet("a")
    apart = [make_triplet("a", references=(reference,)) for reference in triplet.references]
    [whole], singles = judge.judge([triplet]), judge.judge(apart)
    assert whole.score == pytest.approx(max(one.score for one in singles), abs=1e-6)  # type: ignore[type-var]
    assert len({one.score for one in singles}) == len(singles)


def test_both_thresholds_decide(network: Path, make_triplet: Any) -> None:
    triplet = make_triplet("a")
    [free] = Likeness(network=network, high=2.0, device="cpu").judge([triplet])
    score = free.score
    assert score is not None
    bounds = {"too close": (score - 0.01, None), "not the subject": (2.0, score + 0.01), "": (score, score)}
    for reason, (high, low) in bounds.items():
        [verdict] = Likeness(network=network, high=high, low=low, device="cpu").judge([triplet])
        assert verdict.keep == (not reason)
        assert verdict.reason.startswith(reason)
        assert verdict.score == score


def test_nothing_would_be_kept(network: Path) -> None:
    with pytest.raises(BadInput, match="so nothing is kept"):
        Likeness(network=network, high=0.5, low=0.6)


def test_networks_have_hashes(network: Path) -> None:
    assert Likeness(network=network, high=0.9, device="cpu").weights == weights_hash(network)
