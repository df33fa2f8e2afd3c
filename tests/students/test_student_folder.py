import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from apprentices import demonstrations, photo
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import load_file

from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.sample import image_seed
from tutelage.errors import BadInput
from tutelage.students import STUDENTS, student
from tutelage.students.base import Request
from tutelage.students.guidance import TwoWeights
from tutelage.students.suti import Suti
from tutelage.students.suti_pipeline import SutiPipeline

STOCK = {"sd": StableDiffusionPipeline, "sdxl": StableDiffusionXLPipeline}


@pytest.fixture(scope="module")
def folders(students: Callable[..., Suti], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Saved students of both shapes."""
    saved = {name: tmp_path_factory.mktemp("students") / name for name in STOCK}
    for name, folder in saved.items():
        students(name, levels=(0, 1)).save(folder)
    return saved


def drawn(suti: Suti) -> bytes:
    request = Request(text="a red bear toy", references=demonstrations(2), seed=image_seed(0, 0))
    [[picture]] = suti.generate([request], steps=2, guidance=TwoWeights(text=3, references=2))
    return picture.tobytes()


@pytest.mark.parametrize("name", sorted(STOCK))
def test_a_saved_student_draws_the_same(students: Callable[..., Suti], folders: dict[str, Path], name: str) -> None:
    assert drawn(Suti.load(folders[name], "cpu")) == drawn(students(name, levels=(0, 1)))


@pytest.mark.parametrize("name", sorted(STOCK))
def test_it_is_a_pipeline_of_diffusers(folders: dict[str, Path], name: str, tmp_path: Path) -> None:
    """Loaded, saved and loaded again by diffusers alone; the pictures are those of tutelage."""
    pipeline = SutiPipeline.from_pretrained(folders[name], use_safetensors=True)
    pipeline.save_pretrained(tmp_path / "again")
    again = SutiPipeline.from_pretrained(tmp_path / "again", use_safetensors=True)
    shown = [(photo(i, (32, 32 + 8 * i)), caption.caption) for i, caption in enumerate(demonstrations(2))]
    options: dict[str, Any] = {"num_inference_steps": 2, "guidance": TwoWeights(text=3, references=2)}
    pictures = [one("a red bear toy", shown, **options).images[0].tobytes() for one in (pipeline, again)]
    assert pictures == [drawn(Suti.load(folders[name], "cpu"))] * 2
    assert len(again(["a toy", "a bear"], num_inference_steps=1, height=32, width=48).images) == 2


@pytest.mark.parametrize("name", sorted(STOCK))
def test_without_tutelage_it_is_its_base(folders: dict[str, Path], name: str) -> None:
    pipeline = STOCK[name].from_pretrained(folders[name], use_safetensors=True)
    assert pipeline("a toy", num_inference_steps=1, output_type="np").images.shape == (1, 32, 32, 3)


def test_a_pipeline_notices_other_parts(folders: dict[str, Path]) -> None:
    pipeline = SutiPipeline.from_pretrained(folders["sd"], use_safetensors=True)
    shown = [(photo(0), "a bear")]
    before = pipeline("a bear", shown, num_inference_steps=1).images[0].tobytes()
    for layer in pipeline.reference_attention.layers.values():
        torch.nn.init.zeros_(layer.to_out.weight)
    asleep = pipeline("a bear", shown, num_inference_steps=1).images[0].tobytes()
    pipeline.unet = type(pipeline.unet).from_config(pipeline.unet.config)
    other = pipeline("a bear", shown, num_inference_steps=1).images[0].tobytes()
    assert len({before, asleep, other}) == 3


def test_the_layout_is_the_hubs(folders: dict[str, Path]) -> None:
    index = json.loads((folders["sd"] / "model_index.json").read_text())
    assert index["_class_name"] == "SutiPipeline"
    assert index["unet"] == ["diffusers", "UNet2DConditionModel"]
    assert index["reference_attention"] == ["tutelage.students.reference_attention", "ReferenceAttention"]
    layers = folders["sd"] / "reference_attention"
    assert {path.name for path in layers.iterdir()} == {"config.json", "diffusion_pytorch_model.safetensors"}
    assert not list(folders["sd"].parent.glob(".*"))


def test_nothing_tells_where_it_was_made(folders: dict[str, Path], tiny_sd: Path) -> None:
    texts = [path.read_text() for path in folders["sd"].rglob("*.json")]
    assert texts
    assert not any(str(tiny_sd.parent) in text or "_name_or_path" in text for text in texts)


def test_half_precision_is_for_the_folder_alone(students: Callable[..., Suti], tmp_path: Path) -> None:
    suti = students("sdxl", levels=(0, 1))
    suti.save(tmp_path / "half", "fp16")
    assert suti.network.attention.dtype == suti.pipeline.unet.dtype == torch.float32
    for file in (tmp_path / "half").rglob("*.safetensors"):
        assert {t.dtype for t in load_file(file).values() if t.is_floating_point()} == {torch.float16}
    loaded = Suti.load(tmp_path / "half", "cpu")
    assert loaded.network.unet.dtype == loaded.network.attention.dtype == torch.float32
    [a, b] = (dict(one.network.named_parameters()) for one in (suti, loaded))
    assert all(torch.equal(a[name].half().float(), b[name]) for name in a)
    assert Suti.load(tmp_path / "half", "cpu", "bf16").network.attention.dtype == torch.bfloat16


def test_nothing_is_overwritten(students: Callable[..., Suti], folders: dict[str, Path]) -> None:
    with pytest.raises(BadInput, match="is there already"):
        students("sd").save(folders["sd"])


def test_a_failed_save_leaves_nothing(
    students: Callable[..., Suti], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("tutelage.students.folder.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        students("sd").save(tmp_path / "student", "fp16")
    assert list(tmp_path.iterdir()) == []


def test_a_base_is_no_student(tiny_sd: Path) -> None:
    with pytest.raises(BadInput, match="is no student"):
        Suti.load(tiny_sd, "cpu")


@pytest.mark.parametrize("model", ["nowhere", Path("no/where"), "./no/where"])
def test_folders_have_to_exist(model: str | Path) -> None:
    with pytest.raises(BadInput, match="is not a folder"):
        Suti.load(model, "cpu")


@pytest.mark.parametrize("lost", ["reference_attention", "reference_attention/diffusion_pytorch_model.safetensors"])
def test_an_incomplete_folder_is_refused(folders: dict[str, Path], tmp_path: Path, lost: str) -> None:
    broken = Path(shutil.copytree(folders["sd"], tmp_path / "broken"))
    shutil.rmtree(broken / lost) if (broken / lost).is_dir() else (broken / lost).unlink()
    with pytest.raises(BadInput, match="reference_attention"):
        Suti.load(broken, "cpu")


def test_layers_of_another_network_are_refused(
    students: Callable[..., Suti], folders: dict[str, Path], tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(folders["sd"], tmp_path / "broken"))
    shutil.rmtree(broken / "reference_attention")
    students("sd15").network.attention.save_pretrained(broken / "reference_attention")
    with pytest.raises(
        BadInput, match=r"the UNet has no down_blocks.0.attentions.0, which its reference attention is made for"
    ):
        Suti.load(broken, "cpu")


def test_students_are_bases_to_learn_further(folders: dict[str, Path], tmp_path: Path) -> None:
    """As Dream-SuTI does; and a student's base is an ordinary pipeline."""
    suti = Suti.load(folders["sd"], "cpu")
    suti.pipeline.save_pretrained(tmp_path / "base")
    assert type(load_pipeline(tmp_path / "base", "cpu")) is StableDiffusionPipeline
    suti.save(tmp_path / "further")
    assert drawn(Suti.load(tmp_path / "further", "cpu")) == drawn(suti)


def test_students_are_found_by_name() -> None:
    assert student("suti") is Suti
    assert len({student(name) for name in STUDENTS}) == len(STUDENTS)
    with pytest.raises(BadInput, match="Did you mean 'suti'"):
        student("sutti")
