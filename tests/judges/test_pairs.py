"""InstructPix2Pix's numbers, by CLIP's own forward pass."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F
from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel

from tutelage.diffusion.pictures import decode
from tutelage.judges.clip_captions import ClipCaptions
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.judges.pairs import PairJudge
from tutelage.triplet import Triplet

KINDS = (ClipImage, ClipDirection, ClipCaptions)
BEFORE, AFTER = "a red bear toy", "a bear toy wearing a hat"


@pytest.fixture
def edit(make_triplet: Any) -> Triplet:
    triplet: Triplet = make_triplet("a", text="give it a hat", caption=AFTER)
    return replace(triplet, references=(replace(triplet.references[0], caption=BEFORE),))


@torch.no_grad()
def by_hand(folder: Path, edit: Triplet) -> dict[str, float]:
    clip = CLIPModel.from_pretrained(folder).eval()
    told = AutoTokenizer.from_pretrained(folder)([BEFORE, AFTER], return_tensors="pt", padding=True)
    pictures = [decode(edit.references[0].picture.data), decode(edit.target)]
    seen = clip(**told, **CLIPImageProcessor.from_pretrained(folder)(images=pictures, return_tensors="pt"))
    (before, after), (source, target) = seen.text_embeds, seen.image_embeds
    return {
        "clip-image": float(F.cosine_similarity(source, target, dim=0)),
        "clip-direction": float(F.cosine_similarity(target - source, after - before, dim=0)),
        "clip-captions": min(float(source @ before), float(target @ after)),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_instruct_pix2pix_s(kind: type[PairJudge], edit: Triplet, tiny_clip: Path) -> None:
    [verdict] = kind(clip=tiny_clip, device="cpu").judge([edit])
    assert verdict.score == pytest.approx(by_hand(tiny_clip, edit)[kind.name], abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_threshold_itself_is_kept(kind: type[PairJudge], edit: Triplet, tiny_clip: Path) -> None:
    judge = kind(clip=tiny_clip, device="cpu")
    score = judge.judge([edit])[0].score
    assert score is not None
    for threshold, kept in {score: True, score + 0.01: False}.items():
        [verdict] = replace(judge, threshold=threshold).judge([edit])
        assert (verdict.score, verdict.keep) == (score, kept)
        assert verdict.reason == ("" if kept else f"{kind.name} {score:.4f} is below {threshold:g}")


def test_an_unchanged_picture_has_no_direction(edit: Triplet, tiny_clip: Path) -> None:
    [verdict] = ClipDirection(clip=tiny_clip, device="cpu").judge(
        [replace(edit, target=edit.references[0].picture.data)]
    )
    assert (verdict.score, verdict.keep) == (0.0, False)


def test_captions_that_are_missing(edit: Triplet, tiny_clip: Path) -> None:
    nameless = replace(edit, references=(replace(edit.references[0], caption=""),))
    same = replace(edit, caption=BEFORE)
    for kind, reasons in {
        ClipImage: ("", ""),
        ClipDirection: ("the source has no caption", "source and target have one caption"),
        ClipCaptions: ("the source has no caption", ""),
    }.items():
        verdicts = kind(clip=tiny_clip, device="cpu", threshold=-1.0).judge([nameless, same])
        assert tuple(verdict.reason for verdict in verdicts) == reasons
        assert [verdict.score is None for verdict in verdicts] == [bool(reason) for reason in reasons]


def test_a_text_is_the_caption_of_a_target_without_one(edit: Triplet, tiny_clip: Path) -> None:
    judge = ClipDirection(clip=tiny_clip, device="cpu")
    [captioned], [told] = judge.judge([edit]), judge.judge([replace(edit, text=AFTER, caption="")])
    assert captioned == told
