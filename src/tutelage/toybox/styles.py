"""Styles: the whole picture drawn another way, structure kept. All lengths are shares of the short side."""

import numpy as np
from PIL import Image
from scipy import ndimage

from tutelage.toybox.scene import Style
from tutelage.toybox.shapes import Array

REACH: dict[Style, float] = {
    "photo": 0.0,
    "pencil sketch": 0.04,
    "watercolour": 0.07,
    "pixel art": 0.04,
    "cartoon": 0.03,
}
"""How far a change can be felt in a style, as a share of the short side."""

_LUMA = np.asarray((0.30, 0.59, 0.11), np.float32)


def draw(rgb: Array, style: Style, layout: int) -> Array:
    """`rgb` (H, W, 3) in [0, 1] in a style; `layout` seeds paper and brush."""
    painters = {"pencil sketch": _pencil, "watercolour": _watercolour, "pixel art": _pixels, "cartoon": _cartoon}
    return np.clip(painters[style](rgb, np.random.default_rng([layout, 2])), 0, 1) if style in painters else rgb


def _blur(rgb: Array, sigma: float) -> Array:
    spread = (sigma, sigma, 0) if rgb.ndim == 3 else (sigma, sigma)
    return np.asarray(ndimage.gaussian_filter(rgb, spread, truncate=2.5))


def _edges(rgb: Array) -> Array:
    """Strength of the edges (H, W), colour edges too."""
    down, across = (np.abs(np.diff(rgb, axis=axis, append=rgb.take([-1], axis))).max(-1) for axis in (0, 1))
    return np.asarray(np.maximum(down, across))


def _grain(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> Array:
    """Smooth noise (H, W) in [-1, 1] with about `cells` bumps along the short side."""
    height, width = shape
    coarse = rng.uniform(-1, 1, (2 * cells + 1, 2 * cells + 1)).astype(np.float32)
    scale = cells / min(height, width)
    window = Image.fromarray(coarse).transform(
        (width, height), Image.Transform.AFFINE, (scale, 0, 0, 0, scale, 0), Image.Resampling.BILINEAR
    )
    return np.asarray(window)


def _pencil(rgb: Array, rng: np.random.Generator) -> Array:
    """Dark outlines and slanted hatching on paper, a breath of the colours kept."""
    height, width = rgb.shape[:2]
    short = min(height, width)
    luma = rgb @ _LUMA
    slant = np.mod((np.arange(height)[:, None] + np.arange(width)[None, :]) / short * 26, 1.0)
    hatch = (slant < 0.35) * np.clip(0.75 - luma, 0, 1) * 0.55
    lines = np.clip(_edges(_blur(rgb, short / 256)) * 3.2, 0, 1) * 0.85
    faint = 0.52 + 0.44 * luma[..., None] + 0.42 * (rgb - luma[..., None])
    return np.asarray(faint - hatch[..., None] - lines[..., None])


def _watercolour(rgb: Array, rng: np.random.Generator) -> Array:
    """Soft pale washes with dark rims on rough paper."""
    short = min(rgb.shape[:2])
    wash = _blur(rgb, short / 110)
    rim = np.clip(np.abs(wash - _blur(rgb, short / 50)).max(-1) * 2.0, 0, 0.25)
    paper = _grain(rng, rgb.shape[:2], 48) * 0.035 + _grain(rng, rgb.shape[:2], 6) * 0.05
    return np.asarray(0.20 + 0.80 * wash + (paper - rim * 0.6)[..., None])


def _pixels(rgb: Array, rng: np.random.Generator) -> Array:
    """Square blocks, 32 along the short side, eight levels a channel."""
    height, width = rgb.shape[:2]
    block = max(min(height, width) // 32, 1)
    rows, columns = -(-height // block), -(-width // block)
    padded = np.pad(rgb, ((0, rows * block - height), (0, columns * block - width), (0, 0)), "edge")
    small = padded.reshape(rows, block, columns, block, 3).mean((1, 3))
    levels = np.round(small * 7) / 7
    return np.asarray(levels.repeat(block, 0).repeat(block, 1)[:height, :width])


def _cartoon(rgb: Array, rng: np.random.Generator) -> Array:
    """Flat tones, strong colours, black outlines."""
    short = min(rgb.shape[:2])
    luma = (rgb @ _LUMA)[..., None]
    vivid = np.clip(luma + 1.35 * (rgb - luma), 0, 1)
    tone = np.maximum(vivid.max(-1, keepdims=True), 1e-3)
    flat = vivid / tone * (np.ceil(tone * 4) / 4)
    lines = np.clip(_edges(_blur(rgb, short / 200)) * 5.0 - 0.35, 0, 1)
    return np.asarray(flat * (1 - ndimage.grey_dilation(lines, 2)[..., None]))
