"""Edits of held-out toys whose truth is known, and whether a pair made for one is right by it.

A pair is right if the edit was done (what differs between the two scenes reads as wanted in the target), the rest was
kept (so do the other attributes of `KEPT`), and a source that was made shows what it should. Attributes that the reader
misreads in the true picture are not asked about; if it misreads what was to change, the pair has no mark. Whether
somebody is there is told by the segmenter; whether nobody is, by the pixels of the true empty place, for neither
network knows one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tutelage.benches.editing.memory import remembered, rendered
from tutelage.benches.editing.omniedit import RATIOS
from tutelage.benches.heldout import held_out_scene
from tutelage.diffusion.vision import Picture
from tutelage.errors import BadInput, did_you_mean
from tutelage.toybox.edits import TASKS, Edit, Task, edit_mask, possible_tasks, random_edit
from tutelage.toybox.masks import Segmenter
from tutelage.toybox.oracle import OFF_BY
from tutelage.toybox.reader import Reader, Reading
from tutelage.toybox.render import Size
from tutelage.toybox.scene import Scene, describe

KEPT: Final = ("kind", "scene", "view", "accessory", "environment", "style")
"""What an edit must not change unless it says so: who is where, seen how."""
THERE: Final = 0.5
"""Share of the toy's place from which a toy is there."""
GONE: Final = 1 / 3
"""Share of the toy's place that may differ visibly from the true empty place, if nobody is there."""
BEST: Final = 100.0
"""PSNR of equal pixels."""
TRIES: Final = 1000
"""Scenes looked at for one edit; a tenth of them allows any task."""
_STREAM: Final = 41
"""Word of the random keys."""

Changed = Literal["specialist", "target"]


@dataclass(frozen=True)
class TrueEdit:
    """An edit of a held-out toy, at a size."""

    edit: Edit
    size: Size

    @property
    def shown(self) -> Scene:
        """What a specialist is given a picture of; of an addition the picture with the thing."""
        return self.edit.after if self.edit.task == "addition" else self.edit.before

    @property
    def toy(self) -> bool:
        """Whether somebody comes, goes or is exchanged."""
        before, after = self.edit.before.subject, self.edit.after.subject
        return before is None or after is None or before.kind != after.kind

    def picture(self, scene: Scene) -> Image.Image:
        """The render of a scene."""
        return Image.fromarray(rendered(scene, self.size)[0])


@dataclass(frozen=True, kw_only=True)
class PairReading:
    """What the pictures of a pair read as, beside what they should show."""

    asked: Mapping[str, bool] | None
    """What was to change → whether it has; None if the reader cannot tell from the true picture either."""
    rest: Mapping[str, bool]
    """What was to stay → whether it has."""
    source: bool
    """Whether the picture that the other was made from shows what it should."""
    detail: float
    """Of the picture that was made; see `Side`."""


@dataclass(frozen=True, kw_only=True)
class PairMarks:
    """What is true of a pair; None where it cannot be told."""

    done: bool | None
    kept: bool | None
    source: bool | None
    outside: float | None
    """PSNR in dB outside the pixels that the true edit may touch; only where the given picture is in the pair, and
    where there is an outside."""

    @property
    def right(self) -> bool | None:
        """All of it."""
        told = (self.done, self.kept, self.source)
        return None if None in told else all(told)


def true_edit(task: Task, number: int, side: int, ratio: str = "1:1", seed: int = 0) -> TrueEdit:
    """Edit `number` of a task, on a held-out toy: the same whatever the others are.

    Args:
        task: one of `TASKS`.
        number: from 0.
        side: of a square, in pixels; other ratios have its area.
        ratio: one of `RATIOS`.
        seed: of the bench.

    Raises:
        BadInput: there is no such task or ratio.
    """
    if task not in TASKS:
        raise BadInput(f"no task '{task}'.{did_you_mean(task, TASKS)} There are {', '.join(TASKS)}")
    if ratio not in RATIOS:
        raise BadInput(f"no aspect ratio '{ratio}'; there are {', '.join(RATIOS)}")
    for attempt in range(TRIES):
        scene = held_out_scene(number * TRIES + attempt, seed)
        if scene.subject is None or task not in possible_tasks(scene):
            continue
        edit = random_edit(task, scene, np.random.default_rng([_STREAM, seed, TASKS.index(task), number]))
        return TrueEdit(edit, frame(side, ratio))
    raise BadInput(f"seed {seed} has no scene for {task} number {number}; give another seed")


def frame(side: int, ratio: str) -> tuple[int, int]:
    """(height, width) of an aspect ratio at the area of a square."""
    width = round(side * math.sqrt(RATIOS[ratio]))
    return round(side * side / width), width


@dataclass(frozen=True)
class Side:
    """One picture of a pair, beside the true one."""

    scene: Scene
    """What it should show."""
    true: Reading
    seen: Reading
    """Of the render of the scene, and of the picture."""
    found: float
    """Share of the toy's place at which the segmenter finds a toy in the picture."""
    off: float
    """Share of it at which the picture differs visibly from the render."""
    detail: float
    """How often the picture's fine detail, the mean size of its Laplacian, doubles that of the render where the edit
    may change it: -1 is half of it, as in a blurred picture, 1 twice, as in one with noise."""

    def legible(self, names: Sequence[str]) -> list[str]:
        """Those of the attributes that the reader reads right in the render."""
        wanted = describe(self.scene)
        return [name for name in names if name in wanted and self.true.values[name] == wanted[name]]

    @property
    def there(self) -> bool:
        """Whether the toy is where it should be, if there should be one."""
        return self.scene.subject is None or self.found >= THERE

    def shows(self, names: Sequence[str]) -> dict[str, bool]:
        """Attribute → whether the picture reads as the scene, for those that its render does; nobody has any."""
        wanted = describe(self.scene)
        return {name: self.there and self.seen.values[name] == wanted[name] for name in self.legible(names)}


@dataclass(frozen=True)
class Examiner:
    """Who reads pictures back; many ask about the same edits, whose own pictures are looked at once."""

    reader: Reader
    segmenter: Segmenter
    _read: dict[bytes, Reading] = field(default_factory=dict)
    _toys: dict[bytes, NDArray[np.bool_]] = field(default_factory=dict)

    def marks(
        self,
        truth: TrueEdit,
        source: Image.Image,
        target: Image.Image,
        *,
        given: bool,
        changed: Changed = "specialist",
    ) -> PairMarks:
        """What is true of a pair.

        Args:
            truth: the edit that was asked for.
            source: picture before.
            target: picture after.
            given: whether the source is the picture that was given (or, of an addition, the target).
            changed: which picture was made: the target, or what specialists make, which of an addition is the source.
        """
        told = self.read(truth, source, target, changed=changed)
        return PairMarks(
            done=None if told.asked is None else all(told.asked.values()),
            kept=all(told.rest.values()),
            source=given or told.source,
            outside=_outside(truth, source, target) if given else None,
        )

    def read(
        self, truth: TrueEdit, source: Image.Image, target: Image.Image, *, changed: Changed = "specialist"
    ) -> PairReading:
        """What the pictures of a pair read as; see `marks`."""
        edit, (before, after) = truth.edit, self._sides(truth, source, target)
        backwards = edit.task == "addition" and changed == "specialist"
        made, other = (before, after) if backwards else (after, before)
        names = describe(edit.before).keys() | describe(edit.after).keys()
        new = [name for name in names if describe(edit.before).get(name) != describe(edit.after).get(name)]
        rest = made.shows([name for name in KEPT if name not in new])
        return PairReading(
            asked=_asked(truth, made, new),
            rest=rest if made.scene.subject is None else {"toy": made.there, **rest},
            source=other.there and all(other.shows([*KEPT, *new]).values()),
            detail=made.detail,
        )

    def _sides(self, truth: TrueEdit, source: Image.Image, target: Image.Image) -> tuple[Side, Side]:
        scenes = (truth.edit.before, truth.edit.after)
        renders = [rendered(scene, truth.size) for scene in scenes]
        height, width = renders[0][1].shape
        pictures = [pixels for pixels, _ in renders]
        pictures += [_array(picture.resize((width, height))) for picture in (source, target)]
        readings = remembered(pictures, self._read, self.reader.read)
        toys = remembered(pictures[2:], self._toys, lambda new: self.segmenter.mask(new, "the toy"))
        place = renders[scenes.index(truth.shown)][1]
        region = _region(truth.edit.task, place)
        first, second = (
            Side(
                scene,
                readings[at],
                readings[at + 2],
                found=float(toys[at][mask if mask.any() else place].mean()),
                off=float(_off(pixels, _array(pictures[at + 2]))[place].mean()),
                detail=_fine(_array(pictures[at + 2]), region) - _fine(pixels, region),
            )
            for at, (scene, (pixels, mask)) in enumerate(zip(scenes, renders, strict=True))
        )
        return first, second


def _asked(truth: TrueEdit, made: Side, changed: Sequence[str]) -> dict[str, bool] | None:
    """What was to change → whether it has; None if the reader cannot tell from the true picture either."""
    if made.scene.subject is None:
        return {"toy": made.off <= GONE}
    told = (*KEPT, "body") if truth.toy else changed
    asked = [name for name in changed if name in told and name in describe(made.scene)]
    return made.shows(asked) if asked and len(made.legible(asked)) == len(asked) else None


def _outside(truth: TrueEdit, source: Image.Image, target: Image.Image) -> float | None:
    """None where the edit may touch everything."""
    mask = edit_mask(truth.edit, truth.size)
    if mask.all():
        return None
    if source.size != (mask.shape[1], mask.shape[0]):
        mask = np.asarray(Image.fromarray(mask).resize(source.size, Image.Resampling.NEAREST))
    one, other = (np.asarray(picture, np.float64)[~mask] for picture in (source, target))
    error = float(np.mean((one - other) ** 2))
    return BEST if error == 0 else min(BEST, 20 * math.log10(255) - 10 * math.log10(error))


def _region(task: Task, place: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a task changes a picture (H, W), with the toy at a place: in it, around it or everywhere."""
    if task in ("environment", "style"):
        return np.ones_like(place)
    return ~place if task == "background" else place


def _fine(pixels: NDArray[np.uint8], region: NDArray[np.bool_]) -> float:
    """Binary logarithm of the mean size of the Laplacian of grey levels in [0, 255], and one."""
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float64)
    return math.log2(1 + float(np.abs(ndimage.laplace(grey))[region].mean()))


def _off(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where two pictures (H, W, 3) differ visibly."""
    off: NDArray[np.bool_] = np.abs(one.astype(np.int16) - other).max(-1) > OFF_BY
    return off


def _array(picture: Picture) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = np.asarray(picture.convert("RGB") if isinstance(picture, Image.Image) else picture)
    return found
