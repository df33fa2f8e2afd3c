"""Solids under an orthographic camera: where a ray along z meets them, in closed form.

Camera axes: x to the right, y up, z towards the eye; the nearest point is the one with the largest z. A shape lives in
its own axes; `rotation` (3, 3) turns those into camera axes and `centre` (3,) moves them.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
MISS = np.float32(-1e9)
"""Depth where a ray does not meet the shape."""


class Solid(Protocol):
    """A convex solid in its own axes; `ray` is (origin (3, n), direction (3,))."""

    def enter(self, origin: Array, direction: Array) -> Array:
        """Parameter t of the hit nearest the eye (the largest), `MISS` where there is none. Shape (n,)."""
        ...

    def normal(self, point: Array) -> Array:
        """Outward normal, not normalised, at surface points (3, n)."""
        ...

    def radius(self) -> float:
        """Radius of a ball around the origin that holds the solid."""
        ...


@dataclass(frozen=True)
class Ellipsoid:
    """Semi-axes along x, y, z."""

    axes: tuple[float, float, float]

    def enter(self, origin: Array, direction: Array) -> Array:
        scale = (1 / np.asarray(self.axes, np.float32))[:, None]
        o, d = origin * scale, direction[:, None] * scale
        a = np.float32((d * d).sum())
        b = (o * d).sum(0)
        root = b * b - a * ((o * o).sum(0) - 1)
        return np.where(root > 0, (np.sqrt(np.maximum(root, 0)) - b) / a, MISS)

    def normal(self, point: Array) -> Array:
        return point / (np.asarray(self.axes, np.float32) ** 2)[:, None]

    def radius(self) -> float:
        return max(self.axes)


@dataclass(frozen=True)
class Box:
    """Half sides along x, y, z."""

    half: tuple[float, float, float]

    def enter(self, origin: Array, direction: Array) -> Array:
        half = np.asarray(self.half, np.float32)[:, None]
        d = np.where(np.abs(direction) < 1e-6, np.float32(1e-6), direction)[:, None]
        near, far = (-half - origin) / d, (half - origin) / d
        leave, come = np.maximum(near, far).min(0), np.minimum(near, far).max(0)
        return np.where(leave > come, leave, MISS)

    def normal(self, point: Array) -> Array:
        relative = point / np.asarray(self.half, np.float32)[:, None]
        face = np.abs(relative).argmax(0)
        out = np.zeros_like(point)
        columns = np.arange(point.shape[1])
        out[face, columns] = np.sign(relative[face, columns])
        return out

    def radius(self) -> float:
        return float(np.linalg.norm(self.half))


@dataclass(frozen=True)
class Frustum:
    """A cone, cylinder or ring standing on y = 0: radius `base` there, `top` at y = `height`, flat caps."""

    base: float
    top: float
    height: float

    def enter(self, origin: Array, direction: Array) -> Array:
        side = self._side(origin, direction)
        return np.maximum(side, np.maximum(self._cap(origin, direction, 0.0), self._cap(origin, direction, 1.0)))

    def _side(self, o: Array, d: Array) -> Array:
        slope = (self.top - self.base) / self.height
        r = self.base + slope * o[1]
        a = d[0] ** 2 + d[2] ** 2 - (slope * d[1]) ** 2
        a = a if abs(a) > 1e-6 else np.float32(1e-6)
        b = o[0] * d[0] + o[2] * d[2] - slope * r * d[1]
        root = b * b - a * (o[0] ** 2 + o[2] ** 2 - r * r)
        spread = np.sqrt(np.maximum(root, 0)) / abs(a)
        best = np.full_like(b, MISS)
        for t in (-b / a - spread, -b / a + spread):
            y = o[1] + t * d[1]
            best = np.where((root > 0) & (y >= 0) & (y <= self.height), t, best)
        return np.asarray(best)

    def _cap(self, o: Array, d: Array, share: float) -> Array:
        reach = self.base + (self.top - self.base) * share
        if abs(d[1]) < 1e-6 or reach <= 0:
            return np.full_like(o[0], MISS)
        t = (self.height * share - o[1]) / d[1]
        inside = (o[0] + t * d[0]) ** 2 + (o[2] + t * d[2]) ** 2 <= reach**2
        return np.where(inside, t, MISS)

    def normal(self, point: Array) -> Array:
        slope = (self.base - self.top) / self.height
        out = point.copy()
        out[1] = slope * np.hypot(point[0], point[2])
        edge = 1e-3 * self.height
        low, high = point[1] < edge, point[1] > self.height - edge
        out[:, low] = np.asarray([[0], [-1], [0]], np.float32)
        out[:, high] = np.asarray([[0], [1], [0]], np.float32)
        return out

    def radius(self) -> float:
        return float(np.hypot(max(self.base, self.top), self.height))


def turn(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Rotation (3, 3): roll about z, then pitch about x, then yaw about y. Degrees."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    return (np.asarray(about_y) @ np.asarray(about_x) @ np.asarray(about_z)).astype(np.float32)
