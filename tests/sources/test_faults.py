"""Why a picture cannot be used: each fault by its name, nothing by an exception."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tutelage.sources.faults import FORMATS, Limits, fault_of


def encoded(form: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(buffer, form)
    return buffer.getvalue()


def animated(form: str) -> bytes:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue", "green")]
    buffer = io.BytesIO()
    frames[0].save(buffer, form, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes whose header promises a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", sorted({*FORMATS} - {"AVIF"}))
def test_a_picture_of_each_format_is_fine(form: str) -> None:
    assert fault_of(encoded(form)) is None


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (None, "no image"),
        (b"", "not an image"),
        (b"GIF89a", "not an image"),
        (b"<html>404 Not Found</html>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", "not an image"),
        (encoded()[:-200], "truncated"),
        (encoded("PNG")[:-200], "truncated"),
        (encoded(size=(64, 31)), "tiny"),
        (encoded(size=(31, 64)), "tiny"),
        (encoded(size=(161, 40)), "absurd shape"),
        (encoded(size=(40, 161)), "absurd shape"),
        (animated("GIF"), "animated"),
        (animated("WEBP"), "animated"),
        (animated("PNG"), "animated"),
        (animated("TIFF"), "animated"),
        (png_bomb(8_000, 8_000), "too many pixels"),
        (png_bomb(10_000, 10_000), "too many pixels"),
        (png_bomb(60_000, 60_000), "too many pixels"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_each_fault_by_its_name(data: bytes | None, fault: str) -> None:
    assert fault_of(data) == fault


def test_limits_are_the_callers() -> None:
    assert fault_of(encoded(size=(160, 40))) is None
    assert fault_of(encoded(), Limits(side=49)) == "tiny"
    assert fault_of(encoded(), Limits(aspect=1.2)) == "absurd shape"
    assert fault_of(encoded(), Limits(pixels=64 * 48)) is None
    assert fault_of(encoded(), Limits(pixels=64 * 48 - 1)) == "too many pixels"


def test_a_bomb_is_told_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    assert fault_of(png_bomb(8_000, 8_000)) == "too many pixels"


def test_a_camera_hides_a_second_picture_in_a_jpeg() -> None:
    buffer = io.BytesIO()
    big, small = Image.new("RGB", (96, 96), "red"), Image.new("RGB", (48, 48), "red")
    big.save(buffer, "MPO", save_all=True, append_images=[small])
    assert fault_of(buffer.getvalue()) is None


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from([encoded(form, (40, 40)) for form in FORMATS if form != "AVIF"]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
    st.integers(0, 10**6),
)
def test_damage_is_a_fault_or_nothing_never_an_exception(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(data)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    fault = fault_of(bytes(damaged[: cut % (2 * len(damaged))]))
    assert fault is None or fault
