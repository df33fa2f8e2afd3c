"""What can be said of one picture, whoever made it; and the measure that benches of photographs have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Protocol

import numpy as np
from PIL import Image

from tutelage.benches.dreambench.items import Item, Subject
from tutelage.benches.dreambench.look import Floats, Look, digest
from tutelage.diffusion.pictures import decode

Told = Mapping[str, Any]
"""What a measure says of a picture, as JSON can hold it; see each."""


class Measure(Protocol):
    """Something that looks at pictures one by one."""

    @property
    def name(self) -> str:
        """Unique in a bench; its findings are kept under it."""
        ...

    def key(self, item: Item) -> str:
        """Hash of all that its finding about a picture of this item depends on, but for the picture."""
        ...

    def measure(self, items: Sequence[Item], pictures: Sequence[Image.Image]) -> Sequence[Told]:
        """A finding about each picture (RGB)."""
        ...


@dataclass(frozen=True)
class Comparing:
    """Cosines of a picture with its subject's photos and, by a network that reads, with its prompt.

    Finds `photos`, a list of floats, a photo each; and `text`, a float or None.
    """

    look: Look

    @property
    def name(self) -> str:
        """The network's."""
        return self.look.name

    def key(self, item: Item) -> str:
        """Weights, preprocessing, photos and text."""
        return digest(self.look.key, _photo_keys(item.subject), item.prompt.text if self.look.text_name else "")

    def measure(self, items: Sequence[Item], pictures: Sequence[Image.Image]) -> list[Told]:
        """See `Measure`."""
        pairs = zip(items, self.look.pictures(pictures), strict=True)
        return [{"photos": self._alike(item, feature), "text": self._said(item, feature)} for item, feature in pairs]

    def pairs(self, subject: Subject) -> list[float]:
        """Cosines of each two different photos of a subject."""
        seen = self.photos(subject)
        return [float(cosine) for cosine in (seen @ seen.T)[np.triu_indices(len(seen), 1)]]

    def photos(self, subject: Subject) -> Floats:
        """Unit features (n, D) of a subject's photos."""
        if subject.name not in self._seen:
            self._seen[subject.name] = self.look.pictures(photos_of(subject))
        return self._seen[subject.name]

    def text(self, sentence: str) -> Floats:
        """Unit feature (D,) of a sentence."""
        if sentence not in self._read:
            self._read[sentence] = self.look.texts([sentence])[0]
        return self._read[sentence]

    def _alike(self, item: Item, feature: Floats) -> list[float]:
        return [float(cosine) for cosine in self.photos(item.subject) @ feature]

    def _said(self, item: Item, feature: Floats) -> float | None:
        return float(self.text(item.prompt.text) @ feature) if self.look.text_name else None

    @cached_property
    def _seen(self) -> dict[str, Floats]:
        return {}

    @cached_property
    def _read(self) -> dict[str, Floats]:
        return {}


def photos_of(subject: Subject) -> list[Image.Image]:
    """A subject's photos, RGB.

    Raises:
        BadInput: one is no picture.
    """
    return [decode(data, str(path)) for data, path in zip(subject.data, subject.photos, strict=True)]


@cache
def _photo_keys(subject: Subject) -> str:
    return digest(*(digest(data) for data in subject.data))
