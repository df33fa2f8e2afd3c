"""Pictures that people bring: limited in bytes, pixels and number, looked at one at a time, refused in one sentence."""

import io
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from typing import Final

from PIL import Image, UnidentifiedImageError

from tutelage.diffusion.pictures import FORMATS, decode
from tutelage.errors import BadInput

MOST_PICTURES: Final = 5
"""That a subject is shown in."""
MOST_BYTES: Final = 20 * 2**20
MOST_PIXELS: Final = 50_000_000
LEAST_SIDE: Final = 16
MOST_ASPECT: Final = 8.0

DECODER_FAULTS: Final = (
    OSError, SyntaxError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, EOFError,
    MemoryError, struct.error, zlib.error, Image.DecompressionBombError, Warning,
)  # fmt: skip
"""What Pillow's decoders raise for bytes they cannot use."""

_one_at_a_time: Final = threading.Lock()
"""A large picture takes 200 MB while it is decoded."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A picture that can be used."""

    data: bytes
    """The file as it came."""
    width: int
    """Upright, as its EXIF says."""
    height: int


def read_upload(data: bytes, name: str = "the picture") -> Upload:
    """Look at a file that somebody brought, and decode it once to see that it is whole.

    Raises:
        BadInput: it is empty, too large, no picture of a format that is read, cut short, animated, or of a shape that
            cannot be drawn from; the message begins with `name`.
    """
    if not data:
        raise BadInput(f"{name} is empty; choose a picture")
    if len(data) > MOST_BYTES:
        raise BadInput(f"{name} has {len(data) / 2**20:.0f} MB; at most {MOST_BYTES >> 20} MB are read")
    with _one_at_a_time:
        _check_header(data, name)
        picture = _decoded(data, name)
    return Upload(data=data, width=picture.width, height=picture.height)


def _check_header(data: bytes, name: str) -> None:
    """What the header tells, before anything is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                size, form = opened.size, opened.format
                frames = 1 if form == "JPEG" or form == "MPO" else int(getattr(opened, "n_frames", 1))
    except UnidentifiedImageError as error:
        raise BadInput(f"{name} is no picture of a format that is read; choose {', '.join(FORMATS)}") from error
    except DECODER_FAULTS as error:
        raise BadInput(f"{name} cannot be read; it is damaged or holds far too many pixels") from error
    if frames > 1:
        raise BadInput(f"{name} is animated ({frames} pictures); choose a still one")
    _check_shape(*size, name)


def _check_shape(width: int, height: int, name: str) -> None:
    shape = f"{name} is {width} × {height} pixels"
    if width * height > MOST_PIXELS:
        raise BadInput(f"{shape}; at most {MOST_PIXELS // 10**6} million are read")
    if min(width, height) < LEAST_SIDE:
        raise BadInput(f"{shape}; at least {LEAST_SIDE} a side are needed")
    if max(width, height) > MOST_ASPECT * min(width, height):
        raise BadInput(f"{shape}; choose one that is at most {MOST_ASPECT:g} times as long as wide")


def _decoded(data: bytes, name: str) -> Image.Image:
    try:
        return decode(data, name)
    except BadInput as error:  # its words are Pillow's, and of no help to whoever chose a file
        raise BadInput(f"{name} is damaged or cut short; choose a whole file") from error
    except DECODER_FAULTS as error:
        raise BadInput(f"{name} is damaged or cut short; choose a whole file") from error
