"""Are the files sound: large enough, not too narrow, and neither nearly empty nor stuffed?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from tutelage.errors import BadInput
from tutelage.judges.base import NO_REFERENCES, Cost, unjudged
from tutelage.judges.looking import numbered, pictures_of
from tutelage.triplet import Picture, Triplet, Verdict


class Limit(NamedTuple):
    """How far a picture is inside a limit, in doublings, and what it measures against what is asked."""

    room: float
    said: str


@dataclass(frozen=True, kw_only=True)
class SizeAndBytes:
    """Limits for the target and every reference; kept if all pictures keep to all of them.

    The score is the room to the tightest limit in doublings, so one number moves all of them: 0 is on a limit, 1 twice
    as good as it asks, -1 half as good.
    """

    side: int = 64
    """Least height and width, in pixels."""
    pixels: int = 64_000_000
    """Most height × width; more are not decoded either."""
    aspect: float = 4.0
    """Most of the longer side over the shorter."""
    least_bytes: float = 0.02
    """Of the file for each pixel; a picture of one colour has fewer."""
    most_bytes: float = 8.0
    """Of the file for each pixel; more hold something else than a picture."""
    formats: tuple[str, ...] = ("BMP", "GIF", "JPEG", "PNG", "WEBP")
    """Of the files, by Pillow's names."""
    name: ClassVar[str] = "size-and-bytes"
    cost: ClassVar[Cost] = Cost.READING

    def __post_init__(self) -> None:
        for name in ("side", "pixels", "least_bytes", "most_bytes"):
            if getattr(self, name) <= 0:
                raise BadInput(f"{name} of {self.name} is {getattr(self, name):g}; give more than 0")
        if self.aspect < 1 or self.least_bytes > self.most_bytes:
            raise BadInput(f"nothing keeps to the limits of {self.name}; give an aspect from 1 on, least before most")

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score: room in doublings, any number. Every picture is decoded, so what is cut short is found here."""
        every = {picture.key: picture for triplet in triplets for picture in pictures_of(triplet)}
        measured = {key: self._measure(picture) for key, picture in every.items()}
        return [self._verdict(triplet, measured) for triplet in triplets]

    def _verdict(self, triplet: Triplet, measured: dict[str, Limit | str]) -> Verdict:
        if not triplet.references:
            return unjudged(triplet, self.name, NO_REFERENCES)
        tightest, reason = math.inf, ""
        for name, picture in zip(["target", *numbered(triplet)], pictures_of(triplet), strict=True):
            found = measured[picture.key]
            if isinstance(found, str):
                return unjudged(triplet, self.name, f"{name}: {found}")
            if found.room < tightest:
                tightest, reason = found.room, f"{name}: {found.said}" if found.room < 0 else ""
        return Verdict(triplet=triplet.id, judge=self.name, score=tightest, keep=not reason, reason=reason)

    def _measure(self, picture: Picture) -> Limit | str:
        """The tightest limit of a picture, or why it cannot be measured."""
        from tutelage.diffusion.pictures import decode, format_of

        try:
            image, form = decode(picture.data), format_of(picture.data)
        except BadInput as fault:
            return str(fault)
        if form not in self.formats:
            return f"a {form}; give {', '.join(self.formats)}"
        return min(self._limits(image.width, image.height, len(picture.data)))

    def _limits(self, width: int, height: int, size: int) -> Iterator[Limit]:
        short, long = sorted((width, height))
        each = size / (width * height)
        yield Limit(math.log2(short / self.side), f"a side of {short} pixels, at least {self.side}")
        yield Limit(math.log2(self.pixels / (width * height)), f"{width} x {height} pixels, at most {self.pixels}")
        yield Limit(math.log2(self.aspect * short / long), f"{width} x {height}, at most {self.aspect:g} to 1")
        yield Limit(math.log2(each / self.least_bytes), f"{each:.3g} bytes a pixel, at least {self.least_bytes:g}")
        yield Limit(math.log2(self.most_bytes / each), f"{each:.3g} bytes a pixel, at most {self.most_bytes:g}")
