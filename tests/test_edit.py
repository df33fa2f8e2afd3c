"""`tutelage edit` and the recipes behind it, as a user runs them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tutelage.benches.heldout import held_out_scene
from tutelage.cli import main
from tutelage.stages.learnt import MODEL
from tutelage.toybox.render import render


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photographs") / "house.jpg"
    Image.radial_gradient("L").resize((96, 64)).convert("RGB").save(path)
    return path


@pytest.fixture(scope="module", params=["instruct-pix2pix", "concat-transformer", "controlnet", "editnet"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished student of the recipe of that name, barely trained."""
    base = request.getfixturevalue("tiny_sd" if request.param == "instruct-pix2pix" else "tiny_sd3")
    out = tmp_path_factory.mktemp("runs") / request.param
    words = ["run", request.param, "--out", out, "--base", base, "--pairs.count", 7, "--pairs.sizes", 32, 32]
    words += ["--learning.schedule.steps", 2, "--learning.schedule.batch", 2, "--learning.weights", "fp32"]
    words += ["--device", "cpu"]
    assert main([str(word) for word in words]) == 0
    assert main([str(word) for word in words]) == 0  # nothing is left to do
    assert "tutelage edit" in (out / MODEL / "README.md").read_text()
    assert json.loads((out / MODEL / "recipe.json").read_bytes())["config"]["learning"]["student"] == request.param
    return Path(out / MODEL)


def edited(model: Path, photograph: Path, out: Path, *flags: str) -> int:
    words = ["edit", str(photograph), "a red hat in the snow", "--model", str(model), "--out", str(out)]
    return main([*words, "--steps", "2", "--device", "cpu", *flags])


def test_a_picture_is_changed_with_its_settings_inside(
    trained: Path, photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edited(trained, photograph, tmp_path, "--n", "2", "--seed", "5") == 0
    assert "2 pictures in" in capsys.readouterr().out
    first, second = (Image.open(tmp_path / f"{number:04d}.png") for number in range(2))
    assert first.tobytes() != second.tobytes()
    assert first.width > first.height
    settings = json.loads(first.text["tutelage"])  # type: ignore[attr-defined]
    assert settings["prompt"] == "a red hat in the snow"
    assert settings["source"]["name"] == "house.jpg"
    assert (settings["guidance"], settings["image_guidance"], settings["seed"]) == (7.5, 1.5, 5)
    assert "Image CFG scale: 1.5" in first.text["parameters"]  # type: ignore[attr-defined]
    assert Image.open(tmp_path / "sheet.png").width > 2 * first.width
    assert edited(trained, photograph, tmp_path / "again", "--seed", "5", "--image-guidance", "1.5") == 0
    assert Image.open(tmp_path / "again" / "0000.png").tobytes() == first.tobytes()


def test_the_shipped_editor_is_the_default_and_makes_it_night(tmp_path: Path) -> None:
    pictures = (render(held_out_scene(number))[0] for number in range(20))
    bright = next(picture for picture in pictures if picture.mean() > 128)
    Image.fromarray(bright).save(tmp_path / "toy.png")
    assert (
        main(["edit", str(tmp_path / "toy.png"), "make it night", "--steps", "6", "--out", str(tmp_path / "out")]) == 0
    )
    made = Image.open(tmp_path / "out" / "0000.png")
    settings = json.loads(made.text["tutelage"])  # type: ignore[attr-defined]
    assert (settings["model"], settings["guidance"]) == ("toybox-edit", 2.5)
    assert np.asarray(made).mean() < 0.75 * bright.mean()


def test_mask_guidance_is_a_flag(
    trained: Path, photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a phrase the editor finds the mask; a phrase that names nothing in the picture is answered."""
    assert edited(trained, photograph, tmp_path / "held", "--mask-guidance", "1") == 0
    picture = Image.open(tmp_path / "held" / "0000.png")
    settings = json.loads(picture.text["tutelage"])  # type: ignore[attr-defined]
    assert (settings["mask_guidance"], settings["mask"]) == (1.0, "")
    assert "Mask guidance: 1, Mask: the editor's" in picture.text["parameters"]  # type: ignore[attr-defined]
    capsys.readouterr()
    named = ["--mask", "the hat", "--masks.least", "1"]
    assert edited(trained, photograph, tmp_path / "named", "--mask-guidance", "1", *named) == 2
    assert "'the hat' is not in" in capsys.readouterr().err
    assert edited(trained, photograph, tmp_path / "named", "--mask-guidance", "1.5") == 2
    assert "--mask-guidance 1.5: give a weight from 0" in capsys.readouterr().err
    assert edited(trained, photograph, tmp_path / "named", *named) == 2
    assert "is of no use without --mask-guidance" in capsys.readouterr().err


def test_what_is_wrong_is_one_line(
    tiny_sd: Path, photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, says in (
        (["edit", str(photograph), "x", "--model", str(tiny_sd)], "is a StableDiffusionPipeline, which does not edit"),
        (["edit", str(tmp_path / "no.png"), "x", "--model", str(tiny_sd)], "no.png cannot be read"),
        (["edit", str(photograph), "x", "--model", str(tiny_sd), "--n", "0"], "n is 0; give at least 1"),
        (["edit", str(photograph), "x", "--model", "nowhere"], "no model 'nowhere'"),
    ):
        assert main([*words, "--out", str(tmp_path / "out")]) == 2
        assert says in capsys.readouterr().err
