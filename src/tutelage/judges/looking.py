"""The pictures of triplets, each looked at once however many triplets show it and however many judges ask."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from tutelage.errors import BadInput
from tutelage.judges.base import NO_REFERENCES
from tutelage.triplet import Picture, Triplet

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from PIL.Image import Image
    from torch import Tensor

DECODED: Final = 64_000_000
"""Pixels of decoded pictures that are kept for the next judge: some 200 MB, a fleet's at 512 × 512."""


@dataclass
class Memory:
    """What the judges before have seen."""

    seen: "dict[tuple[int, str], Tensor]" = field(default_factory=dict)
    """Identity of who looked, and key of the picture → what was seen."""
    decoded: "dict[str, Image]" = field(default_factory=dict)
    """Key of the picture → its pixels."""
    room: int = DECODED
    """Pixels that may be kept yet."""

    def keep(self, key: str, image: "Image") -> None:
        """Remember a decoded picture, if there is room."""
        size = image.width * image.height
        if size <= self.room:
            self.decoded[key] = image
            self.room -= size


_MEMORY: Final[ContextVar[Memory | None]] = ContextVar("memory", default=None)


class Looks(Protocol):
    """Something that looks at pictures, such as `diffusion.features.PictureFeatures`."""

    def pictures(self, images: "Sequence[Image]", batch: int) -> "Tensor":
        """What it sees (N, …) in RGB pictures, so many looked at at once."""
        ...


@contextmanager
def remembering() -> Iterator[None]:
    """Inside, what one judge has seen the others need not look at again, if they look with the same network; with
    another one they need not decode it again.

    Meant for the pictures of one batch of triplets: nothing is forgotten before the end.
    """
    token = _MEMORY.set(Memory())
    try:
        yield
    finally:
        _MEMORY.reset(token)


class Seen:
    """What was seen in the targets and references of some triplets, and which pictures could not be read."""

    def __init__(self, triplets: Sequence[Triplet], looks: Looks, batch: int, *, targets_only: bool = False) -> None:
        """Of `triplets`, by `looks`, `batch` pictures at once; with `targets_only` references are not looked at."""
        self._looks, self._targets_only = looks, targets_only
        self._features: dict[str, Tensor] = {}
        self._faults: dict[str, str] = {}
        every = {picture.key: picture for triplet in triplets for picture in self._pictures(triplet)}
        self._recall(list(every))
        keys = [key for key in every if key not in self._features]
        for first in range(0, len(keys), batch):  # a batch of decoded pictures in memory at a time
            self._look([every[key] for key in keys[first : first + batch]], batch)
        self._remember()

    def _recall(self, keys: Sequence[str]) -> None:
        memory = _MEMORY.get() or Memory()
        found = {key: memory.seen.get((id(self._looks), key)) for key in keys}
        self._features.update({key: seen for key, seen in found.items() if seen is not None})

    def _remember(self) -> None:
        memory = _MEMORY.get()
        if memory is not None:
            memory.seen.update({(id(self._looks), key): seen for key, seen in self._features.items()})

    def _look(self, pictures: Sequence[Picture], batch: int) -> None:
        images = {}
        for picture in pictures:
            try:
                images[picture.key] = _decoded(picture)
            except BadInput as fault:
                self._faults[picture.key] = str(fault)
        self._features.update(zip(images, self._looks.pictures(list(images.values()), batch), strict=True))

    def target(self, triplet: Triplet) -> "Tensor":
        """What was seen in the target; a unit feature (D,) if a network of features looked."""
        return self._features[_target(triplet).key]

    def references(self, triplet: Triplet) -> "Tensor":
        """What was seen in the references, stacked: unit features (K, D)."""
        import torch

        return torch.stack([self._features[reference.picture.key] for reference in triplet.references])

    def fault(self, triplet: Triplet) -> str:
        """Why the triplet cannot be judged; empty if it can."""
        if not triplet.references:
            return NO_REFERENCES
        faults = (self._faults.get(picture.key) for picture in self._pictures(triplet))
        named = zip(["target", *numbered(triplet)], faults, strict=False)
        return next((f"{name}: {fault}" for name, fault in named if fault), "")

    def _pictures(self, triplet: Triplet) -> list[Picture]:
        return pictures_of(triplet)[: 1 if self._targets_only else None]


def _decoded(picture: Picture) -> "Image":
    """Its pixels, remembered or not.

    Raises:
        BadInput: it is no picture.
    """
    from tutelage.diffusion.pictures import decode

    memory = _MEMORY.get() or Memory()
    image = memory.decoded.get(picture.key)
    if image is None:
        image = decode(picture.data)
        memory.keep(picture.key, image)
    return image


def check_batch(batch: int) -> None:
    """Refuse a batch that holds nothing."""
    if batch < 1:
        raise BadInput(f"a judge's batch is {batch}; give at least 1")


def pictures_of(triplet: Triplet) -> list[Picture]:
    """The target, then the references."""
    return [_target(triplet), *(reference.picture for reference in triplet.references)]


def numbered(triplet: Triplet) -> list[str]:
    """What reasons call the references."""
    return [f"reference {number}" for number in range(len(triplet.references))]


def _target(triplet: Triplet) -> Picture:
    return Picture(data=triplet.target)
