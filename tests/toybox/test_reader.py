"""The attribute reader: labels decide the groups, any size can be read, and the shipped one reads well."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tutelage.diffusion.vision import squared
from tutelage.errors import BadInput
from tutelage.toybox.captions import named
from tutelage.toybox.checkpoints import checkpoint
from tutelage.toybox.reader import Reader, Reading, agreement, attribute_groups
from tutelage.toybox.render import render
from tutelage.toybox.sampling import HELD_OUT, scene_at, subject_at
from tutelage.toybox.scene import ATTRIBUTES, describe

NAMES = [f"{attribute}={value}" for attribute, values in ATTRIBUTES.items() for value in values]


def save_reader(folder: Path, names: list[str]) -> Path:
    from transformers import ResNetConfig, ResNetForImageClassification

    from tutelage.training.publish import vit_images

    torch.manual_seed(0)
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}
    shape = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}
    ResNetForImageClassification(ResNetConfig(**shape, **labels)).to(torch.float16).save_pretrained(folder)
    vit_images(32).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_reader(tmp_path_factory.mktemp("reader"), NAMES)


@pytest.fixture(scope="module")
def reader(folder: Path) -> Reader:
    return Reader.load(folder, "cpu")


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def test_a_reading_has_a_known_value_and_a_probability_for_every_attribute(reader: Reader, noise: np.ndarray) -> None:
    for reading in reader.read(list(noise)):
        assert reading.values.keys() == reading.confidence.keys() == ATTRIBUTES.keys()
        for attribute, value in reading.values.items():
            assert value in ATTRIBUTES[attribute]
            assert 1 / len(ATTRIBUTES[attribute]) <= reading.confidence[attribute] <= 1


def test_batches_change_nothing(reader: Reader, noise: np.ndarray) -> None:
    one, all_ = reader.read(list(noise), batch=2), reader.read(list(noise))
    assert [r.values for r in one] == [r.values for r in all_]
    assert reader.read([]) == []


def test_confidence_is_a_softmax_within_the_group(reader: Reader, noise: np.ndarray) -> None:
    pixels = torch.from_numpy(noise[:1]).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        logits = reader.network(pixel_values=pixels).logits[0]
    reading = reader.read([noise[0]])[0]
    group = logits[: len(ATTRIBUTES["kind"])].softmax(-1)
    assert reading.values["kind"] == ATTRIBUTES["kind"][int(group.argmax())]
    assert reading.confidence["kind"] == pytest.approx(float(group.max()), abs=1e-4)


def test_pil_pictures_of_any_mode_and_size_are_read(reader: Reader, noise: np.ndarray) -> None:
    plain = Image.fromarray(noise[0])
    assert reader.read([plain])[0] == reader.read([noise[0]])[0]
    odd = [plain.convert("L"), plain.convert("RGBA"), plain.resize((50, 31)), plain.resize((17, 60))]
    assert len(reader.read(odd)) == len(odd)


def test_an_oblong_picture_is_read_as_its_padded_square(reader: Reader, noise: np.ndarray) -> None:
    wide = noise[0][:20]
    square, box = squared(wide)
    assert square.size == (32, 32)
    assert box == (0, 6, 32, 26)
    padded = np.asarray(square)
    assert (padded[6:26] == wide).all()
    assert (padded[:6] == wide[0]).all()
    assert (padded[26:] == wide[-1]).all()
    assert reader.read([wide])[0] == reader.read([square])[0]


@pytest.mark.parametrize("bad", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)])
def test_an_array_that_is_no_picture_is_refused(reader: Reader, bad: np.ndarray) -> None:
    with pytest.raises(BadInput, match="uint8"):
        reader.read([bad])


def test_groups_follow_the_labels_and_not_their_order() -> None:
    shuffled = dict(enumerate(reversed(NAMES)))
    groups = attribute_groups(shuffled, "here")
    assert list(groups) == list(ATTRIBUTES)
    assert all(shuffled[output] == f"{a}={v}" for a, outputs in groups.items() for v, output in outputs.items())


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (NAMES[:-1], "'style=cartoon' is missing"),
        ([*NAMES, "mood=grim"], "'mood=grim' is unknown"),
        (["LABEL_0", "LABEL_1"], "'LABEL_0' is unknown"),
        ([*NAMES, NAMES[0]], "repeat"),
    ],
)
def test_a_model_with_other_labels_is_refused(names: list[str], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        attribute_groups(dict(enumerate(names)), "other")


def test_loading_says_what_is_wrong(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BadInput, match="is no attribute reader"):
        Reader.load(save_reader(tmp_path / "other", ["cat", "dog"]))
    with pytest.raises(BadInput, match="Did you mean 'toybox-reader'"):
        Reader.load("toybox-reeder")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="empty"):
        Reader.load(tmp_path / "empty")
    with pytest.raises(BadInput, match="no device"):
        Reader.load(folder, "gpu")


def test_weights_that_are_not_there_are_an_error_and_not_random(tmp_path: Path, folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "model.safetensors"
    tensors = {name: value for name, value in load_file(path).items() if not name.startswith("classifier")}
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(BadInput, match="lacks 2 weights of ResNetForImageClassification, classifier"):
        Reader.load(tmp_path)


def test_agreement_counts_what_is_named() -> None:
    reading = Reading(values={"kind": "bear", "scene": "snow"}, confidence={"kind": 0.5, "scene": 1.0})
    assert agreement({"kind": "bear", "scene": "beach"}, reading) == {"kind": True, "scene": False}
    assert agreement({}, reading) == {}
    with pytest.raises(BadInput, match="mood"):
        agreement({"mood": "sad"}, reading)


@pytest.mark.skipif(not Path(checkpoint("toybox-reader")).is_dir(), reason="the reader is not shipped yet")
def test_the_shipped_reader_reads_held_out_toys() -> None:
    reader = Reader.load("toybox-reader", "cpu")
    scenes = [scene_at(subject_at(i, split=HELD_OUT), i, 0, split=HELD_OUT) for i in range(40)]
    readings = reader.read([render(scene, 128)[0] for scene in scenes])
    seen = [agreement(describe(scene), reading) for scene, reading in zip(scenes, readings, strict=True)]
    right = [answer for answers in seen for answer in answers.values()]
    assert np.mean(right) > 0.85
    assert all(agreement(named(scene), reading) for scene, reading in zip(scenes, readings, strict=True))
