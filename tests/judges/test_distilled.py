"""The distilled judge: what it is told, how it learns, and what its folder guards against."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from safetensors.torch import load_file

from tutelage.diffusion.features import clip_features, picture_features
from tutelage.errors import BadInput
from tutelage.judges.delta_clip import DeltaClip
from tutelage.judges.distillation.features import Told, grained_features, tell
from tutelage.judges.distillation.fit import Fitting, fit
from tutelage.judges.distillation.scorer import Scorer
from tutelage.judges.distillation.threshold import threshold_for_precision, threshold_for_survival
from tutelage.judges.distilled import Distilled
from tutelage.judges.likeness import Likeness


@pytest.fixture
def judge(tiny_scorer: Path, tiny_clip: Path) -> Distilled:
    return Distilled(model=tiny_scorer, clip=tiny_clip, device="cpu")


def test_consistency_is_told_what_other_judges_measure(tiny_clip: Path, tiny_vit: Path, make_triplet) -> None:
    triplet = make_triplet("a")
    told = tell([triplet], grained_features(tiny_clip, "cpu"), picture_features(tiny_vit, "cpu"), 8)
    delta = DeltaClip(clip=tiny_clip, device="cpu").judge([triplet])[0].score
    near = [Likeness(network=one, high=1, device="cpu").judge([triplet])[0].score for one in (tiny_clip, tiny_vit)]
    row = told.consistency[0].tolist()
    assert row[3] == pytest.approx(delta, abs=1e-5)
    assert [row[4], row[-32 - 3]] == pytest.approx(near, abs=1e-5)  # the last: three cosines, 32 products


def test_quality_is_told_of_the_target_alone(tiny_clip: Path, make_triplet) -> None:
    clip = grained_features(tiny_clip, "cpu")
    one, other = make_triplet("a"), make_triplet("a", text="a blue hat", references=make_triplet("b").references)
    first, second = (tell([triplet], clip, None, 8) for triplet in (one, other))
    assert torch.equal(first.quality, second.quality)
    assert not torch.allclose(first.consistency, second.consistency)


def test_triplets_that_cannot_be_judged_are_joined_with_others(judge: Distilled, tiny_clip: Path, make_triplet) -> None:
    sound, broken = make_triplet("a"), make_triplet("b", target=b"no picture")
    clip = grained_features(tiny_clip, "cpu")
    joined = Told.joined([tell([one], clip, None, 8) for one in (broken, sound)])
    assert joined.sound.tolist() == [False, True]
    assert not joined.consistency[0].any()
    assert torch.equal(joined.at(joined.sound).quality, tell([sound], clip, None, 8).quality)
    assert [verdict.score for verdict in judge.judge([broken])] == [None]


def learnable(n: int = 240) -> tuple[Told, dict[str, torch.Tensor]]:
    """SC follows from the first number that consistency is told, PQ from the first that quality is."""
    numbers = torch.Generator().manual_seed(0)
    told = Told(
        consistency=torch.randn(n, 6, generator=numbers) * 3 + 5,
        quality=torch.randn(n, 4, generator=numbers),
        faults=("",) * n,
    )
    return told, {"sc": (told.consistency[:, 0] > 5).float(), "pq": (told.quality[:, 0] > 0).float()}


def test_it_learns_marks_it_can_know() -> None:
    told, marks = learnable()
    scorer = fit(told, {**marks}, "c", "n", Fitting(steps=150, batch=64, lr=1e-2))
    said = scorer.marks(told)
    for mark, label in marks.items():
        assert ((said[mark] > 0.5) == label.bool()).float().mean() > 0.9
    assert torch.allclose(said["overall"], (said["sc"] * said["pq"]).sqrt())


def test_the_same_marks_give_the_same_judge_whatever_was_drawn_before() -> None:
    told, marks = learnable(60)
    first = fit(told, marks, "c", "", Fitting(steps=3))
    torch.rand(5)
    state = torch.random.get_rng_state()
    second = fit(told, marks, "c", "", Fitting(steps=3))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())


def test_what_has_no_mark_teaches_nothing() -> None:
    told, marks = learnable(60)
    some = {name: torch.where(torch.arange(60) < 40, values, torch.nan) for name, values in marks.items()}
    part = Told(consistency=told.consistency[:40], quality=told.quality[:40], faults=told.faults[:40])
    short = {name: values[:40] for name, values in marks.items()}
    one, other = fit(told, some, "c", "", Fitting(steps=3)), fit(part, short, "c", "", Fitting(steps=3))
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    few = {name: torch.where(torch.arange(60) < 19, values, torch.nan) for name, values in marks.items()}
    with pytest.raises(BadInput, match="19 triplets to learn from"):
        fit(told, few, "c", "", Fitting(steps=3))


def test_one_mark_is_enough(tmp_path: Path) -> None:
    told, marks = learnable(40)
    fit(told, {"overall": marks["sc"]}, "c", "", Fitting(steps=2)).save(tmp_path)
    said = Scorer.load(tmp_path).marks(told)
    assert list(said) == ["overall"]


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    told, marks = learnable(40)
    scorer = fit(told, marks, "c", "", Fitting(steps=2))
    scorer.save(tmp_path)
    again = Scorer.load(tmp_path)
    assert again.config == scorer.config
    assert all(torch.equal(value, again.marks(told)[mark]) for mark, value in scorer.marks(told).items())


def test_the_mark_and_its_threshold_decide(judge: Distilled, tiny_scorer: Path, tiny_clip: Path, make_triplet) -> None:
    triplets = [make_triplet(f"{n}") for n in range(8)]
    same = {"model": tiny_scorer, "clip": tiny_clip, "device": "cpu"}
    overall, sc = judge.judge(triplets), Distilled(**same, mark="sc").judge(triplets)
    assert [v.keep for v in overall] == [v.score >= 0.5 for v in overall]
    assert [v.keep for v in sc] == [v.score >= 0.4 for v in sc]
    assert [v.score for v in sc] == [v.parts[0].score for v in overall]
    assert [v.score for v in overall] == pytest.approx([math.sqrt(v.parts[0].score * v.parts[1].score) for v in sc])
    least = min(v.score for v in overall)
    lax, strict = (Distilled(**same, threshold=t).judge(triplets) for t in (least, 1.0))
    assert all(v.keep for v in lax)
    assert not any(v.keep for v in strict)
    assert "overall is below 1.000" in strict[0].reason
    with pytest.raises(BadInput, match=r"no threshold on 'pq' gave the precision 0\.9"):
        Distilled(**same, mark="pq").judge(triplets)


def test_other_networks_are_refused(tiny_scorer: Path, tiny_clip: Path, tiny_vit: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="distilled with no network"):
        Distilled(model=tiny_scorer, clip=tiny_clip, network=tiny_vit, device="cpu").judge([])
    other = tmp_path / "other"
    shutil.copytree(tiny_clip, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"logit_scale_init_value": 1.0}))
    with pytest.raises(BadInput, match="distilled with a clip of sha256"):
        Distilled(model=tiny_scorer, clip=other, device="cpu").judge([])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "model.safetensors").write_bytes(b"x"),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: (folder / "config.json").write_text('{"kind": "clip"}'),
        lambda folder: (folder / "config.json").unlink(),
    ],
)
def test_a_folder_without_a_scorer_is_told(spoil, tiny_scorer: Path, tiny_clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "judge"
    shutil.copytree(tiny_scorer, folder)
    spoil(folder)
    with pytest.raises(BadInput, match="holds no scorer"):
        Distilled(model=folder, clip=tiny_clip, device="cpu").judge([])


def test_the_folder_is_safetensors_and_says_what_it_was_made_from(tiny_scorer: Path, tiny_clip: Path) -> None:
    assert sorted(path.name for path in tiny_scorer.iterdir()) == ["config.json", "model.safetensors"]
    assert load_file(tiny_scorer / "model.safetensors")
    assert json.loads((tiny_scorer / "config.json").read_text())["clip"] == clip_features(tiny_clip, "cpu").weights


SCORES = st_numpy.arrays(np.float64, 60, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0, np.nan]))
GOOD = st_numpy.arrays(np.bool_, 60)


@given(SCORES, GOOD, st.sampled_from([0.3, 0.5, 0.8]))
def test_a_threshold_keeps_what_was_wanted_and_no_lower_one_does(scores, good, wanted: float) -> None:
    from scipy.stats import binomtest

    def sure(level: float) -> bool:
        kept = scores >= level
        right = int((kept & good).sum())
        if not right:
            return False
        lower = binomtest(right, int(kept.sum()), alternative="greater").proportion_ci(0.8, "exact").low
        return bool(lower >= wanted)

    found = threshold_for_precision(scores, good, wanted)
    levels = np.unique(scores[np.isfinite(scores)])
    assert found == next((float(level) for level in levels if sure(level)), None)


def test_a_threshold_for_survival_keeps_that_share() -> None:
    scores = np.random.default_rng(0).normal(size=1000)
    assert (scores >= threshold_for_survival(scores, 0.278)).mean() == pytest.approx(0.278, abs=0.002)


@pytest.mark.parametrize("wanted", [0.0, 1.0, 1.5, float("nan")])
def test_a_precision_is_a_share(wanted: float) -> None:
    with pytest.raises(BadInput, match="choose a share between 0 and 1"):
        threshold_for_precision(np.ones(3), np.ones(3, bool), wanted)
