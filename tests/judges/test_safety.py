import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoImageProcessor, ViTForImageClassification

from tutelage.diffusion.load import weights_hash
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.judges.looking import pictures_of
from tutelage.judges.safety import OFF, Safety
from tutelage.recipes import RECIPES
from tutelage.recipes.suti import suti_photos
from tutelage.triplet import Triplet


@torch.no_grad()
def logits(folder: Path, triplet: Triplet) -> torch.Tensor:
    pictures = [decode(picture.data) for picture in pictures_of(triplet)]
    seen = AutoImageProcessor.from_pretrained(folder)(images=pictures, return_tensors="pt")
    told: torch.Tensor = ViTForImageClassification.from_pretrained(folder).eval()(**seen).logits
    return told


@pytest.mark.parametrize("unsafe", [("nsfw",), ("gore", "nsfw")])
def test_the_worst_picture_counts(tiny_classifier: Path, make_triplet: Any, unsafe: tuple[str, ...]) -> None:
    triplet = make_triplet("a")
    columns = [("sfw", "nsfw", "gore").index(label) for label in unsafe]
    chances = logits(tiny_classifier, triplet).softmax(dim=-1)[:, columns].sum(dim=-1)
    judge = Safety(classifier=tiny_classifier, unsafe=unsafe, device="cpu")
    [verdict] = judge.judge([triplet])
    assert verdict.score == pytest.approx(float(chances.max()), abs=1e-5)
    worst = int(chances.argmax())
    assert verdict.score is not None
    for threshold, kept in {verdict.score: False, verdict.score + 0.01: True}.items():
        [again] = replace(judge, threshold=threshold).judge([triplet])
        assert again.keep == kept
        assert kept or again.reason.startswith("target: " if worst == 0 else f"reference {worst - 1}: ")


def test_labels_that_may_hold_together_are_not_added_up(
    tiny_classifier: Path, make_triplet: Any, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_classifier, tmp_path / "several")
    config = json.loads((folder / "config.json").read_text()) | {"problem_type": "multi_label_classification"}
    (folder / "config.json").write_text(json.dumps(config))
    triplet = make_triplet("a")
    [verdict] = Safety(classifier=folder, unsafe=("nsfw", "gore"), device="cpu").judge([triplet])
    assert verdict.score == pytest.approx(float(logits(folder, triplet)[:, 1:].sigmoid().max()), abs=1e-5)


@pytest.mark.parametrize(
    ("unsafe", "says"),
    [(("nfsw",), r"no label 'nfsw'\. Did you mean 'nsfw'\? It has sfw, nsfw, gore"), ((), "name some of sfw")],
)
def test_labels_must_be_the_classifier_s(
    tiny_classifier: Path, make_triplet: Any, unsafe: tuple[str, ...], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        Safety(classifier=tiny_classifier, unsafe=unsafe, device="cpu").judge([make_triplet("a")])


def test_it_is_off_only_if_said_so(make_triplet: Any, tmp_path: Path) -> None:
    photos = replace(suti_photos(), out=tmp_path / "run")
    for run in (photos, replace(photos, dry_run=True)):
        with pytest.raises(BadInput, match=r"nobody said who looks .* --safety\.classifier .* or off"):
            run.run()
    assert not photos.out.exists()
    replace(photos.safety, classifier=OFF).check()
    for classifier, says in {OFF: "safety is off", "": "nobody said"}.items():
        with pytest.raises(BadInput, match=says):
            Safety(classifier=classifier).judge([make_triplet("a")])


def test_the_panel_of_a_run_has_it_unless_it_is_off(tiny_classifier: Path) -> None:
    photos = suti_photos()
    for safety, sits in {Safety(classifier=tiny_classifier): True, Safety(classifier=OFF): False}.items():
        assert ("safety" in {judge.name for judge in replace(photos, safety=safety).panel().judges}) == sits


def test_only_recipes_for_photographs_leave_it_open() -> None:
    from tutelage.cli import _load

    runs = {name: _load(target)() for name, target in RECIPES.items()}
    said = {name: run.safety.classifier for name, run in runs.items() if hasattr(run, "safety")}
    assert {name: say for name, say in said.items() if say != OFF} == {"suti-photos": "", "omniedit-photos": ""}


def test_it_has_a_hash(tiny_classifier: Path) -> None:
    assert Safety(classifier=tiny_classifier, device="cpu").weights == weights_hash(tiny_classifier)
