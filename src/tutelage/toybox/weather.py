"""Environments: light and weather laid over a finished picture. Each pixel changes on its own, so structure stays."""

import numpy as np

from tutelage.toybox.scene import Environment
from tutelage.toybox.shapes import Array


def weather(rgb: Array, environment: Environment, layout: int) -> Array:
    """`rgb` (H, W, 3) in [0, 1] under an environment; `layout` seeds where drops and flakes are."""
    height, width = rgb.shape[:2]
    unit = min(height, width) / 2
    rng = np.random.default_rng([layout, 1])
    if environment == "night":
        return rgb * np.asarray((0.48, 0.52, 0.72), np.float32) + np.asarray((0.0, 0.0, 0.05), np.float32)
    if environment == "sunset":
        glow = np.linspace(1.0, 0.55, height, dtype=np.float32)[:, None, None]
        warm = rgb * np.asarray((1.0, 0.84, 0.70), np.float32)
        return np.asarray(np.clip(warm + glow * np.asarray((0.20, 0.055, -0.06), np.float32), 0, 1))
    if environment == "rain":
        grey = rgb * np.float32(0.68) + np.asarray((0.10, 0.12, 0.15), np.float32)
        return np.where(_rain(height, width, unit, rng)[..., None], grey * 0.45 + 0.5, grey)
    if environment == "snowfall":
        pale = rgb * np.float32(0.84) + np.float32(0.13)
        return np.where(_flakes(height, width, unit, rng)[..., None], np.float32(0.98), pale)
    return rgb


def _rain(height: int, width: int, unit: float, rng: np.random.Generator) -> Array:
    """Slanted streaks on a grid of cells, each cell's phase drawn by column."""
    x = np.arange(width)[None, :] / unit - np.arange(height)[:, None] / unit * -0.35
    lane = np.floor(x / 0.085).astype(int)
    phase = rng.random(4096)[lane % 4096]
    down = np.arange(height)[:, None] / unit
    streak = np.mod(down / 0.5 + phase * 7.3, 1.0) < 0.42
    return np.asarray(streak & (np.mod(x / 0.085, 1.0) < 0.22))


def _flakes(height: int, width: int, unit: float, rng: np.random.Generator) -> Array:
    """One round flake per cell of a grid, at a drawn spot of the cell."""
    cell = 0.17
    row, column = np.arange(height)[:, None] / unit / cell, np.arange(width)[None, :] / unit / cell
    pick = (np.floor(row).astype(int) * 61 + np.floor(column).astype(int)) % 4096
    spot = rng.uniform(0.25, 0.75, (4096, 2))[pick]
    size = rng.uniform(0.10, 0.2, 4096)[pick]
    return np.asarray((np.mod(row, 1) - spot[..., 0]) ** 2 + (np.mod(column, 1) - spot[..., 1]) ** 2 < size**2)
