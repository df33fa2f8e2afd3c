"""What a toy can wear or hold, fitted to its measurements and visible from every side."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from tutelage.toybox.anatomy import Frame, Part, eye, frame
from tutelage.toybox.paint import INK, plain
from tutelage.toybox.scene import Accessory, Colour, Subject
from tutelage.toybox.shapes import Box, Ellipsoid, Frustum, turn

BLACK: Colour = (0.10, 0.10, 0.13)
GOLD: Colour = (0.98, 0.78, 0.16)
WOOL: Colour = (0.80, 0.08, 0.14)
VELVET: Colour = (0.36, 0.10, 0.55)
RUBBER: Colour = (0.93, 0.13, 0.20)
STRING: Colour = (0.35, 0.35, 0.38)


def worn(subject: Subject, accessory: Accessory) -> Iterator[Part]:
    """The solids of an accessory on a subject; nothing for "none"."""
    if accessory != "none":
        yield from WARDROBE[accessory](subject, frame(subject))


def _crest(at: Frame) -> float:
    """Height at which something sits on the head."""
    return at.head[1] + at.reach[1] * (1.0 if at.square else 0.84)


def _hat(subject: Subject, at: Frame) -> Iterator[Part]:
    y, r = _crest(at), at.reach[0]
    yield Part(Frustum(0.95 * r, 0.92 * r, 0.05), (0, y, at.head[2]), plain(BLACK), "hat", turn(roll=-6))
    yield Part(Frustum(0.56 * r, 0.64 * r, 0.30), (0, y + 0.02, at.head[2]), plain(BLACK), "hat", turn(roll=-6))
    yield Part(Frustum(0.59 * r, 0.60 * r, 0.06), (0, y + 0.05, at.head[2]), plain(WOOL), "hat", turn(roll=-6))


def _crown(subject: Subject, at: Frame) -> Iterator[Part]:
    y, r = _crest(at) - 0.02, 0.62 * at.reach[0]
    yield Part(Frustum(r, r * 1.05, 0.10), (0, y, at.head[2]), plain(GOLD), "crown")
    for angle in np.linspace(0, 2 * np.pi, 6, endpoint=False):
        spot = (float(r * np.sin(angle)) * 0.95, y + 0.08, at.head[2] + float(r * np.cos(angle)) * 0.95)
        yield Part(Frustum(0.065, 0.0, 0.17), spot, plain(GOLD), "crown")
    yield Part(Ellipsoid((0.04, 0.04, 0.03)), (0, y + 0.055, at.head[2] + r), plain(RUBBER), "crown")


def _scarf(subject: Subject, at: Frame) -> Iterator[Part]:
    y = at.body[1] + at.girth[1] * 0.74
    r = 0.86 * at.girth[0]
    if at.square:
        collar = Box((at.girth[0] + 0.03, 0.055, at.girth[2] + 0.03))
        yield Part(collar, (0, y, 0), plain(WOOL), "scarf")
    else:
        yield Part(Frustum(r, r * 0.9, 0.12), (0, y - 0.05, at.head[2] - 0.01), plain(WOOL), "scarf")
    tail = (0.11, y - 0.14, at.girth[2] * 0.95)
    yield Part(Box((0.055, 0.15, 0.03)), tail, plain(WOOL), "scarf", turn(pitch=-8, roll=6))
    yield Part(Box((0.055, 0.10, 0.03)), (-0.1, y - 0.08, -at.girth[2] * 0.92), plain(WOOL), "scarf", turn(roll=-6))


def _glasses(subject: Subject, at: Frame) -> Iterator[Part]:
    sides = (0,) if subject.kind == "monster" else (-1, 1)
    size = at.reach[1] * (0.42 if len(sides) == 1 else 0.30)
    for side in sides:
        x, y, z = eye(subject, at, side)
        yield Part(Ellipsoid((size, size * 0.85, 0.05)), (x, y, z + 0.03), plain(INK), "glasses", turn(yaw=side * 18))
    level = eye(subject, at, sides[-1])[1]
    up = (level - at.head[1]) / at.reach[1]
    if at.square:
        band = Box((at.reach[0] + 0.012, 0.03, at.reach[2] + 0.012))
        yield Part(band, (0, level, at.head[2]), plain(INK), "glasses")
        return
    ring = at.reach[0] * float(np.sqrt(max(1 - min(abs(up), 0.8) ** 2, 0))) + 0.02
    yield Part(
        Frustum(ring, ring, 0.06),
        (0, at.head[1] + min(up, 0.8) * at.reach[1] - 0.03, at.head[2]),
        plain(INK),
        "glasses",
    )


def _cape(subject: Subject, at: Frame) -> Iterator[Part]:
    neck = at.body[1] + at.girth[1] * 0.86
    fall = (neck + 0.36) / 2
    back = (0, neck - fall, -at.girth[2] - 0.04)
    yield Part(Box((at.girth[0] * 1.45, fall, 0.03)), back, plain(VELVET), "cape", turn(pitch=9))
    yield Part(Frustum(at.girth[0] * 0.8, at.girth[0] * 0.8, 0.07), (0, neck - 0.06, 0.02), plain(VELVET), "cape")
    yield Part(Ellipsoid((0.045, 0.045, 0.03)), (0, neck - 0.03, at.girth[0] * 0.8 + 0.02), plain(GOLD), "cape")


def _balloon(subject: Subject, at: Frame) -> Iterator[Part]:
    hand = (at.girth[0] + 0.12, -0.12, 0.08)
    top = (hand[0] + 0.12, 0.62, 0.08)
    yield Part(Ellipsoid((0.17, 0.20, 0.17)), top, plain(RUBBER), "balloon")
    lean = -float(np.degrees(np.arctan2(top[0] - hand[0], top[1] - hand[1])))
    length = float(np.hypot(top[0] - hand[0], top[1] - hand[1])) - 0.19
    yield Part(Frustum(0.014, 0.014, length), hand, plain(STRING), "balloon", turn(roll=lean))


WARDROBE: Final[dict[Accessory, Callable[[Subject, Frame], Iterator[Part]]]] = {
    "hat": _hat,
    "crown": _crown,
    "scarf": _scarf,
    "glasses": _glasses,
    "cape": _cape,
    "balloon": _balloon,
}
"""One function per accessory; a new one is a function here and a name in `Accessory` and `Label`."""
