"""Files of pictures → pictures, safely: few formats, a limit on pixels, the first frame only."""

import io
import warnings
from typing import Final

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from tutelage.errors import BadInput

FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "WEBP")
"""Others are refused unread; some of their decoders start programs."""
MOST_PIXELS: Final = 64_000_000
"""Larger pictures are refused before they are decoded."""


def decode(data: bytes, what: str = "picture") -> Image.Image:
    """The picture in a file's bytes: RGB, upright as its EXIF says, what is transparent on white.

    Raises:
        BadInput: the bytes are no such picture, are cut short, or hold too many pixels; the message begins with `what`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
            if opened.width * opened.height > MOST_PIXELS:
                raise BadInput(f"{what} is {opened.width} x {opened.height} pixels; at most {MOST_PIXELS:,} are read")
            upright = _eight_bits(ImageOps.exif_transpose(opened))
            return _on_white(upright) if upright.has_transparency_data else upright.convert("RGB")
    except BadInput:
        raise
    except UnidentifiedImageError as error:  # its own words hold an address in memory, different every time
        raise BadInput(f"{what} is no picture of a format that is read; give {', '.join(FORMATS)}") from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Warning) as error:
        raise BadInput(f"{what} cannot be read ({error}); give a whole file") from error


def frame_of(data: bytes, what: str = "picture") -> tuple[int, int]:
    """(height, width) in pixels of the picture in a file's bytes, upright; only its header is read.

    Raises:
        BadInput: the bytes are no such picture; the message begins with `what`.
    """
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
        turned = opened.getexif().get(ExifTags.Base.Orientation, 1) >= 5
    except (OSError, ValueError, SyntaxError) as error:
        raise BadInput(f"{what} is no picture of a format that is read; give {', '.join(FORMATS)}") from error
    return opened.size if turned else opened.size[::-1]


def format_of(data: bytes) -> str:
    """Pillow's name of a file's format, told from its header, such as PNG.

    Raises:
        BadInput: it is none of `FORMATS`.
    """
    try:
        form = str(Image.open(io.BytesIO(data), formats=FORMATS).format)
    except (OSError, ValueError, SyntaxError) as error:
        raise BadInput(f"no picture of a format that is read; give {', '.join(FORMATS)}") from error
    return "JPEG" if form == "MPO" else form  # a JPEG with a second picture inside, as cameras write them


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8; Pillow itself would cut off all that is brighter than a 256th."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).clip(0, 65535) // 257).astype(np.uint8))


def _on_white(picture: Image.Image) -> Image.Image:
    seen = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")


def png(picture: Image.Image) -> bytes:
    """The picture's file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
