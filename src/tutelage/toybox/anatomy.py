"""Which solids a toy is made of, kind by kind. Units: half the short side of the picture; y up, z to the front."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from tutelage.toybox.paint import INK, Paint, face, plain, tint, torso
from tutelage.toybox.scene import Accessory, Colour, Expression, Kind, Subject
from tutelage.toybox.shapes import Array, Box, Ellipsoid, Frustum, Solid, turn

Label = Literal["background", "body", "head", "limbs", "hat", "crown", "scarf", "glasses", "cape", "balloon"]
LABELS: Final[tuple[Label, ...]] = (
    "background", "body", "head", "limbs", "hat", "crown", "scarf", "glasses", "cape", "balloon"
)  # fmt: skip
"""What a pixel can belong to; the index is the value in a label map. Ears, tails, arms and feet are `limbs`."""

WHITE: Colour = (0.96, 0.96, 0.95)
BEAK: Colour = (0.98, 0.62, 0.10)
SNOUT: Colour = (0.96, 0.62, 0.68)
GROUND: Final = -0.66
"""Height of the floor the toy stands on."""


@dataclass(frozen=True)
class Part:
    """One painted solid of a toy."""

    solid: Solid
    centre: tuple[float, float, float]
    paint: Paint
    label: Label
    rotation: Array = field(default_factory=turn)


@dataclass(frozen=True)
class Frame:
    """Where the head and torso of a subject are: what ears, faces and accessories hang on."""

    head: tuple[float, float, float]
    reach: tuple[float, float, float]
    """Half sizes of the head."""
    body: tuple[float, float, float]
    girth: tuple[float, float, float]
    """Half sizes of the torso."""
    square: bool
    """Built from boxes."""


def frame(subject: Subject) -> Frame:
    """The measurements of a subject."""
    r, w, h = 0.31 * subject.head_size, subject.width, subject.height
    wide = {"frog": (1.22, 0.82), "elephant": (1.05, 1.0), "dinosaur": (0.92, 0.95), "mouse": (0.95, 0.95)}
    across, up = wide.get(subject.kind, (1.0, 1.0))
    square = subject.kind == "robot"
    reach = (0.29 * subject.head_size, 0.25 * subject.head_size, 0.24) if square else (r * across, r * up, r)
    girth = (0.27 * w, 0.28 * h, 0.20 * w) if square else (0.275 * w, 0.31 * h, 0.25 * w)
    head_y = -0.24 + girth[1] + reach[1] * 0.78
    return Frame((0.0, head_y, 0.03), reach, (0.0, -0.24, 0.0), girth, square)


def parts(subject: Subject, expression: Expression, accessory: Accessory) -> Iterator[Part]:
    """Every solid of a bare toy: torso, head, face, limbs and what its kind adds."""
    at = frame(subject)
    yield Part(_block(at.square, at.girth), at.body, torso(subject, at.girth), "body")
    skin = face(subject.head, expression, (0.0, 0.0, 0.0), at.reach[1])
    yield Part(_block(at.square, at.reach), at.head, skin, "head")
    yield from _limbs(subject, at)
    yield from _eyes(subject, expression, at, hidden=accessory == "glasses")
    yield from FEATURES[subject.kind](subject, expression, at)


def _block(square: bool, half: tuple[float, float, float]) -> Solid:
    return Box(half) if square else Ellipsoid(half)


def _limbs(subject: Subject, at: Frame) -> Iterator[Part]:
    paint, s = plain(subject.accent), subject.limbs
    for side in (-1, 1):
        arm = (0.075 * s, 0.19 * s, 0.085 * s)
        hand = (side * (at.girth[0] + 0.045), -0.16, 0.04)
        yield Part(_block(at.square, arm), hand, paint, "limbs", turn(roll=0 if at.square else side * 22))
        foot = (0.11 * s, 0.09, 0.15 * s)
        yield Part(_block(at.square, foot), (side * 0.15, GROUND + 0.09, 0.06), paint, "limbs")


def _eyes(subject: Subject, expression: Expression, at: Frame, hidden: bool) -> Iterator[Part]:
    if hidden:
        return
    single = subject.kind == "monster"
    size = at.reach[1] * (0.30 if single else 0.155)
    for side in (0,) if single else (-1, 1):
        centre = eye(subject, at, side)
        tall = {"sleepy": 0.30, "screaming": 1.45}.get(expression, 1.15)
        if single or subject.kind in ("frog", "robot"):
            yield Part(Ellipsoid((size * 1.25, size * 1.25 * tall, size * 0.8)), centre, plain(WHITE), "head")
            centre = (centre[0], centre[1], centre[2] + size * 0.55)
            size *= 0.8
        yield Part(Ellipsoid((size, size * tall, size * 0.6)), centre, _glossy(size), "head")


def _glossy(size: float) -> Paint:
    ink, shine = (np.asarray(c, np.float32)[:, None] for c in (INK, WHITE))
    return lambda p: np.where((p[0] + 0.35 * size) ** 2 + (p[1] - 0.35 * size) ** 2 < (0.3 * size) ** 2, shine, ink)


def eye(subject: Subject, at: Frame, side: int) -> tuple[float, float, float]:
    """Centre of an eye: `side` is -1, 1, or 0 for the one in the middle."""
    _, y, z = at.head
    rx, ry, rz = at.reach
    if at.square:
        return (side * rx * 0.45, y + ry * 0.25, z + rz)
    if subject.kind == "frog":
        return (side * rx * 0.55, y + ry * 0.92, z + rz * 0.15 + 0.1 * subject.ears)
    across, up = side * 0.42, 0.30 if side == 0 else 0.18
    return (rx * across, y + ry * up, z + rz * float(np.sqrt(1 - across**2 - up**2)))


def _pair(solid: Solid, centre: tuple[float, float, float], paint: Paint, **angles: float) -> Iterator[Part]:
    """The same solid on both sides, mirrored."""
    for side in (-1, 1):
        mirrored = {name: side * value if name in ("yaw", "roll") else value for name, value in angles.items()}
        yield Part(solid, (side * centre[0], centre[1], centre[2]), paint, "limbs", turn(**mirrored))


def _muzzle(
    s: Subject, expression: Expression, at: Frame, size: tuple[float, float, float], nose: Colour = INK
) -> Iterator[Part]:
    x, y, z = at.head
    offset = (0.0, -0.27 * at.reach[1], 0.86 * at.reach[2])
    paint = face(tint(s.head, WHITE, 0.35), expression, offset, at.reach[1])
    r = at.reach[1]
    yield Part(Ellipsoid((size[0] * r, size[1] * r, size[2] * r)), (x, y + offset[1], z + offset[2]), paint, "head")
    tip = (x, y + offset[1] + size[1] * r * 0.45, z + offset[2] + size[2] * r * 0.85)
    yield Part(Ellipsoid((0.16 * r, 0.11 * r, 0.1 * r)), tip, plain(nose), "head")


def _top(at: Frame, across: float, up: float, back: float = 0.0) -> tuple[float, float, float]:
    """A spot on the head: shares of its half sizes."""
    return (at.reach[0] * across, at.head[1] + at.reach[1] * up, at.head[2] - at.reach[2] * back)


def _rump(at: Frame, up: float = -0.35, out: float = 0.95) -> tuple[float, float, float]:
    return (0.0, at.body[1] + at.girth[1] * up, at.body[2] - at.girth[2] * out)


def _bear(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1] * s.ears
    yield from _pair(Ellipsoid((0.33 * r, 0.33 * r, 0.16 * r)), _top(at, 0.72, 0.75), plain(s.accent))
    yield from _muzzle(s, e, at, (0.42, 0.32, 0.3))
    yield Part(Ellipsoid((0.07, 0.07, 0.07)), _rump(at), plain(s.accent), "limbs")


def _bunny(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1] * s.ears
    yield from _pair(Ellipsoid((0.19 * r, 0.72 * r, 0.13 * r)), _top(at, 0.45, 1.35, 0.1), plain(s.accent), roll=-10)
    yield from _muzzle(s, e, at, (0.34, 0.24, 0.2), SNOUT)
    yield Part(Ellipsoid((0.1, 0.1, 0.1)), _rump(at), plain(WHITE), "limbs")


def _cat(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1] * s.ears
    yield from _pair(Frustum(0.32 * r, 0.0, 0.7 * r), _top(at, 0.6, 0.62), plain(s.accent), roll=-18)
    yield from _muzzle(s, e, at, (0.36, 0.22, 0.2), SNOUT)
    tail = (0.3, at.body[1] + 0.1, -0.28)
    yield Part(Ellipsoid((0.045, 0.3 * s.limbs, 0.045)), tail, plain(s.accent), "limbs", turn(roll=-32))


def _dinosaur(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1]
    yield from _muzzle(s, e, at, (0.62, 0.4, 0.62))
    for across, up, size in ((0.15, 0.95, 0.34), (0.75, 0.72, 0.32), (1.0, 0.1, 0.3)):
        spot = _top(at, 0.0, up, across)
        yield Part(
            Frustum(0.3 * r, 0.0, 2 * size * r * s.ears), spot, plain(s.accent), "limbs", turn(pitch=-across * 75)
        )
    for up in (0.45, -0.25):
        spike = Frustum(0.09, 0.0, 0.16 * s.ears)
        yield Part(spike, _rump(at, up, 0.85), plain(s.accent), "limbs", turn(pitch=-80))
    yield Part(Frustum(0.17, 0.0, 0.46), _rump(at, -0.6, 0.6), plain(s.accent), "limbs", turn(yaw=25, pitch=-98))


def _dog(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1] * s.ears
    yield from _pair(Ellipsoid((0.2 * r, 0.55 * r, 0.3 * r)), _top(at, 1.02, 0.05), plain(s.accent), roll=14)
    yield from _muzzle(s, e, at, (0.42, 0.34, 0.52))
    tail = (0.0, at.body[1] + 0.05, -at.girth[2] - 0.1)
    yield Part(Ellipsoid((0.045, 0.17, 0.045)), tail, plain(s.accent), "limbs", turn(pitch=-35))


def _duck(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    x, y, z = at.head
    bill = (x, y - 0.16 * at.reach[1], z + at.reach[2] * 1.05)
    yield Part(Ellipsoid((0.15, 0.055, 0.16)), bill, plain(BEAK), "head")
    tuft = Frustum(0.05, 0.0, 0.2 * s.ears)
    for angle in (-25.0, 0.0, 25.0):
        yield Part(tuft, _top(at, 0.0, 0.9), plain(s.accent), "limbs", turn(roll=angle))
    yield Part(Frustum(0.13, 0.02, 0.26), _rump(at, -0.2, 0.7), plain(s.accent), "limbs", turn(pitch=-60))


def _elephant(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1] * s.ears
    ear = Ellipsoid((0.6 * r, 0.66 * r, 0.1 * r))
    yield from _pair(ear, _top(at, 1.35, 0.15, 0.15), plain(s.accent), yaw=-20)
    x, y, z = at.head
    for step in range(4):
        size = 0.085 - 0.012 * step
        spot = (x, y - 0.03 - 0.05 * step, z + at.reach[2] * 0.95 + 0.055 * step)
        yield Part(Ellipsoid((size, size, size)), spot, plain(tint(s.head, WHITE, 0.15)), "head")
    yield Part(Ellipsoid((0.025, 0.14, 0.025)), _rump(at, -0.2, 1.05), plain(s.accent), "limbs", turn(pitch=20))


def _frog(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    bulge = Ellipsoid((0.12 * s.ears, 0.12 * s.ears, 0.12))
    yield from _pair(bulge, _top(at, 0.55, 0.9, -0.15), plain(s.accent))
    thigh = Ellipsoid((0.12, 0.1, 0.15))
    yield from _pair(thigh, (at.girth[0] * 0.95, -0.44, 0.0), plain(s.accent))


def _monster(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1] * s.ears
    yield from _pair(Frustum(0.17 * r, 0.02, 0.75 * r), _top(at, 0.62, 0.65), plain(s.accent), roll=-30)
    tail = Frustum(0.1, 0.02, 0.34)
    yield Part(tail, _rump(at, -0.5, 0.8), plain(s.accent), "limbs", turn(yaw=-35, pitch=-75))


def _mouse(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1] * s.ears
    yield from _pair(Ellipsoid((0.55 * r, 0.55 * r, 0.12 * r)), _top(at, 0.92, 0.88, 0.1), plain(s.accent))
    yield from _muzzle(s, e, at, (0.26, 0.24, 0.5), SNOUT)
    tail = (-0.26, at.body[1] - 0.14, -0.3)
    yield Part(Ellipsoid((0.3, 0.025, 0.025)), tail, plain(s.accent), "limbs", turn(yaw=-20, roll=-28))


def _pig(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    r = at.reach[1]
    flap = Frustum(0.27 * r * s.ears, 0.0, 0.45 * r * s.ears)
    yield from _pair(flap, _top(at, 0.68, 0.68), plain(s.accent), roll=-55, pitch=30)
    snout = (0.0, at.head[1] - 0.16 * r, at.head[2] + at.reach[2] * 0.92)
    yield Part(Frustum(0.32 * r, 0.30 * r, 0.26 * r), snout, _nostrils(r), "head", turn(pitch=90))
    yield Part(Ellipsoid((0.05, 0.07, 0.05)), _rump(at, 0.0, 1.1), plain(SNOUT), "limbs", turn(roll=35))


def _nostrils(r: float) -> Paint:
    pink, ink = (np.asarray(c, np.float32)[:, None] for c in (SNOUT, INK))
    return lambda p: np.where(
        (p[1] > 0.24 * r) & ((np.abs(p[0]) - 0.12 * r) ** 2 + p[2] ** 2 < (0.07 * r) ** 2), ink, pink
    )


def _robot(s: Subject, e: Expression, at: Frame) -> Iterator[Part]:
    top = at.head[1] + at.reach[1]
    grey = plain((0.62, 0.64, 0.68))
    yield Part(Frustum(0.018, 0.018, 0.16 * s.ears), (0.0, top, 0.0), grey, "limbs")
    yield Part(Ellipsoid((0.06, 0.06, 0.06)), (0.0, top + 0.19 * s.ears, 0.0), plain(s.accent), "limbs")
    yield from _pair(Box((0.04, 0.08, 0.08)), (at.reach[0] + 0.03, at.head[1], at.head[2]), plain(s.accent))
    yield Part(Frustum(0.1, 0.1, 0.12), (0.0, at.body[1] + at.girth[1] - 0.01, 0.0), grey, "limbs")


FEATURES: Final[dict[Kind, Callable[[Subject, Expression, Frame], Iterator[Part]]]] = {
    "bear": _bear,
    "bunny": _bunny,
    "cat": _cat,
    "dinosaur": _dinosaur,
    "dog": _dog,
    "duck": _duck,
    "elephant": _elephant,
    "frog": _frog,
    "monster": _monster,
    "mouse": _mouse,
    "pig": _pig,
    "robot": _robot,
}
"""What each kind adds to the common toy: ears, muzzle, tail. A new kind is a function here and a name in `Kind`."""
