"""What an edit changed where it was not allowed."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.errors import BadInput
from tutelage.judges.outside_mask import BEST, OutsideMask
from tutelage.triplet import Picture, Reference


def png(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


def pair(make_triplet: Any, inside: int, outside: int, **changes: Any) -> Any:
    """A source of 100 and a target that differs from it by so much inside and outside of its left half."""
    mask = np.zeros((8, 8), bool)
    mask[:, :4] = True
    source = np.full((8, 8, 3), 100)
    target = source + np.where(mask, inside, outside)[..., None]
    told = {"target": png(target), "references": (Reference(picture=Picture(data=png(source))),)}
    return make_triplet("a", **told | {"mask": png(mask * np.uint8(255))} | changes)


def test_only_the_outside_counts(make_triplet: Any) -> None:
    [same], [off] = (OutsideMask().judge([pair(make_triplet, 90, outside)]) for outside in (0, 10))
    assert (same.score, same.keep) == (BEST, True)
    assert off.score == pytest.approx(20 * np.log10(255 / 10))
    assert not off.keep
    assert "28.1 dB, below 30" in off.reason
    [part] = off.parts
    assert part.name == "inside"
    assert part.score == pytest.approx(20 * np.log10(255 / 90))


def test_without_a_mask_everything_may_change(make_triplet: Any) -> None:
    [verdict] = OutsideMask().judge([pair(make_triplet, 90, 90, mask=b"")])
    assert (verdict.score, verdict.keep) == (BEST, True)
    assert verdict.parts[0].score == pytest.approx(20 * np.log10(255 / 90))
    [other] = OutsideMask().judge([pair(make_triplet, 90, 90, mask=b"", target=png(np.zeros((8, 9, 3))))])
    assert (other.score, other.keep, other.parts) == (BEST, True, ())


def test_pictures_of_two_sizes_are_not_compared(make_triplet: Any) -> None:
    [verdict] = OutsideMask().judge([pair(make_triplet, 0, 0, target=png(np.zeros((8, 9, 3))))])
    assert verdict.score is None
    assert "of 2 sizes" in verdict.reason


def test_a_broken_mask_is_told(make_triplet: Any) -> None:
    [verdict] = OutsideMask().judge([pair(make_triplet, 0, 0, mask=b"no mask")])
    assert verdict.score is None
    assert verdict.reason.startswith("mask is no picture")


def test_the_threshold_is_checked() -> None:
    with pytest.raises(BadInput, match="threshold of outside-mask is 101"):
        OutsideMask(threshold=101)
