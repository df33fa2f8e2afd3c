"""Grounded SAM on small random networks: what is loaded, what shape comes out, what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tutelage.errors import BadInput
from tutelage.segmentation.grounded import GroundedSam
from tutelage.segmentation.masks import Masks, load_segmenter

PICTURES = [
    Image.fromarray(np.random.default_rng(n).integers(0, 256, (*size, 3), dtype=np.uint8))
    for n, size in enumerate(((40, 64), (70, 50)))
]


@pytest.fixture(scope="module")
def finder(tiny_detector: Path, tiny_sam: Path) -> GroundedSam:
    return GroundedSam.load(tiny_detector, tiny_sam, box=0.0, text=0.0, device="cpu")


def test_masks_have_the_pictures_sizes_and_depend_on_no_other_picture(finder: GroundedSam) -> None:
    masks = finder.mask(PICTURES, "the dog")
    assert [mask.shape for mask in masks] == [(40, 64), (70, 50)]
    assert {mask.dtype for mask in masks} == {np.dtype(bool)}
    [alone] = finder.mask(PICTURES[1:], "the dog")
    assert np.array_equal(alone, masks[1])


def test_no_box_no_mask(tiny_detector: Path, tiny_sam: Path) -> None:
    strict = GroundedSam.load(tiny_detector, tiny_sam, box=1.0, text=0.25, device="cpu")
    assert not strict.mask(PICTURES[:1], "a hat")[0].any()


def test_boxes_lie_within_the_picture(finder: GroundedSam) -> None:
    with torch.inference_mode():
        boxes = finder._boxes(PICTURES[0], "the dog.")
    assert boxes.shape[1] == 4
    assert len(boxes) > 0
    assert (boxes >= 0).all()
    assert (boxes <= torch.tensor([64.0, 40.0, 64.0, 40.0])).all()


def test_the_mask_is_the_union_over_boxes(finder: GroundedSam, monkeypatch: pytest.MonkeyPatch) -> None:
    """What any box alone gives is in the mask of all, and nothing else is."""
    boxes = torch.tensor([[1.0, 1.0, 20.0, 30.0], [30.0, 5.0, 60.0, 38.0]])

    def masks(some: torch.Tensor) -> Any:
        monkeypatch.setattr(GroundedSam, "_boxes", lambda *_: some)
        return finder.mask(PICTURES[:1], "the dog")[0]

    assert np.array_equal(masks(boxes), masks(boxes[:1]) | masks(boxes[1:]))


def test_an_empty_phrase_is_answered(finder: GroundedSam) -> None:
    with pytest.raises(BadInput, match="needs a phrase"):
        finder.mask(PICTURES, " . ")


def test_settings_load_it_once(tiny_detector: Path, tiny_sam: Path) -> None:
    masks = Masks(segmenter=tiny_sam, detector=tiny_detector, box=0.0, text=0.0)
    assert isinstance(load_segmenter(masks, "cpu"), GroundedSam)
    assert load_segmenter(masks, "cpu") is load_segmenter(masks, "cpu")


def test_a_folder_of_another_kind_is_answered(tiny_detector: Path, tiny_sam: Path) -> None:
    with pytest.raises(BadInput, match="cannot be loaded"):
        GroundedSam.load(tiny_sam, tiny_detector, device="cpu")
