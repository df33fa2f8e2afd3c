import json
import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from tutelage.diffusion.load import load_pipeline, local_folder, weights_hash
from tutelage.errors import BadInput

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def broken(tiny_sd: Path, tmp_path: Path) -> Path:
    """A copy of the tiny pipeline, to be broken."""
    return Path(shutil.copytree(tiny_sd, tmp_path / "broken"))


def change_index(folder: Path, **changes: object) -> None:
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rewrite(path: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    save_file({name: change(tensor).contiguous() for name, tensor in load_file(path).items()}, path)


def test_loads_stable_diffusion_and_sdxl(tiny_sd: Path, tiny_sdxl: Path) -> None:
    assert type(load_pipeline(tiny_sd)).__name__ == "StableDiffusionPipeline"
    assert type(load_pipeline(str(tiny_sdxl))).__name__ == "StableDiffusionXLPipeline"


@pytest.mark.parametrize(("dtype", "found"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_weights_stored_in_fp16_are_loaded_as_asked(broken: Path, dtype: str, found: torch.dtype) -> None:
    for path in broken.rglob("*.safetensors"):
        rewrite(path, lambda tensor: tensor.half() if tensor.is_floating_point() else tensor)
    pipeline = load_pipeline(broken, "cpu", dtype)
    parts = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    assert {p.dtype for part in parts for p in part.parameters()} == {found}


def test_loading_is_silent(tiny_sd: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_pipeline(tiny_sd)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["no/such/folder", "./none", "/none"])
def test_a_missing_folder_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="is not a folder"):
        load_pipeline(name)


def test_a_folder_without_an_index_is_refused(tiny_sd: Path) -> None:
    with pytest.raises(BadInput, match=r"not a diffusers pipeline \(no model_index.json\)"):
        load_pipeline(tiny_sd / "unet")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"_class_name": ["mine", "Mine"]}'])
def test_an_index_that_is_none_is_refused(broken: Path, text: str) -> None:
    (broken / "model_index.json").write_text(text)
    with pytest.raises(BadInput, match=r"model_index\.json (is not JSON|names no pipeline class)"):
        load_pipeline(broken)


@pytest.mark.parametrize("name", ["NoSuchPipeline", "DanceDiffusionPipeline", "UNet2DConditionModel"])
def test_another_class_is_refused(broken: Path, name: str) -> None:
    change_index(broken, _class_name=name)
    with pytest.raises(BadInput, match="cannot be loaded as a text-to-image pipeline"):
        load_pipeline(broken)


def test_a_truncated_file_is_named(broken: Path) -> None:
    data = (broken / UNET).read_bytes()
    (broken / UNET).write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match=r"unet.diffusion_pytorch_model\.safetensors is truncated or corrupt"):
        load_pipeline(broken)


def test_a_git_lfs_pointer_is_named(broken: Path) -> None:
    (broken / UNET).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(BadInput, match="git lfs pull"):
        load_pipeline(broken)


def test_pickles_are_not_read(broken: Path) -> None:
    (broken / UNET).rename(broken / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(BadInput, match=r"\.bin: weights are read from safetensors only"):
        load_pipeline(broken)


def test_missing_weights_are_refused(broken: Path) -> None:
    (broken / UNET).unlink()
    with pytest.raises(BadInput, match=r"cannot be loaded.*diffusion_pytorch_model\.safetensors"):
        load_pipeline(broken)


def test_a_missing_component_is_named(broken: Path) -> None:
    shutil.rmtree(broken / "vae")
    with pytest.raises(BadInput, match="vae is missing"):
        load_pipeline(broken)


def test_weights_of_another_shape_are_refused(broken: Path) -> None:
    rewrite(broken / UNET, lambda tensor: tensor[..., :1])
    with pytest.raises(BadInput, match="cannot be loaded"):
        load_pipeline(broken)


def test_code_in_a_folder_is_not_run(broken: Path, tmp_path: Path) -> None:
    (broken / "unet" / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Mine: pass\n")
    change_index(broken, unet=["mine", "Mine"])
    with pytest.raises(BadInput, match="cannot be loaded"):
        load_pipeline(broken)
    assert not (tmp_path / "ran").exists()


def test_faults_are_one_line(broken: Path) -> None:
    change_index(broken, unet=["diffusers", "NoSuchModel"])
    with pytest.raises(BadInput) as caught:
        load_pipeline(broken)
    assert "\n" not in str(caught.value)
    assert str(broken) in str(caught.value)


def test_a_hub_id_is_downloaded_as_safetensors(tiny_sd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(name: str, **options: object) -> Path:
        asked.append((name, options))
        return tiny_sd

    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    assert local_folder("owner/name") == tiny_sd
    assert asked == [("owner/name", {"use_safetensors": True})]


def test_a_hub_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(name: str, **_: object) -> Path:
        raise OSError("offline\nand more")

    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    with pytest.raises(BadInput, match=r"no folder 'owner/name', and the Hub does not give it: offline$"):
        load_pipeline("owner/name")


def test_the_hash_follows_every_byte_that_counts(broken: Path, tiny_sd: Path) -> None:
    before = weights_hash(tiny_sd)
    assert weights_hash(broken) == before
    (broken / ".cache").write_text("whatever")
    assert weights_hash(broken) == before
    rewrite(broken / UNET, lambda tensor: tensor + 1)
    assert weights_hash(broken) != before


def test_what_a_folder_says_it_is_without_is_not_missed(tiny_sd3: Path) -> None:
    """An SD3 without its T5."""
    pipeline = load_pipeline(tiny_sd3, "cpu")
    assert type(pipeline) is diffusers.StableDiffusion3Pipeline
    assert pipeline.components["text_encoder_3"] is None
