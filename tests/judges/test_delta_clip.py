from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel

from tutelage.diffusion.load import weights_hash
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.judges.delta_clip import DeltaClip
from tutelage.triplet import Verdict


@pytest.fixture
def judge(tiny_clip: Path) -> DeltaClip:
    return DeltaClip(clip=tiny_clip, device="cpu")


@torch.no_grad()
def by_hand(folder: Path, picture: bytes, text: str) -> float:
    """CLIP's own cosine, from its logits."""
    clip = CLIPModel.from_pretrained(folder).eval()
    told = AutoTokenizer.from_pretrained(folder)([text], return_tensors="pt", truncation=True)
    seen = CLIPImageProcessor.from_pretrained(folder)(images=[decode(picture)], return_tensors="pt")
    return float(clip(**told, **seen).logits_per_image / clip.logit_scale.exp())


def score(verdict: Verdict) -> float:
    assert verdict.score is not None
    return verdict.score


def test_it_is_equation_6(judge: DeltaClip, tiny_clip: Path, make_triplet: Any) -> None:
    triplet = make_triplet("a")
    references = [by_hand(tiny_clip, one.picture.data, triplet.text) for one in triplet.references]
    wanted = by_hand(tiny_clip, triplet.target, triplet.text) - max(references)
    assert len(set(references)) == len(references)
    assert judge.judge([triplet])[0].score == pytest.approx(wanted, abs=1e-5)


def test_a_copy_of_the_best_demonstration_gains_nothing(judge: DeltaClip, make_triplet: Any) -> None:
    triplet = make_triplet("a")
    copies = [make_triplet("a", target=one.picture.data) for one in triplet.references]
    verdicts = judge.judge(copies)
    assert max(score(verdict) for verdict in verdicts) == pytest.approx(0, abs=1e-6)
    assert not any(verdict.keep for verdict in verdicts)


def test_the_threshold_decides_and_the_score_stays(tiny_clip: Path, make_triplet: Any) -> None:
    triplets = [make_triplet(key, references=make_triplet(key).references[:1]) for key in "abcdefgh"]
    lax, paper, strict = (
        DeltaClip(clip=tiny_clip, device="cpu", **changes).judge(triplets)
        for changes in ({"threshold": -2.0}, {}, {"threshold": 2.0})
    )
    assert [v.score for v in paper] == [v.score for v in lax] == [v.score for v in strict]
    assert all(v.keep and not v.reason for v in lax)
    assert not any(v.keep for v in strict)
    assert [v.keep for v in paper] == [score(v) > 0.02 for v in paper]
    middle = sorted(map(score, lax))[3]
    between = DeltaClip(clip=tiny_clip, device="cpu", threshold=middle).judge(triplets)
    assert [v.keep for v in between] == [score(v) > middle for v in lax]
    assert 0 < sum(v.keep for v in between) < len(triplets)
    assert "is not above 2" in strict[0].reason


def test_long_texts_are_cut_as_clip_cuts_them(judge: DeltaClip, make_triplet: Any) -> None:
    long = "a bear toy on the beach " * 20
    shorter, longer = judge.judge([make_triplet("a", text=long), make_triplet("a", text=long + "in the snow")])
    assert shorter.score == longer.score


def test_a_broken_reference_is_named(judge: DeltaClip, make_triplet: Any) -> None:
    triplet = make_triplet("a")
    one, two, three = triplet.references
    cut = type(two)(picture=type(two.picture)(data=two.picture.data[:60]))
    [verdict] = judge.judge([make_triplet("a", references=(one, cut, three))])
    assert verdict.reason.startswith("reference 1: ")


def test_each_picture_is_looked_at_once(judge: DeltaClip, make_triplet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import tutelage.diffusion.pictures as pictures

    opened = []
    real = pictures.decode
    monkeypatch.setattr(pictures, "decode", lambda data: opened.append(data) or real(data))
    triplets = [make_triplet("a", target=make_triplet(key).target) for key in "abcd"]
    judge.judge(triplets)
    assert len(opened) == len(set(opened)) == 4 + len(triplets[0].references)


def test_scores_do_not_depend_on_the_batch(tiny_clip: Path, make_triplet: Any) -> None:
    triplets = [make_triplet(key, text=f"a {key} toy") for key in "abcdef"]
    scores = [
        [v.score for v in DeltaClip(clip=tiny_clip, device="cpu", batch=batch).judge(triplets)] for batch in (1, 5, 64)
    ]
    assert np.ptp(np.asarray(scores, float), axis=0).max() < 1e-5


def test_the_network_is_loaded_once(tiny_clip: Path) -> None:
    first, second = (DeltaClip(clip=tiny_clip, device="cpu", threshold=t)._features for t in (0.0, 0.02))
    assert first is second
    assert DeltaClip(clip=tiny_clip, device="cpu").weights == weights_hash(tiny_clip)


def test_a_folder_of_another_kind_is_refused(tiny_vit: Path, make_triplet: Any) -> None:
    with pytest.raises(BadInput, match=r"cannot be loaded as CLIPModel|lacks \d+ weights"):
        DeltaClip(clip=tiny_vit, device="cpu").judge([make_triplet("a")])


def test_a_batch_of_none_is_refused(tiny_clip: Path) -> None:
    with pytest.raises(BadInput, match="batch is 0"):
        DeltaClip(clip=tiny_clip, batch=0)
