"""Pictures on the page: decoded safely, made small, and written into it."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.report.markup import el

COARSE: Final = 64
"""Pictures up to this side are shown with their pixels as squares, not blurred."""


@dataclass(frozen=True, kw_only=True)
class Album:
    """How pictures are stored on a page."""

    side: int
    """Pixels of the longer side, at most; smaller pictures stay as they are."""
    quality: int
    """Of WebP, from 0 to 100."""

    def show(self, data: bytes, alt: str) -> Element:
        """A picture; one that cannot be read is told in words in its place."""
        try:
            image = decode(data)
        except BadInput as fault:
            return absent(f"{alt}: {fault}")
        image.thumbnail((self.side, self.side))
        file = io.BytesIO()
        image.save(file, "WEBP", quality=self.quality, method=4)
        source = f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
        coarse = "coarse" if max(image.size) <= COARSE else None
        return el("img", src=source, alt=alt, width=image.width, height=image.height, class_=coarse, title=alt)

    def open(self, folder: Path, name: str, alt: str) -> Element:
        """A picture in a file, `name` within `folder`; nothing outside the folder is read."""
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            return absent(f"{alt}: {name} is outside {folder.name}")
        try:
            return self.show(path.read_bytes(), alt)
        except OSError as error:
            return absent(f"{alt}: {name} cannot be read ({error.strerror})")


ALBUMS: Final = (
    Album(side=256, quality=86),
    Album(side=192, quality=80),
    Album(side=144, quality=72),
    Album(side=96, quality=60),
)
"""The best first; the first whose page is small enough is taken."""


def absent(why: str) -> Element:
    """Stands where a picture cannot be shown."""
    return el("span", "not shown", class_="absent", role="img", aria_label=why, title=why)
