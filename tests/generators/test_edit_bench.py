"""Benches of editors from a set on disk to rows, on the toybox's true edits in other people's layouts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from edit_sets import picture, true_edits, write_omniedit, write_pairs, write_pie
from PIL import Image, ImageOps
from safetensors.torch import save_file

from tutelage.benches.editing.examiner import EditExaminer, Marks
from tutelage.benches.editing.questions import EditQuestion
from tutelage.benches.metrics.backbones import squeezenet
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.generators.edit_bench import point_rows
from tutelage.generators.edit_command import (
    CurveBench,
    OmniEditBench,
    PieBench,
    editing_command,
    omniedit_command,
    pie_command,
)
from tutelage.generators.editors import (
    Editor,
    EditRequest,
    EditSettings,
    InstructPix2Pix,
    StudentEditor,
)

drawn: list[str] = []


@dataclass(frozen=True, kw_only=True)
class Inverter:
    """Turns colours around, more so with less image guidance, and adds a run's noise."""

    name: str = "inverter"
    timed: ClassVar[bool] = True

    def made_from(self) -> str:
        return ""

    def edit(self, requests: Sequence[EditRequest], settings: EditSettings) -> Iterator[Image.Image]:
        for request in requests:
            drawn.append(f"{settings.place}/{request.id}")
            source = decode(request.source)
            other = np.asarray(ImageOps.invert(source)).astype(float)
            share = 1 / settings.image + 0.01 * settings.run
            yield Image.fromarray((np.asarray(source) * (1 - share) + other * share).clip(0, 255).astype(np.uint8))


@dataclass(frozen=True, kw_only=True)
class InvertedPie(PieBench):
    def editors(self):
        return [*super().editors(), Inverter()]


@dataclass(frozen=True, kw_only=True)
class InvertedCurve(CurveBench):
    def editors(self):
        return [Inverter()]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("lpips") / "squeeze.safetensors"
    save_file({f"features.{name}": value for name, value in squeezenet().state_dict().items()}, file)
    return file


@pytest.fixture
def networks(tiny_clip: Path, tiny_vit: Path, weights: Path) -> dict:
    return {"clip": str(tiny_clip), "dino": str(tiny_vit), "lpips_weights": weights, "device": "cpu"}


def rows_in(path: Path) -> dict[tuple[str, str], dict]:
    return {(row["row"], row["metric"]): row for row in json.loads(path.read_text(encoding="utf-8"))}


def test_pie_bench_measures_true_edits_and_a_wrong_one(tmp_path: Path, networks: dict) -> None:
    edits = true_edits(7)
    ids = write_pie(tmp_path / "pie", edits)
    for name, edit in zip(ids, edits, strict=True):
        file = tmp_path / "made" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(edit, "after"))
    bench = InvertedPie(
        data=tmp_path / "pie", out=tmp_path / "out", images=tmp_path / "made", json=tmp_path / "rows.json", **networks
    )
    drawn.clear()
    pie_command(bench)
    rows = rows_in(tmp_path / "rows.json")
    assert len(drawn) == 7
    for kind in ("published", "masked"):
        true, wrong = (rows[who, f"background MSE, {kind}"] for who in ("images", "inverter"))
        # an environment and a style may change everything: nothing can be said about their background
        assert (true["value"], true["n"], true["missing"]) == (0, 5, 2)
        assert wrong["value"] > 0.01
        assert rows["images", f"background PSNR, {kind}"]["missing"] == 7
        assert rows["images", f"background SSIM, {kind}"]["value"] == pytest.approx(1, abs=1e-4)
        assert rows["images", f"background LPIPS, {kind}"]["value"] == pytest.approx(0, abs=1e-9)
        assert rows["inverter", f"background LPIPS, {kind}"]["value"] > 1e-4
    assert rows["inverter", "background MSE, masked"]["value"] > rows["inverter", "background MSE, published"]["value"]
    assert rows["source", "structure distance (tiny-vit)"]["value"] == 0
    assert rows["source", "CLIP image similarity (tiny-clip)"]["value"] == pytest.approx(1)
    assert rows["source", "CLIP direction similarity (tiny-clip)"]["value"] == pytest.approx(0, abs=1e-6)
    assert rows["images", "structure distance (tiny-vit)"]["value"] > 0
    assert rows["images", "background MSE, masked: 9 change style"]["missing"] == 1
    assert not any(who == "reference" for who, _ in rows)  # the set has no edits of its own
    marks = [json.loads(line) for line in (tmp_path / "out" / "images" / "marks.jsonl").read_text().splitlines()]
    assert [mark["item"] for mark in marks] == ids

    before = (tmp_path / "rows.json").read_bytes()
    (tmp_path / "out" / "inverter" / f"{ids[2]}.png").unlink()
    drawn.clear()
    pie_command(bench)
    assert drawn == [f"/{ids[2]}"]
    assert (tmp_path / "rows.json").read_bytes() == before


def test_what_was_made_elsewhere_is_measured_as_far_as_it_is_there(
    tmp_path: Path, networks: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = true_edits(4)
    ids = write_pie(tmp_path / "pie", edits)
    made = [tmp_path / "made" / f"{name}.jpg" for name in ids]
    for path, edit in zip(made[:2], edits, strict=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(edit, "after"))
    made[2].parent.mkdir(exist_ok=True)
    made[2].write_bytes(b"no picture")
    bench = PieBench(
        data=tmp_path / "pie", out=tmp_path / "out", images=tmp_path / "made", json=tmp_path / "rows.json", **networks
    )
    pie_command(bench)
    rows = rows_in(tmp_path / "rows.json")
    assert (rows["images", "coverage"]["value"], rows["images", "coverage"]["missing"]) == (0.5, 2)
    assert [rows["images", f"missing: {why}"]["missing"] for why in ("no picture", "picture cannot be read")] == [1, 1]
    figure = "CLIP image similarity (tiny-clip)"
    assert (rows["images", figure]["n"], rows["images", figure]["missing"]) == (2, 2)
    assert rows["source", "coverage"]["value"] == 1

    looked: list[str] = []
    mark = EditExaminer.mark

    def marking(self: EditExaminer, asked: Sequence[EditQuestion], answers: Sequence[Image.Image]) -> list[Marks]:
        looked.extend(one.id for one in asked)
        return mark(self, asked, answers)

    monkeypatch.setattr(EditExaminer, "mark", marking)
    for path, edit in zip(made[2:], edits[2:], strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(edit, "after"))
    pie_command(bench)
    assert looked == ids[2:]
    assert rows_in(tmp_path / "rows.json")["images", "coverage"]["value"] == 1
    assert sorted(path.name for path in (tmp_path / "out" / "images").iterdir()) == ["marks.jsonl"]


def test_a_bench_of_editors_says_what_is_wrong(tmp_path: Path, networks: dict) -> None:
    write_pie(tmp_path / "pie", true_edits(2))
    told = {"data": tmp_path / "pie", "out": tmp_path / "other", **networks}
    with pytest.raises(BadInput, match="asks nothing"):
        pie_command(PieBench(types=(5,), **told))
    with pytest.raises(BadInput, match="nobody is measured"):
        pie_command(PieBench(beside=(), **told))
    with pytest.raises(BadInput, match="--beside sauce"):
        pie_command(PieBench(beside=("sauce",), **told))
    with pytest.raises(BadInput, match="absent is not a folder"):
        pie_command(PieBench(images=tmp_path / "absent", **told))


def test_omniedit_gives_figures_by_task_and_ratio(
    tmp_path: Path, networks: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    write_omniedit(tmp_path / "set.parquet", true_edits(8))
    told = {**networks, "lpips": "none"}
    omniedit_command(
        OmniEditBench(data=tmp_path / "set.parquet", out=tmp_path / "out", json=tmp_path / "rows.json", **told)
    )
    rows = rows_in(tmp_path / "rows.json")
    figure = "CLIP-I to the set's edit (tiny-clip)"
    assert rows["reference", figure]["value"] == pytest.approx(1)
    assert rows["source", f"{figure}: swap"]["n"] == 2
    assert {metric.rpartition(": ")[2] for _, metric in rows if metric.startswith(figure + ": ratio")} == {
        "ratio 1:1",
        "ratio 2:3",
        "ratio 3:2",
        "ratio 16:9",
    }
    assert not any(metric.startswith(("CLIP score", "background")) for _, metric in rows)
    printed = capsys.readouterr().out
    assert "sha256" in printed
    assert "(tiny-clip)" in printed
    assert "ratio" not in printed


def test_the_curve_has_a_point_a_guidance_and_a_spread_over_runs(tmp_path: Path, tiny_clip: Path) -> None:
    write_pairs(tmp_path / "pairs", true_edits(4))
    bench = InvertedCurve(
        data=tmp_path / "pairs",
        split="train",
        out=tmp_path / "out",
        clip=str(tiny_clip),
        image_guidance=(1.0, 2.0),
        runs=2,
        device="cpu",
        json=tmp_path / "rows.json",
    )
    drawn.clear()
    editing_command(bench)
    assert len(drawn) == 3 * 2 * 2
    rows = rows_in(tmp_path / "rows.json")
    name = "CLIP image similarity (tiny-clip)"
    for guidance in ("1", "2"):
        point = rows["inverter", f"{name}: image guidance {guidance}"]
        assert point["n"] == 3
        assert point["low"] <= point["value"] <= point["high"] < 1
        assert rows["inverter", f"{name}, std over runs: image guidance {guidance}"]["n"] == 2
    assert rows["reference", "CLIP direction similarity (tiny-clip)"]["n"] == 3
    assert (tmp_path / "out" / "inverter" / "text-7.5_image-2_run-1").is_dir()
    drawn.clear()
    editing_command(bench)
    assert drawn == []
    with pytest.raises(BadInput, match="a curve needs"):
        editing_command(CurveBench(data=tmp_path / "pairs", runs=0))


def test_points_average_runs_before_pictures() -> None:
    runs = [[{"a": 1.0}, {"a": 3.0}], [{"a": 2.0}, {"a": 6.0}]]
    mean, spread = point_rows("p", "editor", "image guidance 1", runs, 0)
    assert mean.value == pytest.approx(3)
    assert spread.value == pytest.approx(np.std([2, 4], ddof=1))


def test_a_picture_that_one_run_lacks_is_missing_at_that_point() -> None:
    mean, _ = point_rows("p", "editor", "image guidance 1", [[{"a": 1.0}, {"a": 3.0}], [{}, {"a": 6.0}]], 0)
    assert (mean.value, mean.n, mean.missing) == (pytest.approx(4.5), 1, 1)


@pytest.fixture(scope="module")
def tiny_editor(tiny_sd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random InstructPix2Pix."""
    from diffusers import StableDiffusionInstructPix2PixPipeline, StableDiffusionPipeline, UNet2DConditionModel

    base = StableDiffusionPipeline.from_pretrained(tiny_sd)
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_config({**base.unet.config, "in_channels": 8})
    folder = tmp_path_factory.mktemp("editors") / "tiny"
    parts = {name: part for name, part in base.components.items() if name != "image_encoder"} | {"unet": unet}
    StableDiffusionInstructPix2PixPipeline(**parts, requires_safety_checker=False).save_pretrained(folder)
    return folder


REQUESTS = [
    EditRequest(id=f"a/{number}", source=picture(edit, "before", 32), instruction=edit.instruction)
    for number, edit in enumerate(true_edits(3))
]


@pytest.mark.parametrize("kind", ["instruct-pix2pix", "student"])
def test_every_editor_answers_whatever_else_is_asked(kind: str, tiny_editor: Path) -> None:
    editors: dict[str, Editor] = {
        "instruct-pix2pix": InstructPix2Pix(model=tiny_editor, steps=2, device="cpu"),
        "student": StudentEditor(model=tiny_editor, steps=2, device="cpu"),
    }
    made = editors[kind]
    assert made.name == kind
    answers = [one.tobytes() for one in made.edit(REQUESTS, EditSettings())]
    assert len(set(answers)) == 3
    assert [one.tobytes() for one in made.edit(REQUESTS[1:2], EditSettings())] == [answers[1]]
    assert made.made_from() == made.made_from() != ""
    again = [one.tobytes() for one in made.edit(REQUESTS[:1], EditSettings(run=1))]
    assert again != answers[:1]


def test_another_pipeline_is_no_editor(tiny_sd: Path) -> None:
    with pytest.raises(BadInput):
        next(InstructPix2Pix(model=tiny_sd / "unet", device="cpu").edit(REQUESTS, EditSettings()))
