"""What colour a point of a toy has: plain paint, torso patterns, faces. Points are in the part's own axes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tutelage.toybox.scene import Colour, Expression, Pattern, Subject
from tutelage.toybox.shapes import Array

Paint = Callable[[Array], Array]
"""Surface points (3, n) → colours (3, n) in [0, 1]."""

INK: Colour = (0.08, 0.06, 0.08)
MOUTH: Colour = (0.45, 0.05, 0.10)


def plain(colour: Colour) -> Paint:
    """One colour all over."""
    column = np.asarray(colour, np.float32)[:, None]
    return lambda point: np.broadcast_to(column, point.shape)


def tint(colour: Colour, towards: Colour, share: float) -> Colour:
    """`share` of the way from one colour to another."""
    red, green, blue = (a + (b - a) * share for a, b in zip(colour, towards, strict=True))
    return red, green, blue


def torso(subject: Subject, size: tuple[float, float, float]) -> Paint:
    """Body colour, the pattern in the accent colour, and the belly patch in front if there is one."""
    body, accent = (np.asarray(c, np.float32)[:, None] for c in (subject.body, subject.accent))
    unit = np.asarray(size, np.float32)[:, None]

    def paint(point: Array) -> Array:
        relative = point / unit
        marked = _pattern(subject.pattern, relative)
        if subject.belly:
            marked = np.asarray(marked | _belly(relative))
        return np.where(marked, accent, body)

    return paint


def _pattern(pattern: Pattern, relative: Array) -> NDArray[np.bool_]:
    x, y, z = relative
    around = np.arctan2(x, z)
    if pattern == "striped":
        return np.asarray(np.mod(y * 2.2 + 0.25, 1.0) < 0.45)
    if pattern == "spotted":
        row = np.floor(y * 2.1)
        across = np.mod(around / (2 * np.pi) * 7 + 0.5 * np.mod(row, 2), 1.0) - 0.5
        return np.asarray((across * 1.15) ** 2 + (np.mod(y * 2.1, 1.0) - 0.5) ** 2 < 0.095)
    if pattern == "checked":
        return np.asarray(np.mod(np.floor(y * 2.4) + np.floor(around / (2 * np.pi) * 10), 2) < 1)
    return np.zeros(x.shape, bool)


def _belly(relative: Array) -> NDArray[np.bool_]:
    x, y, z = relative
    return np.asarray((z > 0) & ((x / 0.55) ** 2 + ((y + 0.08) / 0.6) ** 2 < 1))


def face(colour: Colour, expression: Expression, offset: tuple[float, float, float], reach: float) -> Paint:
    """Skin with a mouth and, when sad, brows drawn on what looks forward.

    `offset` is where the part's centre lies in the head and `reach` the head's radius, so that one drawing runs on over
    the head and the muzzle in front of it.
    """
    skin, mouth, ink = (np.asarray(c, np.float32)[:, None] for c in (colour, MOUTH, INK))

    def paint(point: Array) -> Array:
        x, y = (point[i] + offset[i] for i in (0, 1))
        u, v, front = x / reach, y / reach, point[2] + offset[2] > 0.1 * reach
        drawn = np.where(front & _mouth(expression, u, v + 0.58), mouth, skin)
        return np.where(front & _brows(expression, u, v), ink, drawn)

    return paint


def _mouth(expression: Expression, u: Array, v: Array) -> NDArray[np.bool_]:
    """Whether (u, v), in head radii from the mouth's centre, is mouth."""
    if expression == "screaming":
        return np.asarray((u / 0.30) ** 2 + ((v + 0.02) / 0.27) ** 2 < 1)
    if expression in ("smiling", "sad"):
        bend = (u / 0.42) ** 2 * 0.26
        centre = bend - 0.13 if expression == "smiling" else 0.10 - bend
        return np.asarray((np.abs(v - centre) < 0.075) & (np.abs(u) < 0.44))
    width = 0.13 if expression == "sleepy" else 0.24
    return np.asarray((np.abs(v) < 0.055) & (np.abs(u) < width))


def _brows(expression: Expression, u: Array, v: Array) -> NDArray[np.bool_]:
    if expression != "sad":
        return np.zeros(u.shape, bool)
    line = 0.62 - 0.55 * (np.abs(u) - 0.2)
    return np.asarray((np.abs(v - line) < 0.065) & (np.abs(u) > 0.12) & (np.abs(u) < 0.62))
