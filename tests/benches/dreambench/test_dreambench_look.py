"""Preprocessing, and cosines with photos and texts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from made_dreambench import write_dreambench
from tutelage.benches.dreambench.items import Item, items
from tutelage.benches.dreambench.look import Crop, looks
from tutelage.benches.dreambench.measures import Comparing, photos_of
from tutelage.benches.dreambench.photographs import read_dreambench
from tutelage.errors import BadInput


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    return items(read_dreambench(write_dreambench(tmp_path_factory.mktemp("data") / "dreambench")), 3)


@pytest.fixture(scope="module")
def networks(tiny_vit: Path, tiny_clip: Path) -> list[Comparing]:
    return [Comparing(look) for look in looks(tiny_vit, tiny_clip, device="cpu")]


@given(st.integers(8, 300), st.integers(8, 300), st.integers(4, 64), st.integers(0, 12))
def test_the_shorter_side_is_resized_and_the_middle_cut(width: int, height: int, side: int, margin: int) -> None:
    """By hand: the middle of the whole picture, resized, and nothing squashed."""
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, width)
    crop = Crop(resize=side + margin, side=side, mean=(0.5,) * 3, deviation=(0.25,) * 3)
    cut = crop.cropped(Image.fromarray(ramp))
    assert cut.size == (side, side)
    scale = (side + margin) / min(width, height)
    row = np.asarray(cut)[0, :, 0].astype(float)
    assert abs(row.mean() - 127.5) <= 255 / width / scale + 2
    values = crop([Image.fromarray(ramp)])["pixel_values"]
    assert values.shape == (1, 3, side, side)
    assert torch.allclose(values[0, 0, 0], torch.tensor((row / 255 - 0.5) / 0.25, dtype=torch.float32), atol=1e-5)


def test_it_is_what_torchvision_does_to_8_bits() -> None:
    """Resize(256, bicubic) and CenterCrop(224) of 300 x 400: worked out by hand, 256 x 341 and from 58 to 282."""
    picture = Image.fromarray(np.random.default_rng(0).integers(256, size=(400, 300, 3), dtype=np.uint8))
    crop = Crop(resize=256, side=224, mean=(0.0,) * 3, deviation=(1.0,) * 3)
    sized = picture.resize((256, 341), Image.Resampling.BICUBIC)
    assert crop.cropped(picture).tobytes() == sized.crop((16, 58, 240, 282)).tobytes()


def test_each_network_has_the_preprocessing_of_its_kind(networks: list[Comparing]) -> None:
    dino, clip = (one.look.features.processor for one in networks)
    assert (dino.resize, dino.side) == (37, 32)
    assert (clip.resize, clip.side) == (32, 32)
    assert dino.mean == (0.5, 0.5, 0.5)


def test_other_networks_say_so_in_the_names_of_figures(networks: list[Comparing]) -> None:
    names = [(one.look.name, one.look.text_name) for one in networks]
    assert names == [("DINO (tiny-vit)", ""), ("CLIP-I (tiny-clip)", "CLIP-T (tiny-clip)")]


def test_published_networks_go_by_a_name_alone(
    tiny_vit: Path, tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tutelage.benches.dreambench import look

    monkeypatch.setattr(look, "PUBLISHED", {str(tiny_vit): "DINO", str(tiny_clip): "CLIP"})
    made = looks(tiny_vit, tiny_clip, device="cpu")
    assert [(one.name, one.text_name) for one in made] == [("DINO", ""), ("CLIP-I", "CLIP-T")]


def test_networks_that_cannot_serve_are_told(tiny_vit: Path, tiny_clip: Path) -> None:
    with pytest.raises(BadInput, match="does not read"):
        looks(tiny_clip, tiny_vit, device="cpu")
    with pytest.raises(BadInput, match="would both be called"):
        looks(tiny_vit, tiny_clip, [tiny_vit, tiny_vit], device="cpu")


def test_a_photo_is_like_itself_and_its_text_is_read(networks: list[Comparing], asked: list[Item]) -> None:
    dino, clip = networks
    photos = photos_of(asked[0].subject)
    told = dino.measure(asked[:1] * 3, photos)
    cosines = np.asarray([one["photos"] for one in told])
    assert np.diag(cosines) == pytest.approx(np.ones(3), abs=1e-5)
    assert cosines == pytest.approx(cosines.T, abs=1e-5)
    assert sorted(dino.pairs(asked[0].subject)) == pytest.approx(sorted(cosines[np.triu_indices(3, 1)]), abs=1e-5)
    assert told[0]["text"] is None
    read = clip.measure(asked[:1], photos[:1])[0]["text"]
    by_hand = clip.look.pictures(photos[:1])[0] @ clip.look.texts([asked[0].prompt.text])[0]
    assert read == pytest.approx(float(by_hand), abs=1e-6)


def test_numbers_do_not_depend_on_what_else_is_looked_at(networks: list[Comparing], asked: list[Item]) -> None:
    photos = photos_of(asked[0].subject)
    for network in networks:
        together = network.measure(asked[:3], photos)
        assert [network.measure([item], [photo])[0] for item, photo in zip(asked[:3], photos, strict=True)] == together


def test_a_finding_depends_on_network_photos_and_text(networks: list[Comparing], asked: list[Item]) -> None:
    dino, clip = networks
    first, other_text, other_photos = asked[0], asked[3], asked[-1]
    assert dino.key(first) != clip.key(first)
    assert dino.key(first) == dino.key(other_text) != dino.key(other_photos)
    assert clip.key(first) != clip.key(other_text)
