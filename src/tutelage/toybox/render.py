"""Scene → picture: ray-casts the toy over its backdrop, then light, weather and style.

Everything is drawn at twice the size and averaged, and depends on the scene alone. Each solid is only traced inside the
square its bounding ball covers, and only visible points are painted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tutelage.errors import BadInput
from tutelage.toybox.accessories import worn
from tutelage.toybox.anatomy import GROUND, LABELS, Part, parts
from tutelage.toybox.backdrop import backdrop
from tutelage.toybox.scene import Scene, View
from tutelage.toybox.shapes import MISS, Array, turn
from tutelage.toybox.styles import REACH, draw
from tutelage.toybox.weather import weather

Size = int | tuple[int, int]
"""Side of a square, or (height, width), in pixels."""

OVERSAMPLING = 2
YAW: dict[View, float] = {"front": 0.0, "left": 62.0, "right": -62.0, "back": 180.0, "top": 0.0}
LIGHT = np.asarray((-0.45, 0.70, 0.56), np.float32)
SMALLEST, LARGEST = 16, 2048


@dataclass(frozen=True)
class Camera:
    """Orthographic: where a toy's axes go and how large a unit is on the (oversampled) frame."""

    height: int
    width: int
    rotation: Array
    x: float
    scale: float
    """Pixels per toy unit."""

    def project(self, point: Array) -> Array:
        """Toy coordinates (3,) → (column, row, depth), the depth in toy units towards the eye."""
        u, v, depth = self.rotation @ point
        short = min(self.height, self.width) / 2
        return np.asarray(
            (self.width / 2 + self.x * short + u * self.scale, self.height / 2 + 0.06 * short - v * self.scale, depth),
            np.float32,
        )


def render(scene: Scene, size: Size = 128) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """RGB (H, W, 3) and the mask (H, W) of the toy with all it wears, at `size`.

    Raises:
        BadInput: a side is not within 16 to 2048 pixels or the frame is longer than 2:1.
    """
    rgb, labels = render_labels(scene, size)
    return rgb, labels > 0


def render_labels(scene: Scene, size: Size = 128) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """As `render`, but with a label map (H, W): each pixel the index in `LABELS` of what fills most of it."""
    height, width = frame_size(size)
    rgb, fine = _picture(scene, height * OVERSAMPLING, width * OVERSAMPLING)
    small = rgb.reshape(height, OVERSAMPLING, width, OVERSAMPLING, 3).mean((1, 3))
    small = draw(weather(small, scene.environment, scene.layout), scene.style, scene.layout)
    return (small * 255 + 0.5).astype(np.uint8), _majority(fine, height, width)


def footprint(scene: Scene, labels: frozenset[str] | None, size: Size = 128) -> NDArray[np.bool_]:
    """Every pixel (H, W) that some part with one of `labels` (all, and the shadow, if None) can have touched.

    Wider than the mask by partly covered pixels and by how far the style carries a change.
    """
    height, width = frame_size(size)
    fine = _trace(scene, _camera(scene, height * OVERSAMPLING, width * OVERSAMPLING))[0]
    if labels is None:
        touched = (fine > 0) | (_shadow(scene, *fine.shape) < 1)
    else:
        touched = np.isin(fine, [LABELS.index(label) for label in labels])
    grid = touched.reshape(height, OVERSAMPLING, width, OVERSAMPLING).any((1, 3))
    reach = int(np.ceil(REACH[scene.style] * min(height, width)))
    return np.asarray(ndimage.maximum_filter(grid, 2 * reach + 1)) if reach else np.asarray(grid)


def frame_size(size: Size) -> tuple[int, int]:
    """(height, width) of a size, checked."""
    height, width = (size, size) if isinstance(size, int) else size
    if not (min(height, width) >= SMALLEST and max(height, width) <= LARGEST):
        raise BadInput(f"size {width}x{height}: sides must be {SMALLEST} to {LARGEST} pixels; choose e.g. 128")
    if max(height, width) > 2 * min(height, width):
        raise BadInput(f"size {width}x{height}: the frame may be at most twice as long as wide; choose e.g. 256x128")
    return height, width


def _camera(scene: Scene, height: int, width: int) -> Camera:
    pitch = 52.0 if scene.view == "top" else 12.0
    rotation = turn(pitch=pitch) @ turn(yaw=YAW[scene.view])
    return Camera(height, width, rotation, scene.x, scene.scale * min(height, width) / 2)


def _picture(scene: Scene, height: int, width: int) -> tuple[Array, NDArray[np.uint8]]:
    horizon = 0.62 if scene.view == "top" else -0.30
    rgb = backdrop(scene.place, height, width, scene.layout, horizon)
    if scene.subject is None:
        return rgb, np.zeros((height, width), np.uint8)
    rgb *= _shadow(scene, height, width)[..., None]
    camera = _camera(scene, height, width)
    labels, owner, solids = _trace(scene, camera)
    for index, part in enumerate(solids):
        _paint(rgb, owner, index, part, camera)
    return rgb, labels


def _trace(scene: Scene, camera: Camera) -> tuple[NDArray[np.uint8], NDArray[np.int16], list[Part]]:
    """Label map and index of the nearest part for every pixel of the fine frame."""
    owner = np.full((camera.height, camera.width), -1, np.int16)
    labels = np.zeros(owner.shape, np.uint8)
    if scene.subject is None:
        return labels, owner, []
    solids = [*parts(scene.subject, scene.expression, scene.accessory), *worn(scene.subject, scene.accessory)]
    depth = np.full(owner.shape, MISS, np.float32)
    for index, part in enumerate(solids):
        _cast(depth, owner, index, part, camera)
    numbers = np.asarray([LABELS.index(part.label) for part in solids] + [0], np.uint8)
    return numbers[owner], owner, solids


def _cast(depth: Array, owner: NDArray[np.int16], index: int, part: Part, camera: Camera) -> None:
    """Put one part into the depth buffer, inside its bounding square."""
    column, row, near = camera.project(np.asarray(part.centre, np.float32))
    reach = part.solid.radius() * camera.scale + 1
    rows = slice(max(int(row - reach), 0), max(min(int(row + reach) + 1, camera.height), 0))
    columns = slice(max(int(column - reach), 0), max(min(int(column + reach) + 1, camera.width), 0))
    window = depth[rows, columns]
    if window.size == 0:
        return
    origin, direction = _rays(part, camera, rows, columns, (column, row))
    hit = part.solid.enter(origin, direction).reshape(window.shape)
    closer = (hit > MISS / 2) & (hit + near > window)
    window[closer] = (hit + near)[closer]
    owner[rows, columns][closer] = index


def _rays(part: Part, camera: Camera, rows: slice, columns: slice, centre: tuple[float, float]) -> tuple[Array, Array]:
    """Ray origins (3, n), at the part's own depth, and their common direction (3,), in the part's axes."""
    inverse = (camera.rotation @ part.rotation).T
    u = ((np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5 - centre[0]) / camera.scale)[None, :]
    v = ((centre[1] - np.arange(rows.start, rows.stop, dtype=np.float32) - 0.5) / camera.scale)[:, None]
    origin = inverse[:, 0, None, None] * u + inverse[:, 1, None, None] * v
    return origin.reshape(3, -1).astype(np.float32), inverse[:, 2].astype(np.float32)


def _paint(rgb: Array, owner: NDArray[np.int16], index: int, part: Part, camera: Camera) -> None:
    """Colour and light the visible points of one part."""
    row, column = np.nonzero(owner == index)
    if row.size == 0:
        return
    centre = camera.project(np.asarray(part.centre, np.float32))
    inverse = (camera.rotation @ part.rotation).T
    u, v = (column + 0.5 - centre[0]) / camera.scale, (centre[1] - row - 0.5) / camera.scale
    origin = (inverse[:, :1] * u + inverse[:, 1:2] * v).astype(np.float32)
    point = origin + inverse[:, 2:] * part.solid.enter(origin, inverse[:, 2])
    normal = inverse.T @ part.solid.normal(point)
    normal /= np.linalg.norm(normal, axis=0) + 1e-9
    rgb[row, column] = _lit(part.paint(point), normal.astype(np.float32)).T


def _lit(colour: Array, normal: Array) -> Array:
    """Soft key light from the upper left, a fill from the eye, and a small highlight. (3, n) → (3, n)."""
    light = LIGHT / np.linalg.norm(LIGHT)
    key = np.clip(light @ normal, 0, 1)
    half = light + np.asarray((0, 0, 1), np.float32)
    shine = np.clip(half / np.linalg.norm(half) @ normal, 0, 1) ** 28
    shade = 0.50 + 0.42 * key + 0.14 * np.clip(normal[2], 0, 1)
    return np.asarray(np.clip(colour * shade + 0.22 * shine, 0, 1))


def _shadow(scene: Scene, height: int, width: int) -> Array:
    """Share of the light that reaches the floor (H, W): a soft ellipse under the toy is darker."""
    camera = _camera(scene, height, width)
    column, row, _ = camera.project(np.asarray((0, GROUND, 0), np.float32))
    tilt = abs(float(camera.rotation[2, 1]))
    reach = 0.46 * camera.scale
    dx = ((np.arange(width, dtype=np.float32) + 0.5 - column) / reach)[None, :]
    dy = ((np.arange(height, dtype=np.float32) + 0.5 - row) / (reach * max(tilt, 0.2)))[:, None]
    return np.asarray(1 - 0.45 * np.clip(1.25 - np.sqrt(dx * dx + dy * dy) * 1.25, 0, 1) ** 0.7, np.float32)


def _majority(fine: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Label of most of the samples of each pixel; background wins a tie against parts."""
    blocks = fine.reshape(height, OVERSAMPLING, width, OVERSAMPLING).swapaxes(1, 2).reshape(height, width, -1)
    counts = (blocks[..., None] == blocks[..., None, :]).sum(-1)
    best = np.take_along_axis(blocks, counts.argmax(-1)[..., None], -1)[..., 0]
    half = (blocks > 0).sum(-1) * 2 <= blocks.shape[-1]
    return np.where(half, 0, np.where(best == 0, blocks.max(-1), best)).astype(np.uint8)
