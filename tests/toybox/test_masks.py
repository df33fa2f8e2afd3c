"""Masks by phrase: the grammar, and a segmenter of any label order and picture size."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutelage.errors import BadInput
from tutelage.toybox.anatomy import LABELS
from tutelage.toybox.captions import caption
from tutelage.toybox.checkpoints import checkpoint
from tutelage.toybox.masks import NOUNS, TOY, WORN, Segmenter, labels_of
from tutelage.toybox.render import render
from tutelage.toybox.sampling import HELD_OUT, scene_at, subject_at

ALL = TOY | {"background"}


def save_segmenter(folder: Path, names: list[str]) -> Path:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    from tutelage.training.publish import seg_images

    torch.manual_seed(0)
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}
    shape = {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 1, 1]}
    SegformerForSemanticSegmentation(SegformerConfig(**shape, decoder_hidden_size=8, **labels)).save_pretrained(folder)
    seg_images(32).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    return Segmenter.load(save_segmenter(tmp_path_factory.mktemp("seg"), list(LABELS)), "cpu")


@pytest.fixture(scope="module")
def noise() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((32, 32, 3), (24, 40, 3), (50, 30, 3))]


@pytest.mark.parametrize(
    ("phrase", "labels"),
    [
        ("the bear toy", TOY),
        ("Toy", TOY),
        ("its hat", {"hat"}),
        ("the blue head", {"head"}),
        ("the crown", {"crown"}),
        ("the background", {"background"}),
        ("the beach", {"background"}),
        ("its arms", {"limbs"}),
        ("tail", {"limbs"}),
        ("a robot's horns", {"limbs"}),
        ("the bear’s scarf", {"scarf"}),
        ("robot arms", {"limbs"}),
        ("the hat of the blue bear", {"hat"}),
        ("the striped body of the cat in the snow", {"body"}),
        ("a sleepy duck toy wearing a crown", TOY),
        ("head, body and limbs", {"head", "body", "limbs"}),
        ("the hat, and the scarf.", {"hat", "scarf"}),
        ("the toy without its hat", TOY - {"hat"}),
        ("everything except the toy", {"background"}),
        ("all but the hat and the crown", ALL - {"hat", "crown"}),
        ("its accessories", WORN),
    ],
)
def test_phrases_name_labels(phrase: str, labels: set[str]) -> None:
    assert labels_of(phrase) == labels


@pytest.mark.parametrize(
    ("phrase", "says"),
    [
        ("its hatt", "no part 'hatt' .* Did you mean 'hat'"),
        ("the blue wheel of the bear", "no part 'wheel'"),
        ("the hat of the frobnicator", "no part 'frobnicator'"),
        ("", "names no part"),
        ("the blue", "names no part"),
        ("hat crown", "names no part"),
        ("without the hat", "names no part"),
        ("the hat and", "names no part"),
        ("the hat without the hat", "leaves nothing"),
    ],
)
def test_what_names_nothing_is_refused(phrase: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        labels_of(phrase)


@given(st.lists(st.sampled_from(sorted(NOUNS)), min_size=1, max_size=4))
def test_nouns_joined_are_united(nouns: list[str]) -> None:
    assert labels_of(" and the ".join(nouns)) == frozenset().union(*(NOUNS[noun] for noun in nouns))


@given(st.integers(0, 500))
def test_a_caption_means_its_toy(index: int) -> None:
    scene = scene_at(subject_at(index), index, 0)
    sentence = caption(scene, "short").removeprefix("pixel art of ").partition(" of ")
    toy = sentence[2] or sentence[0]
    assert labels_of(toy.partition(",")[0]) == TOY


def test_masks_are_unions_of_labels_and_as_large_as_the_pictures(segmenter: Segmenter, noise: list[np.ndarray]) -> None:
    labels = segmenter.labels(noise, batch=2)
    masks = segmenter.mask(noise, "the head and the hat", batch=2)
    for picture, label, mask in zip(noise, labels, masks, strict=True):
        assert label.shape == mask.shape == picture.shape[:2]
        assert label.dtype == np.uint8
        assert mask.dtype == np.bool_
        assert (mask == np.isin(label, [LABELS.index("head"), LABELS.index("hat")])).all()
    whole = segmenter.mask(noise, "everything")
    assert all(mask.all() for mask in whole)


def test_labels_are_found_by_name_whatever_their_order(tmp_path: Path, segmenter: Segmenter, noise: list) -> None:
    from safetensors.torch import load_file, save_file

    turned = save_segmenter(tmp_path, list(reversed(LABELS)))
    path = turned / "model.safetensors"
    tensors = load_file(path)
    for name in ("decode_head.classifier.weight", "decode_head.classifier.bias"):
        tensors[name] = segmenter.network.state_dict()[name].flip(0).contiguous()
    save_file(tensors, path, {"format": "pt"})
    for here, there in zip(segmenter.labels(noise), Segmenter.load(turned).labels(noise), strict=True):
        assert (here == there).all()


def test_a_segmenter_of_other_things_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no segmenter of the toybox"):
        Segmenter.load(save_segmenter(tmp_path, ["road", "sky"]))


@pytest.mark.skipif(not Path(checkpoint("toybox-seg")).is_dir(), reason="the segmenter is not shipped yet")
def test_the_shipped_segmenter_finds_held_out_toys() -> None:
    segmenter = Segmenter.load("toybox-seg", "cpu")
    scenes = [scene_at(subject_at(i, split=HELD_OUT), i, 0, split=HELD_OUT) for i in range(16)]
    drawn = [render(scene, 128) for scene in scenes]
    found = segmenter.mask([image for image, _ in drawn], "the toy")
    both = sum(int((mask & true).sum()) for mask, (_, true) in zip(found, drawn, strict=True))
    either = sum(int((mask | true).sum()) for mask, (_, true) in zip(found, drawn, strict=True))
    assert both / either > 0.85
