"""A contact sheet: a triplet a row, its demonstrations, its target, and what was asked and said of it."""

import io
import textwrap
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from tutelage.corpus.gate import kept_by
from tutelage.triplet import Triplet, Verdict

SIDE: Final = 128
"""Pixels of one picture."""
GAP: Final = 8
HEADER: Final = 20
COLUMNS: Final = 5
"""Demonstrations shown, at most."""
TEXT: Final = 420
"""Pixels of the column of words."""
MOST_PIXELS: Final = 50_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
NO_GREEK: Final = str.maketrans({"Δ": "delta-"})
"""Pillow's own font has none, and judges speak of ΔCLIP."""
PAPER, INK, KEPT, REJECTED = (255, 255, 255), (60, 60, 66), (40, 130, 70), (180, 50, 50)


def sheet(rows: Sequence[tuple[Triplet, Sequence[Verdict]]]) -> Image.Image:
    """Draw triplets with their verdicts, one below the other.

    Targets are framed green if they are kept and red if not; demonstrations beyond the fifth are left out.
    """
    shown = max((min(len(triplet.references), COLUMNS) for triplet, _ in rows), default=0)
    width = GAP + (shown + 1) * (SIDE + GAP) + TEXT
    page = Image.new("RGB", (width, HEADER + GAP + len(rows) * (SIDE + GAP)), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    if shown:
        draw.text((GAP, GAP), "demonstrations", fill=INK, font=font)
    draw.text((GAP + shown * (SIDE + GAP), GAP), "target: kept (green) or rejected (red)", fill=INK, font=font)
    for at, (triplet, verdicts) in enumerate(rows):
        _row(page, triplet, verdicts, HEADER + GAP + at * (SIDE + GAP), shown)
    return page


def said(verdict: Verdict) -> str:
    """A verdict in a few words: `delta_clip 0.031 kept`."""
    score = "no score" if verdict.score is None else f"{verdict.score:.3g}"
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"{verdict.judge} {score} {'kept' if verdict.keep else 'rejected'}{reason}"


def _row(page: Image.Image, triplet: Triplet, verdicts: Sequence[Verdict], top: int, shown: int) -> None:
    for at, reference in enumerate(triplet.references[:shown]):
        _paste(page, reference.picture.data, GAP + at * (SIDE + GAP), top)
    left = GAP + shown * (SIDE + GAP)
    _paste(page, triplet.target, left, top)
    colour = KEPT if kept_by(verdicts) else REJECTED
    draw = ImageDraw.Draw(page)
    draw.rectangle((left - 3, top - 3, left + SIDE + 2, top + SIDE + 2), outline=colour, width=2)
    words = [f"{triplet.id}  {triplet.skill}", *textwrap.wrap(triplet.text, 60)[:3], *map(said, verdicts)]
    font = ImageFont.load_default(12)
    for at, line in enumerate(words[: SIDE // 16]):
        drawn = textwrap.shorten(line.translate(NO_GREEK), 66)
        draw.text((left + SIDE + 2 * GAP, top + 16 * at), drawn, fill=INK, font=font)


def _paste(page: Image.Image, data: bytes, left: int, top: int) -> None:
    """Put a picture into its square; one that cannot be decoded leaves it crossed out."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError(f"{image.width} × {image.height} pixels")
            image.draft("RGB", (SIDE, SIDE))
            small = ImageOps.contain(image.convert("RGB"), (SIDE, SIDE))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        square = (left, top, left + SIDE, top + SIDE)
        ImageDraw.Draw(page).line(square, fill=REJECTED)
        return
    page.paste(small, (left + (SIDE - small.width) // 2, top + (SIDE - small.height) // 2))
