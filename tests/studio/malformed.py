"""Pictures as people, and those who mean ill, may bring them."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tutelage.studio.uploads import MOST_BYTES

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def picture(width: int = 64, height: int = 48) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(256, size=(height, width, 3), dtype=np.uint8))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def zipped_text() -> bytes:
    """A PNG whose text unpacks to 200 MB."""
    whole = saved(picture(), "PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 200_000_000, 9))
    return whole[:33] + text + whole[33:]


def animated(form: str) -> bytes:
    frames = [picture(), picture().rotate(180)]
    return saved(frames[0], form, save_all=True, append_images=frames[1:], duration=100)


def wrong() -> Iterator[tuple[str, bytes]]:
    """What must be refused."""
    yield from (("empty", b""), ("one byte", b"\0"), ("text", b"hello"), ("html", b"<html><img src=x></html>"))
    yield "svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
    yield from (("pdf", b"%PDF-1.7\n%%EOF"), ("zip", b"PK\x03\x04" + b"\0" * 60), ("elf", b"\x7fELF" + b"\0" * 60))
    yield from (("tiff", saved(picture(), "TIFF")), ("ico", saved(picture(), "ICO")), ("ppm", saved(picture(), "PPM")))
    yield "eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n"
    yield "huge", saved(picture(), "PNG") + b"\0" * MOST_BYTES
    yield from ((f"bomb {side}", bomb(side, side)) for side in (8_000, 30_000, 100_000, 2**31 - 1))
    yield from ((f"animated {form}", animated(form)) for form in ("GIF", "WEBP", "PNG"))
    yield from ((f"tiny {side}", saved(picture(side, 64), "PNG")) for side in (1, 2, 8, 15))
    yield from ((f"long {side}", saved(picture(side, 16), "PNG")) for side in (129, 400, 4000))
    for form in FORMATS:
        whole = saved(picture(), form)
        yield from ((f"{form} cut at {at}", whole[: len(whole) * at // 20]) for at in range(1, 17))
        yield from ((f"{form} head {size}", whole[:size]) for size in (2, 4, 8, 12, 16, 20, 24))


def damaged() -> Iterator[tuple[str, bytes]]:
    """What may be read or refused: bytes turned over."""
    rng = np.random.default_rng(1)
    for form in FORMATS:
        whole = saved(picture(), form)
        for number in range(20):
            data = bytearray(whole)
            for at in rng.integers(len(data) if number % 2 else 64, size=1 + number % 5):
                data[at] ^= int(rng.integers(1, 256))
            yield f"{form} damaged {number}", bytes(data)
