"""Why a picture cannot be used, told from its bytes: what no decoder knows, what is cut off, too small, or a trap."""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Final

import daft
from PIL import Image, UnidentifiedImageError

NO_IMAGE: Final = "no image"
NOT_AN_IMAGE: Final = "not an image"
BROKEN: Final = "broken"
TRUNCATED: Final = "truncated"
TINY: Final = "tiny"
ABSURD: Final = "absurd shape"
BOMB: Final = "too many pixels"
ANIMATED: Final = "animated"

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What the web serves. Pillow's other decoders are not asked: some of them start programs."""

DECODER_FAULTS: Final = (
    OSError, SyntaxError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, EOFError,
    MemoryError, struct.error, zlib.error, Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow's decoders raise for bytes they cannot use."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a picture must keep to."""

    side: int = 32
    """Least height and width, in pixels."""
    aspect: float = 4.0
    """Most of the longer side over the shorter."""
    pixels: int = 50_000_000
    """Most height × width; told from the header, before anything is decoded."""


LIMITS: Final = Limits()


def fault_of(data: bytes | None, limits: Limits = LIMITS) -> str | None:
    """Why a picture cannot be used, or None if it can.

    The header is looked at first; only what passes is decoded, a JPEG at an eighth of its size, which reads all of its
    bytes for a fraction of the work.
    """
    if data is None:
        return NO_IMAGE
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            fault = _shape_fault(image, limits) or _frames_fault(image)
            if fault is None:
                image.draft(None, (image.width // 8, image.height // 8))
                image.load()
            return fault
    except UnidentifiedImageError:
        return NOT_AN_IMAGE
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return BOMB
    except DECODER_FAULTS as error:
        return TRUNCATED if "truncated" in str(error).lower() else BROKEN


def inspected(frame: daft.DataFrame, limits: Limits = LIMITS) -> daft.DataFrame:
    """A source's frame with `fault` told from the bytes as well, wherever the source saw none.

    Group pages by their number of pictures before: this reads and decodes every picture that is left.
    """

    def look(image: bytes | None, fault: str | None) -> str | None:
        return fault or fault_of(image, limits)

    # In this process: decoders let go of the interpreter's lock, and pictures need not be copied to another.
    column = daft.func(look, return_dtype=daft.DataType.string(), use_process=False)
    return frame.with_column("fault", column(frame["image"], frame["fault"]))


def count_faults(frame: daft.DataFrame) -> dict[str, int]:
    """Rows of a frame by fault, most frequent first; the empty name counts those without one."""
    table = frame.groupby("fault").agg(daft.col("page_url").count("all").alias("rows")).to_pydict()
    pairs = zip(table["fault"], table["rows"], strict=True)
    return {fault or "": rows for fault, rows in sorted(pairs, key=lambda pair: (-pair[1], pair[0] or ""))}


def _shape_fault(image: Image.Image, limits: Limits) -> str | None:
    short, long = sorted(image.size)
    if short * long > limits.pixels:
        return BOMB
    if long > limits.aspect * short:
        return ABSURD
    return TINY if short < limits.side else None


def _frames_fault(image: Image.Image) -> str | None:
    """More than one frame; the second picture that cameras hide in a JPEG is no frame."""
    return ANIMATED if image.format != "MPO" and getattr(image, "is_animated", False) else None
