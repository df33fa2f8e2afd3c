"""The places: a drawn background for each, filling any frame.

Drawing coordinates are half short sides from the middle of the picture: u to the right, v up, so a square spans
[-1, 1] and a wide picture simply shows more on both sides.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.toybox.scene import Colour, Place
from tutelage.toybox.shapes import Array


class Canvas:
    """A picture being painted: `rgb` (H, W, 3) in [0, 1] with its drawing coordinates."""

    def __init__(self, height: int, width: int, layout: int, horizon: float) -> None:
        short = min(height, width) / 2
        self.u = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / short)[None, :]
        self.v = ((height / 2 - np.arange(height, dtype=np.float32) - 0.5) / short)[:, None]
        self.unit = short
        self.rgb = np.zeros((height, width, 3), np.float32)
        self.rng = np.random.default_rng(layout)
        self.horizon = horizon
        """Height v at which the floor ends."""

    def gradient(self, high: Colour, low: Colour, top: float = 1.0, bottom: float | None = None) -> None:
        """Fill everything with a vertical blend: `high` at v = top and above, `low` at v = bottom and below."""
        bottom = self.horizon if bottom is None else bottom
        share = np.clip((self.v - bottom) / (top - bottom), 0, 1)[..., None]
        self.rgb[:] = np.asarray(low, np.float32) + share * (np.asarray(high, np.float32) - np.asarray(low, np.float32))

    def below(self, line: Array | float, high: Colour, low: Colour | None = None, depth: float = 1.2) -> None:
        """Fill what lies under a line v(u), from `high` at the line to `low` at `depth` under it."""
        under = self.v < line
        low = low or high
        share = np.clip((np.asarray(line) - self.v) / depth, 0, 1)[..., None]
        colour = np.asarray(high, np.float32) + share * (np.asarray(low, np.float32) - np.asarray(high, np.float32))
        np.copyto(self.rgb, colour, where=under[..., None])

    def disc(self, u: float, v: float, radius: float, colour: Colour, squash: float = 1.0, share: float = 1.0) -> None:
        """Fill an ellipse of half width `radius` and half height `radius * squash`."""
        rows, columns = self._window(u - radius, u + radius, v - radius * squash, v + radius * squash)
        inside = ((self.u[:, columns] - u) / radius) ** 2 + ((self.v[rows] - v) / (radius * squash)) ** 2 < 1
        self._blend(rows, columns, inside, colour, share)

    def box(self, left: float, right: float, bottom: float, top: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        rows, columns = self._window(left, right, bottom, top)
        inside = (self.u[:, columns] >= left) & (self.u[:, columns] < right)
        inside = inside & (self.v[rows] >= bottom) & (self.v[rows] < top)
        self._blend(rows, columns, inside, colour, 1.0)

    def triangle(self, u: float, half: float, bottom: float, top: float, colour: Colour) -> None:
        """Fill an upright triangle with its tip above the middle of its base."""
        rows, columns = self._window(u - half, u + half, bottom, top)
        width = half * (top - self.v[rows]) / (top - bottom)
        inside = (np.abs(self.u[:, columns] - u) < width) & (self.v[rows] >= bottom)
        self._blend(rows, columns, inside, colour, 1.0)

    def _window(self, left: float, right: float, bottom: float, top: float) -> tuple[slice, slice]:
        height, width = self.rgb.shape[:2]
        columns = [int(np.clip(edge * self.unit + width / 2, 0, width)) for edge in (left, right)]
        rows = [int(np.clip(height / 2 - edge * self.unit, 0, height)) for edge in (top, bottom)]
        return slice(max(rows[0] - 1, 0), rows[1] + 1), slice(max(columns[0] - 1, 0), columns[1] + 1)

    def _blend(self, rows: slice, columns: slice, inside: NDArray[np.bool_], colour: Colour, share: float) -> None:
        view = self.rgb[rows, columns]
        paint = np.asarray(colour, np.float32)
        np.copyto(view, view + share * (paint - view), where=inside[..., None])

    def wave(self, centre: float, height: float, length: float) -> Array:
        """A rolling line v(u), one value per column, drawn from the layout."""
        a, b = self.rng.uniform(0, 2 * np.pi, 2)
        bend = 0.65 * np.sin(self.u * (6.3 / length) + a) + 0.35 * np.sin(self.u * (11.0 / length) + b)
        return np.asarray(centre + height * bend, np.float32)

    def along(self, step: float, jitter: float = 0.3) -> list[float]:
        """Positions u all across the frame, `step` apart give or take `jitter` steps; the middle ones come first.

        Drawn outwards from the middle so that a wider frame adds positions and moves none.
        """
        reach = float(-self.u[0, 0]) + step
        spots = sorted(np.arange(-80, 81) * step, key=abs)
        drawn = self.rng.uniform(-jitter, jitter, len(spots)) * step
        return [float(s + d) for s, d in zip(spots, drawn, strict=True) if abs(s) < reach]


def _beach(c: Canvas) -> None:
    c.gradient((0.36, 0.68, 0.98), (0.78, 0.92, 1.0))
    c.disc(float(c.rng.uniform(-0.8, 0.8)), 0.78, 0.13, (1.0, 0.95, 0.55))
    sea = c.horizon + 0.22
    c.below(sea, (0.10, 0.42, 0.78), (0.20, 0.66, 0.88), 0.35)
    c.below(c.wave(c.horizon + 0.03, 0.035, 2.0), (0.97, 0.98, 0.98))
    c.below(c.wave(c.horizon, 0.03, 2.2), (0.96, 0.86, 0.62), (0.86, 0.72, 0.46))


def _city(c: Canvas) -> None:
    c.gradient((0.55, 0.66, 0.80), (0.86, 0.88, 0.90))
    for u in c.along(0.34):
        half, top = float(c.rng.uniform(0.13, 0.18)), c.horizon + float(c.rng.uniform(0.35, 0.95))
        shade = float(c.rng.uniform(0.30, 0.46))
        c.box(u - half, u + half, c.horizon - 0.05, top, (shade, shade, shade * 1.18))
        for row in np.arange(c.horizon + 0.06, top - 0.07, 0.12):
            for column in (-0.5, 0.0, 0.5):
                lit = c.rng.random() < 0.6
                spot = u + column * half * 1.2
                c.box(spot - 0.022, spot + 0.022, row, row + 0.06, (0.99, 0.90, 0.50) if lit else (0.2, 0.22, 0.30))
    c.below(c.horizon, (0.42, 0.42, 0.45), (0.30, 0.30, 0.33))
    for u in c.along(0.5, 0.0):
        c.box(u - 0.13, u + 0.13, -0.84, -0.80, (0.95, 0.93, 0.80))


def _desert(c: Canvas) -> None:
    c.gradient((0.98, 0.72, 0.40), (1.0, 0.90, 0.66))
    c.below(c.wave(c.horizon + 0.16, 0.08, 2.4), (0.85, 0.50, 0.24), (0.80, 0.44, 0.20))
    c.below(c.wave(c.horizon, 0.06, 1.8), (0.93, 0.64, 0.32), (0.78, 0.46, 0.20))
    for u in c.along(0.75):
        tall, green = float(c.rng.uniform(0.4, 0.6)), (0.20, 0.48, 0.24)
        foot = c.horizon - 0.08
        c.box(u - 0.04, u + 0.04, foot, foot + tall, green)
        c.box(u - 0.15, u + 0.15, foot + tall * 0.45, foot + tall * 0.45 + 0.06, green)
        c.box(u - 0.15, u - 0.09, foot + tall * 0.45, foot + tall * 0.8, green)
        c.box(u + 0.09, u + 0.15, foot + tall * 0.45, foot + tall * 0.7, green)


def _forest(c: Canvas) -> None:
    c.gradient((0.44, 0.66, 0.56), (0.72, 0.86, 0.74))
    for depth, shade in ((0.10, 0.75), (0.0, 1.0)):
        for u in c.along(0.30):
            tall = float(c.rng.uniform(0.7, 1.15))
            foot, green = c.horizon + depth - 0.08, (0.06 / shade, 0.30 / shade, 0.16 / shade)
            c.box(u - 0.03, u + 0.03, foot, foot + 0.2, (0.30, 0.20, 0.12))
            c.triangle(u, 0.22, foot + 0.12, foot + tall * 0.75, green)
            c.triangle(u, 0.16, foot + tall * 0.4, foot + tall, green)
    c.below(c.wave(c.horizon - 0.02, 0.02, 1.5), (0.28, 0.34, 0.14), (0.20, 0.22, 0.10))


def _grass(c: Canvas) -> None:
    c.gradient((0.32, 0.62, 0.98), (0.74, 0.90, 1.0))
    for u in c.along(0.9):
        v = float(c.rng.uniform(0.55, 0.85))
        for shift, size in ((-0.14, 0.11), (0.0, 0.16), (0.15, 0.12)):
            c.disc(u + shift, v, size, (0.98, 0.99, 1.0), 0.6)
    c.below(c.wave(c.horizon + 0.12, 0.08, 2.0), (0.42, 0.74, 0.30), (0.30, 0.60, 0.22))
    c.below(c.wave(c.horizon, 0.04, 1.6), (0.36, 0.70, 0.22), (0.20, 0.50, 0.12))
    for u in c.along(0.22):
        v = float(c.rng.uniform(c.horizon - 0.75, c.horizon - 0.1))
        c.disc(u, v, 0.03, (0.99, 0.95, 0.98) if c.rng.random() < 0.5 else (1.0, 0.86, 0.2))


def _library(c: Canvas) -> None:
    c.rgb[:] = np.asarray((0.34, 0.20, 0.11), np.float32)
    hues = ((0.70, 0.16, 0.16), (0.16, 0.32, 0.58), (0.18, 0.46, 0.28), (0.84, 0.68, 0.30), (0.48, 0.24, 0.50))
    top = float(c.v[0, 0])
    for shelf in np.arange(c.horizon + 0.06, top, 0.34):
        for u in c.along(0.09, 0.1):
            tall = float(c.rng.uniform(0.19, 0.27))
            c.box(u - 0.036, u + 0.036, shelf, shelf + tall, hues[int(c.rng.integers(len(hues)))])
    c.below(c.horizon, (0.60, 0.22, 0.20), (0.46, 0.14, 0.14))


def _mountains(c: Canvas) -> None:
    c.gradient((0.40, 0.60, 0.88), (0.86, 0.92, 0.98))
    for u in c.along(0.75):
        tall, half = float(c.rng.uniform(0.65, 1.0)), float(c.rng.uniform(0.45, 0.6))
        foot = c.horizon - 0.05
        c.triangle(u, half, foot, foot + tall, (0.40, 0.40, 0.50))
        c.triangle(u, half * 0.36, foot + tall * 0.64, foot + tall, (0.97, 0.98, 1.0))
    c.below(c.wave(c.horizon, 0.03, 1.4), (0.46, 0.50, 0.36), (0.34, 0.38, 0.26))
    for u in c.along(0.4):
        c.disc(u, c.horizon - float(c.rng.uniform(0.1, 0.6)), 0.07, (0.55, 0.55, 0.56), 0.6)


def _room(c: Canvas) -> None:
    wall = ((0.90, 0.82, 0.68), (0.72, 0.82, 0.84), (0.90, 0.74, 0.66))[int(c.rng.integers(3))]
    c.rgb[:] = np.asarray(wall, np.float32)
    u, v = float(c.rng.choice([-0.55, 0.55]) + c.rng.uniform(-0.15, 0.15)), c.horizon + 0.72
    c.box(u - 0.27, u + 0.27, v - 0.27, v + 0.27, (0.98, 0.98, 0.96))
    c.box(u - 0.23, u + 0.23, v - 0.23, v + 0.23, (0.56, 0.80, 0.98))
    c.box(u - 0.015, u + 0.015, v - 0.23, v + 0.23, (0.98, 0.98, 0.96))
    c.box(u - 0.23, u + 0.23, v - 0.015, v + 0.015, (0.98, 0.98, 0.96))
    c.below(c.horizon + 0.05, (0.96, 0.95, 0.92))
    c.below(c.horizon, (0.66, 0.42, 0.24), (0.54, 0.32, 0.17))
    spread = c.u / np.maximum(0.6 + (c.horizon - c.v), 0.1)
    boards = (c.v < c.horizon) & (np.mod(spread * 3.2, 1.0) < 0.05)
    c.rgb[boards] *= 0.75


def _sea(c: Canvas) -> None:
    c.gradient((0.22, 0.70, 0.84), (0.03, 0.26, 0.50), 1.0, -0.7)
    for u in c.along(0.5):
        lean = float(c.rng.uniform(0.1, 0.3))
        beam = np.abs(_from_beam(c, u, lean)) < 0.07
        c.rgb[beam & (c.v > c.horizon)] += np.float32(0.07)
    for u in c.along(0.42):
        tall, hue = float(c.rng.uniform(0.3, 0.7)), (0.10, 0.52, 0.36)
        stalk = np.abs(c.u - u - 0.04 * np.sin(c.v * 14)) < 0.035
        c.rgb[stalk & (c.v > c.horizon - 0.1) & (c.v < c.horizon - 0.1 + tall)] = hue
    c.below(c.wave(c.horizon - 0.05, 0.03, 1.2), (0.62, 0.66, 0.50), (0.36, 0.46, 0.44))
    for u in c.along(0.3):
        v = float(c.rng.uniform(c.horizon, 0.95))
        c.disc(u, v, float(c.rng.uniform(0.02, 0.045)), (0.80, 0.95, 1.0), share=0.8)


def _from_beam(c: Canvas, u: float, lean: float) -> Array:
    """Horizontal distance from a beam through (u, 1) leaning by `lean`."""
    return np.asarray(c.u - u - lean * (c.v - 1.0), np.float32)


def _snow(c: Canvas) -> None:
    c.gradient((0.62, 0.74, 0.90), (0.88, 0.93, 0.98))
    c.below(c.wave(c.horizon + 0.16, 0.09, 2.2), (0.84, 0.89, 0.97), (0.78, 0.85, 0.95))
    for u in c.along(0.7):
        foot = c.horizon + 0.02
        c.triangle(u, 0.15, foot, foot + 0.5, (0.34, 0.50, 0.48))
        c.triangle(u, 0.08, foot + 0.25, foot + 0.52, (0.98, 0.99, 1.0))
    c.below(c.wave(c.horizon, 0.05, 1.8), (0.98, 0.99, 1.0), (0.84, 0.89, 0.97))


def _space(c: Canvas) -> None:
    c.rgb[:] = np.asarray((0.03, 0.03, 0.09), np.float32)
    for u in c.along(0.05, 0.5):
        v = float(c.rng.uniform(c.horizon, max(1.0, float(c.v[0, 0]))))
        c.disc(u, v, float(c.rng.uniform(0.010, 0.022)), (0.95, 0.95, 1.0))
    u, v = float(c.rng.choice([-0.6, 0.6]) + c.rng.uniform(-0.1, 0.1)), float(c.rng.uniform(0.5, 0.75))
    c.disc(u, v, 0.20, (0.86, 0.52, 0.30))
    c.disc(u, v, 0.34, (0.95, 0.80, 0.55), 0.16, 0.8)
    c.below(c.wave(c.horizon, 0.02, 1.5), (0.52, 0.52, 0.58), (0.36, 0.36, 0.42))
    for u in c.along(0.36):
        c.disc(u, c.horizon - float(c.rng.uniform(0.1, 0.6)), 0.11, (0.34, 0.34, 0.40), 0.32)


def _studio(c: Canvas) -> None:
    tone = float(c.rng.uniform(0.84, 0.92))
    c.gradient((tone, tone, tone), (tone + 0.06, tone + 0.06, tone + 0.06), 1.0, -0.3)
    c.below(c.horizon - 0.1, (tone - 0.02, tone - 0.02, tone - 0.02), (tone - 0.12, tone - 0.12, tone - 0.12))


PAINTERS: Final[dict[Place, Callable[[Canvas], None]]] = {
    "beach": _beach,
    "city": _city,
    "desert": _desert,
    "forest": _forest,
    "grass": _grass,
    "library": _library,
    "mountains": _mountains,
    "room": _room,
    "sea": _sea,
    "snow": _snow,
    "space": _space,
    "studio": _studio,
}
"""One function per place; a new one is a function here and a name in `Place`."""


def backdrop(place: Place, height: int, width: int, layout: int, horizon: float) -> Array:
    """The place with nobody in it: RGB (H, W, 3) in [0, 1]."""
    canvas = Canvas(height, width, layout, horizon)
    PAINTERS[place](canvas)
    return np.clip(canvas.rgb, 0, 1)
