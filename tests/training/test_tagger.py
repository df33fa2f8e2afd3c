"""What a tagger learns, and that its recipe's folder can judge."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutelage.benches.heldout import held_out_scene
from tutelage.benches.toybox_tagger import TaggerBench
from tutelage.cli import main
from tutelage.diffusion.tags import groups, load_tagger, named
from tutelage.toybox.captions import EMPTY, PHRASES, SILENT, caption
from tutelage.toybox.scene import ATTRIBUTES, describe
from tutelage.training.tagger import misread, tags

LABELS = groups(dict(enumerate(tags())), "a tagger")
COLOURED = {"body": "{}", "head": "{} head", "accent": "{} limbs", "pattern": "{}"}


def test_there_is_a_label_for_every_value_of_every_attribute():
    more = {"kind": 1}  # nobody
    assert {group: len(phrases) for group, phrases in LABELS.items()} == {
        name: len(values) + more.get(name, 0) for name, values in ATTRIBUTES.items()
    }


@given(st.integers(0, 5000))
def test_a_full_caption_names_what_is_to_be_seen(number):
    scene = held_out_scene(number)
    said = named(caption(scene), LABELS)
    for name, value in describe(scene).items():
        phrase = COLOURED[name].format(value) if name in COLOURED else PHRASES[name].get(value, "")
        assert said[name] == ("" if value in SILENT else phrase)


def test_of_an_empty_place_nothing_of_a_toy_is_named():
    said = named(caption(held_out_scene(3).without_subject()), LABELS)
    assert said["kind"] == EMPTY
    assert not {"view", "body", "head", "accent"} & said.keys()
    assert {said[name] for name in ("pattern", "accessory", "expression")} == {""}


def test_the_loss_is_that_of_what_captions_name():
    said = caption(held_out_scene(3).without_subject())
    even = misread(torch.zeros(1, len(tags())), [said], LABELS)
    assert float(even) == pytest.approx(sum(math.log(len(LABELS[group])) for group in named(said, LABELS)), abs=1e-4)
    right = torch.zeros(1, len(tags()))
    for group, phrase in named(said, LABELS).items():
        right[0, LABELS[group][phrase]] = 20.0
    assert float(misread(right, [said], LABELS)) < 1e-4


def test_the_recipe_s_folder_reads_pictures(tmp_path):
    small = ["--renders.folder", str(tmp_path / "renders"), "--renders.subjects", "8", "--renders.views", "1"]
    command = ["run", "toybox-tagger", "--out", str(tmp_path / "run"), "--schedule.steps", "2", "--side", "32", *small]
    assert main([*command, "--schedule.batch", "8", "--workers", "1", "--device", "cpu"]) == 0
    model = tmp_path / "run" / "model"
    assert list(load_tagger(model, "cpu").labels) == list(LABELS)
    rows = TaggerBench(checkpoint=str(model), items=0.004, seed=0, device="cpu", workers=1).run()
    assert next(row.metric for row in rows) == "accuracy: mean of groups"
    assert {row.metric for row in rows} >= {"accuracy: kind", "accuracy: nobody"}
