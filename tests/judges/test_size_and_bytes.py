import io
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.errors import BadInput
from tutelage.judges.size_and_bytes import SizeAndBytes
from tutelage.triplet import Picture, Reference

LAX = SizeAndBytes(side=1, aspect=1000.0, least_bytes=1e-6, most_bytes=1e6)


def noise(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng([width, height]).integers(256, size=(height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def flat(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("judge", "target", "says"),
    [
        (SizeAndBytes(), noise(96, 64), ""),
        (SizeAndBytes(side=64), noise(96, 63), "target: a side of 63 pixels, at least 64"),
        (SizeAndBytes(side=32, aspect=2.0), noise(96, 47), "target: 96 x 47, at most 2 to 1"),
        (SizeAndBytes(), flat(512), "target: 0.00"),
        (SizeAndBytes(), noise(64, 64) + bytes(100_000), "target: 27.4 bytes a pixel, at most 8"),
        (SizeAndBytes(pixels=96 * 64), noise(96, 65), "target: 96 x 65 pixels, at most 6144"),
    ],
)
def test_each_limit_decides(judge: SizeAndBytes, target: bytes, says: str, make_triplet: Any) -> None:
    reference = Reference(picture=Picture(data=noise(96, 64)))
    [verdict] = judge.judge([make_triplet("a", target=target, references=(reference,))])
    assert verdict.keep == (not says)
    assert verdict.reason.startswith(says)
    assert verdict.score is not None
    assert (verdict.score >= 0) == verdict.keep


def test_the_score_is_the_room_to_the_tightest_limit(make_triplet: Any) -> None:
    reference = Reference(picture=Picture(data=noise(128, 128)))
    triplet = make_triplet("a", target=noise(128, 64), references=(reference,))
    scores = [SizeAndBytes(side=side, most_bytes=100).judge([triplet])[0].score for side in (16, 32, 64, 128)]
    assert scores == pytest.approx([1.0, 1.0, 0.0, -1.0])  # twice as wide as high leaves one doubling to 4 : 1
    assert SizeAndBytes(side=48).judge([triplet])[0].score == pytest.approx(math.log2(64 / 48))


def test_references_count(make_triplet: Any) -> None:
    small, sound = (Reference(picture=Picture(data=noise(side, side))) for side in (20, 64))
    [verdict] = SizeAndBytes().judge([make_triplet("a", target=noise(64, 64), references=(sound, small))])
    assert verdict.reason == "reference 1: a side of 20 pixels, at least 64"


def test_formats_and_files_cut_short_have_no_score(make_triplet: Any) -> None:
    whole = noise(64, 64, "JPEG")
    sound, other, cut = (make_triplet("a", target=data) for data in (noise(64, 64), whole, whole[: len(whole) // 2]))
    judge = SizeAndBytes(side=1, formats=("PNG",))
    assert [verdict.score is None for verdict in judge.judge([sound, other])] == [False, True]
    assert judge.judge([other])[0].reason == "target: a JPEG; give PNG"
    assert "cannot be read" in LAX.judge([cut])[0].reason


@pytest.mark.parametrize("limits", [{"side": 0}, {"aspect": 0.5}, {"least_bytes": 9.0}])
def test_limits_that_nothing_keeps_to(limits: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"size-and-bytes.*give"):
        SizeAndBytes(**limits)
