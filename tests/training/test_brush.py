"""The trainer of BrushNets, on a tiny Stable Diffusion and a handful of small pictures."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tutelage.cli import main
from tutelage.diffusion.load import load_pipeline
from tutelage.errors import BadInput
from tutelage.recipes.toybox_brush import toybox_brush_net, toybox_brush_net_debug
from tutelage.run import read_log
from tutelage.teachers.specialists.branches import load_branch
from tutelage.teachers.specialists.inpainting import Fill, inpaint
from tutelage.teachers.specialists.settings import Drawing
from tutelage.training import brush
from tutelage.training.brush import OUTSIDE, frozen_base, region_error, train_brush
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.settings import Emphasis, Schedule

Train = Callable[..., Any]


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Renders:
    made = Renders(folder=tmp_path_factory.mktemp("renders") / "few", subjects=2, views=2, size=32).build(1)
    made.emptied().build(1)
    return made


@pytest.fixture
def train(renders: Renders, tiny_sd: Path) -> Train:
    """(folder, steps) → a branch."""

    def trained(out: Path, steps: int) -> Any:
        out.mkdir(exist_ok=True)
        schedule = Schedule(steps=steps, batch=4, lr=3e-3, warmup=5, ema=0.9)
        return train_brush(renders, renders.emptied(), schedule, tiny_sd, out, "cpu", False, Emphasis())

    return trained


def test_a_few_dozen_steps_help(train: Train, tmp_path: Path) -> None:
    """Levels and regions are drawn anew at every step, so each figure is a mean of twenty."""
    train(tmp_path, 40)
    first, last = (row["loss"] for row in read_log(tmp_path))
    assert last < 0.9 * first


def test_killed_and_resumed_is_the_same_run(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(tmp_path / "whole", 4)
    monkeypatch.setattr(brush, "fit", partial(fit, save_seconds=0.0))
    with monkeypatch.context() as patched:
        steps = iter(range(2))

        def fragile(*told: Any) -> torch.Tensor:
            if next(steps, None) is None:
                raise Killed
            return region_error(*told)

        patched.setattr(brush, "region_error", fragile)
        with pytest.raises(Killed):
            train(tmp_path / "cut", 4)
    resumed = train(tmp_path / "cut", 4)
    for ours, theirs in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def run_recipe(folder: Path, base: Path, steps: int) -> Path:
    words = ["run", "toybox-brush-net-debug", "--base", str(base), "--renders.subjects", "2", "--renders.size", "32"]
    words += ["--schedule.steps", str(steps), "--schedule.batch", "2", "--workers", "1", "--device", "cpu"]
    assert main([*words, "--out", str(folder), "--renders.folder", str(folder.with_name("r"))]) == 0
    return folder / "model"


def test_the_finished_folder_is_a_branch_and_begins_as_its_base(tmp_path: Path, tiny_sd: Path) -> None:
    pipeline = load_pipeline(tiny_sd, "cpu", "fp32")
    picture = Image.fromarray(np.random.default_rng(7).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    fill = Fill(picture, np.arange(32)[None].repeat(32, 0) < 16, "a bear", 0)
    [plain] = inpaint(pipeline, [fill], Drawing(steps=2))
    painted = []
    for steps in (0, 2):
        model = run_recipe(tmp_path / f"{steps}", tiny_sd, steps)
        assert json.loads((model / "config.json").read_text())["_class_name"] == "BrushNet"
        loaded = load_branch(str(model), torch.device("cpu"), torch.float32)
        painted += inpaint(pipeline, [fill], Drawing(steps=2), loaded)
    assert painted[0].tobytes() == plain.tobytes() != painted[1].tobytes()
    card = (model / "README.md").read_text()
    assert f"`{tiny_sd}`" in card
    assert "2 of the same places with nobody there" in card


def test_the_debug_recipe_is_the_recipe_on_eight_pictures() -> None:
    few, whole = toybox_brush_net_debug(), toybox_brush_net()
    assert (few.base, few.emphasis, len(few.renders)) == (whole.base, whole.emphasis, 8)


def test_every_region_counts_alike_and_the_rest_a_little() -> None:
    error, mask = torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)
    mask[0, :, 0, 0], mask[1, :, :3] = 1, 1
    error[0, :, 0, 0] = 2.0
    weight = torch.ones_like(mask)
    assert region_error(error, mask, weight).item() == pytest.approx(1.0)
    error[0], error[1, :, :3] = 0, 2.0
    assert region_error(error, mask, weight).item() == pytest.approx(1.0)
    error[1, :, :3], error[1, :, 3] = 0, 2.0
    assert region_error(error, mask, weight).item() == pytest.approx(OUTSIDE)
    assert region_error(error, torch.ones_like(mask), weight).isfinite()


def test_the_base_stays_as_it_is_and_learns_nothing(tiny_sd: Path) -> None:
    pipeline = frozen_base(tiny_sd, "cpu")
    networks = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    assert not any(parameter.requires_grad for network in networks for parameter in network.parameters())


def test_other_bases_are_answered(tiny_sd3: Path) -> None:
    with pytest.raises(BadInput, match="has no UNet of text to image alone"):
        frozen_base(tiny_sd3, "cpu")
