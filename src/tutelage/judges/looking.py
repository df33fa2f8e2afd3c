"""The pictures of triplets, each looked at once however many triplets show it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tutelage.errors import BadInput
from tutelage.triplet import Picture, Triplet

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from torch import Tensor

    from tutelage.diffusion.features import PictureFeatures


class Seen:
    """Features of the targets and references of some triplets, and which pictures could not be read."""

    def __init__(self, triplets: Sequence[Triplet], features: "PictureFeatures", batch: int) -> None:
        self._features: dict[str, Tensor] = {}
        self._faults: dict[str, str] = {}
        every = {picture.key: picture for triplet in triplets for picture in _pictures(triplet)}
        keys = list(every)
        for first in range(0, len(keys), batch):  # a batch of decoded pictures in memory at a time
            self._look([every[key] for key in keys[first : first + batch]], features, batch)

    def _look(self, pictures: Sequence[Picture], features: "PictureFeatures", batch: int) -> None:
        from tutelage.diffusion.pictures import decode

        images = {}
        for picture in pictures:
            try:
                images[picture.key] = decode(picture.data)
            except BadInput as fault:
                self._faults[picture.key] = str(fault)
        self._features.update(zip(images, features.pictures(list(images.values()), batch), strict=True))

    def target(self, triplet: Triplet) -> "Tensor":
        """Unit feature (D,) of the target."""
        return self._features[_target(triplet).key]

    def references(self, triplet: Triplet) -> "Tensor":
        """Unit features (K, D) of the references."""
        import torch

        return torch.stack([self._features[reference.picture.key] for reference in triplet.references])

    def fault(self, triplet: Triplet) -> str:
        """Why the triplet cannot be judged; empty if it can."""
        if not triplet.references:
            return "no references to compare with"
        names = ["target", *(f"reference {number}" for number in range(len(triplet.references)))]
        faults = zip(names, (self._faults.get(picture.key) for picture in _pictures(triplet)), strict=True)
        return next((f"{name}: {fault}" for name, fault in faults if fault), "")


def check_batch(batch: int) -> None:
    """Refuse a batch that holds nothing."""
    if batch < 1:
        raise BadInput(f"a judge's batch is {batch}; give at least 1")


def _pictures(triplet: Triplet) -> Iterator[Picture]:
    yield _target(triplet)
    yield from (reference.picture for reference in triplet.references)


def _target(triplet: Triplet) -> Picture:
    return Picture(data=triplet.target)
