import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tutelage.cli import main
from tutelage.diffusion.load import weights_hash
from tutelage.generate import ON_SHEET
from tutelage.stamp import Settings, parameters, png

FAST = ("--steps", "2", "--device", "cpu")


def run(model: Path, out: Path, *flags: str, prompt: str = "a red bear toy") -> int:
    return main(["generate", prompt, "--model", str(model), "--out", str(out), *FAST, *flags])


def stored(path: Path) -> dict[str, object]:
    with Image.open(path) as image:
        settings: dict[str, object] = json.loads(image.text["tutelage"])
    return settings


@pytest.mark.e2e
def test_writes_pictures_and_a_sheet(tiny_sd: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tiny_sd, tmp_path / "new" / "out", "--n", "3") == 0
    names = sorted(path.name for path in (tmp_path / "new" / "out").iterdir())
    assert names == ["0000.png", "0001.png", "0002.png", "sheet.png"]
    printed = capfd.readouterr()
    said = re.fullmatch(r"3 pictures in \d+\.\d s: (.*)\n", printed.out)
    assert said
    assert said[1] == str(tmp_path / "new" / "out" / "sheet.png")
    assert printed.err == ""


@pytest.mark.e2e
def test_the_built_in_generator_is_the_default_way(toybox_sd: Path, tmp_path: Path) -> None:
    """With the shipped folder where it is there; its pictures must not be flat."""
    assert run(toybox_sd, tmp_path, "--n", "1") == 0
    with Image.open(tmp_path / "0000.png") as image:
        assert np.asarray(image).std() > 5


def test_the_same_seed_gives_the_same_bytes(tiny_sd: Path, tmp_path: Path) -> None:
    """Whatever the batch, and with a larger n as well."""
    for name, flags in {"a": ("--n", "2", "--batch", "1"), "b": ("--n", "3"), "c": ("--n", "2", "--seed", "1")}.items():
        assert run(tiny_sd, tmp_path / name, *flags) == 0
    first, more, other = ([(tmp_path / n / f"000{i}.png").read_bytes() for i in range(2)] for n in "abc")
    assert first == more
    assert len({*first, *other}) == 4


def test_every_setting_is_in_the_picture(tiny_sd: Path, tmp_path: Path) -> None:
    flags = ("--n", "2", "--seed", "7", "--guidance", "2.5", "--negative", "snow", "--size", "32", "48")
    assert run(tiny_sd, tmp_path, *flags) == 0
    settings = stored(tmp_path / "0001.png")
    expected = {
        "prompt": "a red bear toy",
        "negative": "snow",
        "seed": 7,
        "index": 1,
        "steps": 2,
        "guidance": 2.5,
        "scheduler": "DDIMScheduler",
        "width": 48,
        "height": 32,
        "model": str(tiny_sd),
        "model_hash": weights_hash(tiny_sd),
        "dtype": "fp32",
        "device": "cpu",
    }
    assert settings.items() >= expected.items()
    with Image.open(tmp_path / "0001.png") as image:
        assert image.size == (48, 32)
        assert image.text["parameters"] == parameters(Settings(**settings))  # type: ignore[arg-type]


def test_stored_settings_make_the_picture_again(tiny_sd: Path, tmp_path: Path) -> None:
    assert run(tiny_sd, tmp_path / "a", "--n", "1", "--seed", "5") == 0
    was = stored(tmp_path / "a" / "0000.png")
    again = ("--n", "1", "--seed", str(was["seed"]), "--guidance", str(was["guidance"]))
    assert run(Path(str(was["model"])), tmp_path / "b", *again, prompt=str(was["prompt"])) == 0
    assert (tmp_path / "a" / "0000.png").read_bytes() == (tmp_path / "b" / "0000.png").read_bytes()


def settings(**changes: object) -> Settings:
    plain: dict[str, object] = {"prompt": "a toy", "negative": "", "seed": 3, "index": 0, "steps": 20, "guidance": 4.0}
    plain |= {"scheduler": "DDIMScheduler", "width": 48, "height": 32, "model": "toybox-sd", "model_hash": "0f"}
    return Settings(**(plain | {"dtype": "fp32", "device": "cpu", "version": "1"} | changes))  # type: ignore[arg-type]


def test_parameters_read_as_web_interfaces_write_them() -> None:
    line = "Steps: 20, Sampler: DDIM, CFG scale: 4, Seed: 3, Index: 0, Size: 48x32, Model hash: 0f, Model: toybox-sd"
    assert parameters(settings()) == f"a toy\n{line}, Version: tutelage 1"
    assert parameters(settings(negative="snow")).splitlines()[1] == "Negative prompt: snow"


@pytest.mark.parametrize("prompt", ["", 'два 🧸 "toys"\nand more', "ü" * 5000])
def test_any_text_survives_the_file(tmp_path: Path, prompt: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(Image.new("RGB", (16, 16)), settings(prompt=prompt)))
    assert stored(path)["prompt"] == prompt
    with Image.open(path) as image:
        assert image.text["parameters"].startswith(prompt)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--n", "0"), "n is 0"),
        (("--steps", "0"), "steps is 0"),
        (("--batch", "0"), "batch is 0"),
        (("--seed", "-1"), "seed is -1"),
        (("--seed", str(2**63)), f"seed is {2**63}"),
        (("--guidance", "nan"), "guidance is nan"),
        (("--size", "33"), "multiples of 8 pixels; the nearest is 32 x 32"),
        (("--size", "8"), "sides must be 16 to 4096 pixels"),
        (("--size", "32", "40000"), "sides must be 16 to 4096 pixels"),
        (("--device", "cuda:99"), "device 'cuda:99' is not on this machine"),
        (("--model", "toybox-ds"), "Did you mean 'toybox-sd'"),
        (("--model", "/none"), "no model '/none'"),
        (("--model", ""), "no model ''"),
        (("--model", "."), "is not a diffusers pipeline"),
        (("--out", __file__), "cannot be made a folder"),
    ],
)
def test_bad_input_is_one_line_and_2(
    tiny_sd: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], flags: tuple[str, ...], says: str
) -> None:
    assert run(tiny_sd, tmp_path, *flags) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("tutelage: ")
    assert says in line
    assert list(tmp_path.iterdir()) == []


def test_unknown_words_are_warned_of_once(tiny_sd: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tiny_sd, tmp_path, "--n", "3", "--batch", "1", prompt="a zebra, a red zebra" + " toy" * 30) == 0
    unknown, long = capfd.readouterr().err.splitlines()
    assert unknown == "tutelage: the model does not know 'zebra'; it has never seen it"
    assert long.startswith("tutelage: the prompt is too long")


def test_a_large_run_has_a_sheet_of_its_first_pictures(tiny_sd: Path, tmp_path: Path) -> None:
    assert run(tiny_sd, tmp_path, "--n", str(ON_SHEET + 2), "--size", "16", "--steps", "1", "--guidance", "1") == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width < 16 * 8 + 100
    assert (tmp_path / f"{ON_SHEET + 1:04d}.png").exists()


def test_help_needs_no_torch() -> None:
    code = (
        "import sys, tutelage.generate, tutelage.demo; print({'torch', 'diffusers', 'PIL', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
