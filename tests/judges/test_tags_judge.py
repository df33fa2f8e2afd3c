"""Captions beside what a classifier sees, by the classifier's own forward pass."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForImageClassification, ViTImageProcessor

from tutelage.benches.editing.truth import TrueEdit, true_edit
from tutelage.diffusion.pictures import decode, png
from tutelage.errors import BadInput
from tutelage.judges.tags import Read, Tags
from tutelage.recipes.omniedit import READ
from tutelage.toybox.captions import caption
from tutelage.toybox.checkpoints import checkpoint
from tutelage.toybox.edits import TASKS
from tutelage.toybox.scene import Scene
from tutelage.triplet import Picture, Provenance, Reference, Triplet

BEFORE, AFTER = "a bear in space", "a bear in the snow wearing a hat"


@pytest.fixture
def edit(make_triplet: Any) -> Triplet:
    triplet: Triplet = make_triplet("a", text="put it in the snow", caption=AFTER)
    return replace(triplet, references=(replace(triplet.references[0], caption=BEFORE),))


@torch.no_grad()
def shares(folder: Path, picture: bytes) -> dict[str, float]:
    """Label → probability within its group."""
    network = AutoModelForImageClassification.from_pretrained(folder).eval()
    seen = ViTImageProcessor.from_pretrained(folder)(images=decode(picture), return_tensors="pt")
    logits = dict(zip(network.config.id2label.values(), network(**seen).logits[0], strict=True))
    totals: dict[str, float] = {}
    for label, value in logits.items():
        group = label.partition("=")[0]
        totals[group] = totals.get(group, 0.0) + float(value.exp())
    return {label: float(value.exp()) / totals[label.partition("=")[0]] for label, value in logits.items()}


def least(edit: Triplet, folder: Path, asked: set[str]) -> dict[str, float]:
    """Picture → the least probability of what its caption names of these groups."""
    source = {"kind": "bear", "place": "in space", "worn": ""}
    said = {"source": source, "target": {**source, "place": "in the snow", "worn": "wearing a hat"}}
    shown = {"source": edit.references[0].picture.data, "target": edit.target}
    read = {where: shares(folder, picture) for where, picture in shown.items()}
    return {where: min(read[where][f"{group}={one[group]}"] for group in asked) for where, one in said.items()}


def test_the_score_is_the_least_probability_of_what_captions_name(edit: Triplet, tiny_tagger: Path) -> None:
    [verdict] = Tags(tagger=tiny_tagger, device="cpu").judge([edit])
    parts = {part.name: part.score for part in verdict.parts}
    assert parts == pytest.approx(least(edit, tiny_tagger, {"kind", "place", "worn"}), abs=1e-5)
    assert verdict.score == min(parts.values())


def test_what_stays_is_asked_about_only_if_it_always_matters(edit: Triplet, tiny_tagger: Path) -> None:
    for always in ("worn", "kind"):
        [verdict] = Tags(tagger=tiny_tagger, always=(always,), device="cpu").judge([edit])
        asked = least(edit, tiny_tagger, {"place", "worn", always})
        assert {part.name: part.score for part in verdict.parts} == pytest.approx(asked, abs=1e-5)


def test_a_reason_says_what_was_read(edit: Triplet, tiny_tagger: Path) -> None:
    judge = Tags(tagger=tiny_tagger, threshold=0.9, device="cpu")
    [verdict] = judge.judge([edit])
    worst = min(verdict.parts, key=lambda part: part.score)
    assert not verdict.keep
    assert f" of the {worst.name} reads as " in verdict.reason
    assert f"{worst.score:.3f}" in verdict.reason
    assert replace(judge, threshold=verdict.score or 0.0).judge([edit])[0].keep


def test_a_reason_says_whether_another_phrase_is_likelier() -> None:
    other = Read(0.1, "kind", "target", "bear", "duck")
    assert other.reason == "kind of the target reads as 'duck', not 'bear' (0.100)"
    silent = Read(0.1, "worn", "source", "", "wearing a hat")
    assert silent.reason == "worn of the source reads as 'wearing a hat', not nothing said (0.100)"
    same = Read(0.4, "kind", "target", "bear", "bear")
    assert same.reason == "kind of the target reads as 'bear' with a probability of 0.400 alone"


def test_nothing_named_is_kept(edit: Triplet, tiny_tagger: Path) -> None:
    silent = replace(edit, text="", caption="", references=(replace(edit.references[0], caption=""),))
    [verdict] = Tags(tagger=tiny_tagger, threshold=1.0, device="cpu").judge([silent])
    assert (verdict.score, verdict.keep, verdict.parts) == (1.0, True, ())


def test_a_group_that_is_not_there_is_answered(edit: Triplet, tiny_tagger: Path) -> None:
    with pytest.raises(BadInput, match="has no group 'hair' of labels; there are kind, place, worn"):
        Tags(tagger=tiny_tagger, always=("hair",), device="cpu").judge([edit])
    with pytest.raises(BadInput, match="has no group 'hair'"):  # before verdicts are replaced
        _ = Tags(tagger=tiny_tagger, always=("hair",), device="cpu").weights


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_a_threshold_is_a_probability(threshold: float) -> None:
    with pytest.raises(BadInput, match="give a probability"):
        Tags(tagger="x", threshold=threshold)


def test_the_shipped_tagger_tells_edits_that_were_done_from_those_that_were_not() -> None:
    asked = [true_edit(task, number, 128) for task in TASKS for number in range(5)]
    judge = replace(READ, tagger=checkpoint("toybox-tagger"), threshold=0.5, device="cpu")
    done = judge.judge([_pair(one, one.edit.after) for one in asked])
    left = judge.judge([_pair(one, one.edit.before) for one in asked])
    assert sum(one.keep for one in done) >= len(asked) / 2
    assert not any(one.keep for one in left)


def _pair(truth: TrueEdit, shown: Scene) -> Triplet:
    """An edit of a toy whose target shows some scene."""
    source, target = (png(truth.picture(scene)) for scene in (truth.edit.before, shown))
    return Triplet(
        id=truth.edit.instruction,
        target=target,
        text=truth.edit.instruction,
        references=(Reference(picture=Picture(data=source), caption=caption(truth.edit.before)),),
        subject="a toy",
        skill=truth.edit.task,
        cluster="a",
        provenance=Provenance(teacher="exact", base="", seed=0),
        caption=caption(truth.edit.after),
    )
