"""Contact sheets: many pictures on one page, for people to look at."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tutelage.errors import BadInput
from tutelage.toybox.render import frame_size, render
from tutelage.toybox.sampling import HELD_OUT, plain_scene, subject_at
from tutelage.toybox.scene import KINDS, Environment, Place, Scene, Subject

Picture = NDArray[np.uint8]
"""RGB (H, W, 3)."""

PAPER: Final = (255, 255, 255)
INK: Final = (60, 60, 66)
GAP: Final = 4
MOST_ROWS: Final = 64

WHERE: Final[tuple[Place, ...]] = ("beach", "forest", "snow", "city", "room", "space", "sea", "library", "desert")
OUTSIDE: Final[tuple[Place, ...]] = ("city", "mountains", "forest", "beach", "grass")
WEATHER: Final[tuple[Environment, ...]] = ("night", "sunset", "rain", "snowfall")

COLUMNS: Final[dict[str, Callable[[Scene, int], Scene]]] = {
    "the toy": lambda scene, row: scene,
    "somewhere": lambda scene, row: replace(scene, place=WHERE[row % 9]),
    "elsewhere": lambda scene, row: replace(scene, place=WHERE[(row + 4) % 9]),
    "with a crown": lambda scene, row: replace(scene, accessory="crown", place=WHERE[(row + 2) % 9]),
    "with more": lambda scene, row: replace(scene, accessory=("scarf", "balloon", "glasses", "cape", "hat")[row % 5]),
    "in a mood": lambda scene, row: replace(scene, expression=("smiling", "sad", "screaming", "sleepy")[row % 4]),
    "left": lambda scene, row: replace(scene, view="left", place="grass"),
    "back": lambda scene, row: replace(scene, view="back", accessory="hat"),
    "top": lambda scene, row: replace(scene, view="top", place="room"),
    "weather": lambda scene, row: replace(scene, place=OUTSIDE[row % 5], environment=WEATHER[row % 4]),
    "sketch": lambda scene, row: replace(scene, style="pencil sketch", place=WHERE[(row + 1) % 9]),
    "painted": lambda scene, row: replace(scene, style=("watercolour", "cartoon", "pixel art")[row % 3], place="beach"),
}
"""Caption → the plain picture of a row's toy with one thing, or two, changed."""


def sheet_command(*, out: Path = Path("toybox.png"), rows: int = 8, seed: int = 0, size: int = 128) -> None:
    """Draw toys that no checkpoint was trained on, each in many pictures, on one sheet.

    Args:
        out: Image file to write; its ending says the format.
        rows: Number of toys, one row each; up to 12 they are all of different kinds.
        seed: Which toys.
        size: Side of one picture, in pixels.

    Raises:
        BadInput: `rows` or `size` is out of range, or `out` cannot be written.
    """
    if not 1 <= rows <= MOST_ROWS:
        raise BadInput(f"rows {rows}: a sheet has 1 to {MOST_ROWS} rows")
    frame_size(size)
    _check_format(out)
    subjects = [_subject(row, seed) for row in range(rows)]
    pictures = [[render(scene, size)[0] for scene in row_scenes(s, row)] for row, s in enumerate(subjects)]
    save(grid(pictures, captions=tuple(COLUMNS)), out)
    print(f"{rows} toys, {rows * len(COLUMNS)} pictures: {out}")


def row_scenes(subject: Subject, row: int) -> list[Scene]:
    """The scenes of one row of the sheet, in the order of `COLUMNS`."""
    plain = plain_scene(subject, layout=row)
    return [change(plain, row) for change in COLUMNS.values()]


def grid(images: Sequence[Sequence[Picture]], gap: int = GAP, captions: Sequence[str] | None = None) -> Image.Image:
    """Rows of pictures on white paper, `gap` pixels apart; pictures may differ in size and rows in length.

    Args:
        images: rows of RGB (H, W, 3) uint8.
        gap: pixels between pictures and around them.
        captions: words above each column, cut to its width.

    Raises:
        BadInput: there are no pictures, or more captions than columns.
    """
    columns = max((len(row) for row in images), default=0)
    if columns == 0:
        raise BadInput("a sheet needs at least one picture; none was given")
    if captions is not None and len(captions) > columns:
        raise BadInput(f"{len(captions)} captions for {columns} columns; give one a column")
    widths = [max(row[at].shape[1] for row in images if at < len(row)) for at in range(columns)]
    head = [[words(text, width) for text, width in zip(captions, widths, strict=False)]] if captions else []
    return _paste([*head, *images], widths, gap)


def contact_sheet(images: Sequence[Picture], columns: int, captions: Sequence[str] | None = None) -> Image.Image:
    """Pictures in reading order, `columns` a row, each over its caption.

    Raises:
        BadInput: there are no pictures, no columns, or not one caption a picture.
    """
    if columns < 1:
        raise BadInput(f"columns {columns}: a sheet has at least one column")
    if captions is not None and len(captions) != len(images):
        raise BadInput(f"{len(captions)} captions for {len(images)} pictures; give one a picture")
    tiles = list(images) if captions is None else [_titled(i, c) for i, c in zip(images, captions, strict=True)]
    return grid([tiles[start : start + columns] for start in range(0, len(tiles), columns)])


def words(text: str, width: int) -> Picture:
    """A strip of paper (h, `width`, 3) with `text` in PIL's default font, cut with an ellipsis where it is too long."""
    font = ImageFont.load_default(max(9, min(14, width // 8)))
    shown = text
    while shown and font.getlength(shown) > width:
        shown = shown.removesuffix("…")[:-1]
        shown = f"{shown}…" if shown else ""
    strip = Image.new("RGB", (width, 18), PAPER)
    ImageDraw.Draw(strip).text((width / 2, 9), shown, fill=INK, font=font, anchor="mm")
    return np.asarray(strip)


def save(sheet: Image.Image, out: Path) -> None:
    """Write a sheet, making its folder.

    Raises:
        BadInput: the ending of `out` is no image format, or it cannot be written.
    """
    _check_format(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(out)
    except OSError as error:
        raise BadInput(f"{out} cannot be written ({error.strerror or error}); give another file") from error


def _check_format(out: Path) -> None:
    """Before minutes of drawing, not after."""
    if Image.registered_extensions().get(out.suffix.lower()) not in ("PNG", "JPEG", "WEBP"):
        raise BadInput(f"{out}: a sheet is a .png, .jpg or .webp file; give one of these endings")


def _subject(row: int, seed: int) -> Subject:
    kinds = np.random.default_rng(seed).permutation(len(KINDS))
    return subject_at(row, split=HELD_OUT, seed=seed, kind=KINDS[kinds[row % len(KINDS)]])


def _titled(image: Picture, caption: str) -> Picture:
    return np.concatenate([image, words(caption, image.shape[1])])


def _paste(rows: Sequence[Sequence[Picture]], widths: Sequence[int], gap: int) -> Image.Image:
    heights = [max((image.shape[0] for image in row), default=0) for row in rows]
    sheet = Image.new("RGB", (sum(widths) + gap * (len(widths) + 1), sum(heights) + gap * (len(rows) + 1)), PAPER)
    top = gap
    for row, height in zip(rows, heights, strict=True):
        left = gap
        for image, width in zip(row, widths, strict=False):
            sheet.paste(Image.fromarray(image), (left + (width - image.shape[1]) // 2, top))
            left += width + gap
        top += height + gap
    return sheet
