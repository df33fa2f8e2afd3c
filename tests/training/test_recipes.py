import signal
import subprocess
import sys
import time

import pytest
from diffusers import StableDiffusionPipeline
from transformers import (
    AutoModelForImageClassification,
    AutoModelForSemanticSegmentation,
    CLIPModel,
    CLIPTokenizer,
    ViTModel,
)

from tutelage.cli import main
from tutelage.recipes import RECIPES
from tutelage.recipes.toybox import CHECKPOINT_RECIPES


def test_every_checkpoint_recipe_is_listed():
    assert {f"toybox-{name}" for name in CHECKPOINT_RECIPES} < set(RECIPES)


def test_a_step_out_of_order_says_what_to_run_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = main(["run", "toybox-sd", "--renders.folder", "r", "--renders.subjects", "1", "--renders.views", "1"])
    assert code == 2
    assert "tutelage run toybox-vae" in capsys.readouterr().err


@pytest.mark.e2e
def test_debug_recipe_killed_and_resumed_loads_with_stock_classes(tmp_path):
    command = [sys.executable, "-m", "tutelage", "run", "toybox-debug"]
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runs = tmp_path / "runs" / "toybox-debug"
    deadline = time.monotonic() + 120
    while not (runs / "clip").exists() and time.monotonic() < deadline and first.poll() is None:
        time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (runs / "seg" / "model").exists()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    assert CLIPModel.from_pretrained(runs / "clip/model").config.projection_dim == 192
    assert CLIPTokenizer.from_pretrained(runs / "clip/model").model_max_length == 40
    assert ViTModel.from_pretrained(runs / "dino/model", add_pooling_layer=False).config.hidden_size == 192
    assert AutoModelForSemanticSegmentation.from_pretrained(runs / "seg/model").config.id2label[0] == "background"
    assert AutoModelForImageClassification.from_pretrained(runs / "reader/model").config.id2label[0] == "kind=bear"
    pipeline = StableDiffusionPipeline.from_pretrained(runs / "sd/model", dtype="auto")
    assert pipeline("a toy", num_inference_steps=1, output_type="np").images.shape == (1, 128, 128, 3)
