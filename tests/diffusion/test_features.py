import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from tutelage.diffusion.features import clip_features, picture_features
from tutelage.diffusion.vision import network_folder
from tutelage.errors import BadInput


def pictures(count: int) -> list[Image.Image]:
    drawn = torch.randint(256, (count, 24, 40, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return [Image.fromarray(picture.numpy()) for picture in drawn]


@pytest.fixture(params=["tiny_clip", "tiny_vit"])
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def test_features_are_unit_and_the_same_whatever_the_batch(folder: Path) -> None:
    network = picture_features(folder, "cpu")
    ones, threes, sevens = (network.pictures(pictures(7), batch) for batch in (1, 3, 7))
    assert ones.shape == (7, 32)
    torch.testing.assert_close(ones.norm(dim=-1), torch.ones(7))
    assert (ones - threes).abs().max() < 1e-5
    assert (ones - sevens).abs().max() < 1e-5
    assert (ones[0] - ones[1]).abs().max() > 1e-2


def test_texts_are_the_same_whatever_the_batch(tiny_clip: Path) -> None:
    texts = ["a bear", "", "a red bear toy on the beach wearing a crown", "a bear toy " * 30, "hat"]
    clip = clip_features(tiny_clip, "cpu")
    ones, fives = clip.texts(texts, 1), clip.texts(texts, 5)
    torch.testing.assert_close(ones.norm(dim=-1), torch.ones(5))
    assert (ones - fives).abs().max() < 1e-5
    assert torch.equal(clip.texts([texts[3]]), clip.texts([texts[3] + "in the snow"]))


def test_nothing_has_no_features(tiny_clip: Path) -> None:
    clip = clip_features(tiny_clip, "cpu")
    assert len(clip.pictures([])) == len(clip.texts([])) == 0


def test_a_network_is_loaded_once(tiny_clip: Path) -> None:
    assert picture_features(tiny_clip, "cpu") is clip_features(tiny_clip, "cpu")


@pytest.mark.parametrize("kind", ["Dinov2", "DeiT", "CLIPVision"])
def test_many_networks_can_look(kind: str, tmp_path: Path, tiny_vit: Path) -> None:
    import transformers

    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    config = getattr(transformers, f"{kind}Config")(**shape)
    name = "CLIPVisionModelWithProjection" if kind == "CLIPVision" else f"{kind}Model"
    getattr(transformers, name)(config).save_pretrained(tmp_path)
    shutil.copy(tiny_vit / "preprocessor_config.json", tmp_path)
    assert picture_features(tmp_path, "cpu").pictures(pictures(2)).shape == (
        2,
        config.to_dict().get("projection_dim", 32),
    )


def test_a_network_without_a_class_token_is_refused(tmp_path: Path, tiny_vit: Path) -> None:
    from transformers import ResNetConfig, ResNetModel

    ResNetModel(ResNetConfig(embedding_size=8, hidden_sizes=[8], depths=[1])).save_pretrained(tmp_path)
    shutil.copy(tiny_vit / "preprocessor_config.json", tmp_path)
    with pytest.raises(BadInput, match="is a resnet, which has no class token"):
        picture_features(tmp_path, "cpu")


def test_a_folder_that_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no network of transformers"):
        picture_features(tmp_path, "cpu")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mine"}))
    with pytest.raises(BadInput, match="is no network of transformers"):
        picture_features(tmp_path, "cpu")


def test_missing_weights_are_an_error(tiny_vit: Path, tmp_path: Path) -> None:
    """They would be random numbers."""
    folder = Path(shutil.copytree(tiny_vit, tmp_path / "broken"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(BadInput, match=r"lacks \d+ weights of ViTModel"):
        picture_features(folder, "cpu")


@pytest.mark.parametrize("name", ["no/such/folder", "./none", "/none", Path("owner/name")])
def test_a_missing_folder_is_refused(name: str | Path) -> None:
    with pytest.raises(BadInput, match="is not a folder"):
        network_folder(name)
