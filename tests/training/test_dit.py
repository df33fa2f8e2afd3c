"""The trainer of toybox-dit: an empty transformer, two text encoders, and diffusers' own pipeline."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusion3Pipeline

from tutelage.cli import main
from tutelage.recipes.toybox_dit import toybox_dit
from tutelage.toybox.checkpoints import checkpoint
from tutelage.training.dit import DitBase, begun, build_dit, build_words, read
from tutelage.training.settings import DitShape


def test_texts_are_read_as_the_pipeline_reads_them() -> None:
    base = DitBase.load(checkpoint("toybox-sd"), checkpoint("toybox-clip"), "cpu")
    torch.manual_seed(0)
    words = build_words(64, base.text_encoder)
    dit = build_dit(DitShape(), 16, 192 + 64)
    parts = {"transformer": dit, "vae": base.vae, "scheduler": None, "text_encoder_3": None, "tokenizer_3": None}
    encoders = {"text_encoder": base.text_encoder.eval(), "text_encoder_2": words.eval()}
    tokenizers = {"tokenizer": base.tokenizer, "tokenizer_2": base.tokenizer}
    pipeline = StableDiffusion3Pipeline(**parts, **encoders, **tokenizers)
    text = "a bear toy wearing a crown in the snow"
    ids = base.tokenizer(text, padding="max_length", max_length=40, truncation=True, return_tensors="pt").input_ids
    for zeros in (0, 256):
        with torch.no_grad():
            hidden, pooled = read((base.text_encoder, words), ids, zeros)
            theirs = pipeline.encode_prompt(
                text, None, None, do_classifier_free_guidance=False, max_sequence_length=zeros
            )
        torch.testing.assert_close(hidden, theirs[0])
        torch.testing.assert_close(pooled, theirs[2])


def test_a_fresh_transformer_says_nothing_and_is_small() -> None:
    dit = build_dit(DitShape(), 16, 256)
    said = dit(torch.randn(1, 16, 16, 16), torch.randn(1, 40, 256), torch.randn(1, 256), torch.tensor([500.0])).sample
    assert not said.any()
    folders = [checkpoint("toybox-sd") / "vae", checkpoint("toybox-sd") / "text_encoder"]  # type: ignore[operator]
    others = sum(file.stat().st_size for folder in folders for file in folder.rglob("*.safetensors"))
    assert 2 * dit.num_parameters() + others < 12e6


@pytest.mark.e2e
def test_two_steps_make_a_folder_that_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["run", "toybox-dit-debug", "--renders.subjects", "4", "--schedule.steps", "2", "--schedule.batch", "2"]
    assert main([*words, "--workers", "1", "--device", "cpu"]) == 0
    model = tmp_path / "runs/toybox-dit-debug/model"
    assert json.loads((model / "model_index.json").read_bytes())["_class_name"] == "StableDiffusion3Pipeline"
    assert "toybox-sd" in (model / "README.md").read_text()
    drawn = ["generate", "a toy", "--model", str(model), "--n", "1", "--steps", "1", "--device", "cpu"]
    assert main([*drawn, "--out", str(tmp_path / "drawn")]) == 0
    assert toybox_dit().shape == DitShape()


@pytest.mark.e2e
def test_a_finished_transformer_is_trained_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["run", "toybox-dit-debug", "--renders.subjects", "2", "--schedule.batch", "2", "--workers", "1"]
    assert main([*words, "--schedule.steps", "1", "--device", "cpu"]) == 0
    model = tmp_path / "runs/toybox-dit-debug/model"
    begun_with = [weights.clone() for part in begun(model) for weights in part.parameters()]
    still = ["--schedule.steps", "1", "--schedule.lr", "0", "--schedule.seed", "1"]  # fresh ones would be others
    assert main([*words, *still, "--device", "cpu", "--start", str(model), "--out", "runs/further"]) == 0
    ended_with = [weights for part in begun(tmp_path / "runs/further/model") for weights in part.parameters()]
    assert all(map(torch.equal, begun_with, ended_with))
    assert "`tutelage run toybox-dit-debug`" in (tmp_path / "runs/further/model/README.md").read_text()
