import contextlib
import io
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tutelage.diffusion import pictures
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput


def file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize("kind", pictures.FORMATS)
def test_known_formats_are_read(kind: str) -> None:
    image = decode(file(Image.new("RGB", (6, 4), (200, 20, 20)), kind))
    assert (image.mode, image.size) == ("RGB", (6, 4))
    assert np.abs(np.asarray(image, int) - (200, 20, 20)).max() < 8


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "RGBA", "LA"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    assert decode(file(Image.new(mode, (6, 4)))).mode == "RGB"


def test_what_is_transparent_is_white() -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 255, 255))
    assert [decode(file(image)).getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 0, 255)]


def test_cameras_held_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert decode(file(Image.new("RGB", (6, 4)), "JPEG", exif=exif)).size == (4, 6)


def test_animations_show_their_first_frame() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    assert decode(file(frames[0], "GIF", save_all=True, append_images=frames[1:])).getpixel((0, 0)) == (255, 0, 0)


def test_too_many_pixels_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_PIXELS", 23)
    with pytest.raises(BadInput, match="row 7 is 6 x 4 pixels; at most 23 are read"):
        decode(file(Image.new("RGB", (6, 4))), "row 7")


def test_a_decompression_bomb_is_refused() -> None:
    """PNG says its size in a header that costs nothing to fake."""
    data = bytearray(file(Image.new("L", (1, 1))))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    with pytest.raises(BadInput, match=r"cannot be read \(.*decompression bomb"):
        decode(bytes(data))


@pytest.mark.parametrize("kind", ["EPS", "TIFF", "PDF"])
def test_other_formats_are_not_read(kind: str) -> None:
    with pytest.raises(BadInput, match="is no picture of a format that is read; give BMP, GIF, JPEG, PNG, WEBP"):
        decode(file(Image.new("RGB", (6, 4)), kind))


@settings(deadline=None)
@given(st.binary(max_size=64), st.integers(0, 200))
def test_broken_files_are_answered(noise: bytes, cut: int) -> None:
    """Noise in the place of the end of a sound file: it is refused, or enough of it is sound."""
    sound = file(Image.radial_gradient("L"))
    with contextlib.suppress(BadInput):
        assert decode(sound[:cut] + noise).mode == "RGB"


@settings(deadline=None)
@given(st.integers(8, 200))
def test_files_cut_short_are_refused(cut: int) -> None:
    with pytest.raises(BadInput, match=r"picture (cannot be read|is no picture)"):
        decode(file(Image.radial_gradient("L"))[:cut])


def test_frames_are_read_from_headers_and_upright() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    image = Image.new("RGB", (6, 4))
    for data in (file(image), file(image, "JPEG"), file(image, "JPEG", exif=turned)):
        seen = decode(data)
        assert pictures.frame_of(data) == (seen.height, seen.width)
    assert pictures.frame_of(file(image, "JPEG", exif=turned)) == (6, 4)
    with pytest.raises(BadInput, match=r"^a/1 is no picture"):
        pictures.frame_of(b"none", "a/1")
