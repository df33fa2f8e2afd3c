"""The contract of a student, and what it learns from and answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import torch
from PIL.Image import Image
from torch import Tensor, nn

from tutelage.diffusion.text import TextConditions
from tutelage.students.guidance import Guidance
from tutelage.triplet import Reference, Triplet

if TYPE_CHECKING:  # it imports this
    from tutelage.students.examples import Example


@dataclass(frozen=True, kw_only=True)
class References:
    """Encoded references of B items, up to K each."""

    latents: Tensor
    """(B, K, C, h, w), clean, as the denoiser knows them; anything finite where none is present."""
    captions: TextConditions
    """B · K rows: those of the first item, then those of the second, …"""
    present: Tensor
    """(B, K), bool: which of them exist."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """B examples and all the random numbers of one training step; see `examples.make_batch`."""

    latents: Tensor
    """(B, C, h, w): the targets, clean, as the denoiser knows them."""
    text: TextConditions
    """B rows."""
    references: References
    drop_text: Tensor
    """(B,), bool."""
    drop_references: Tensor
    """(B,), bool."""
    timesteps: Tensor
    """(B,), int64."""
    noise: Tensor
    """(B, C, h, w), standard normal."""

    def to(self, device: torch.device | str) -> "Batch":
        """The same on another device."""
        moved: Batch = _moved(self, device)
        return moved


def _moved(value: Any, device: torch.device | str) -> Any:
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if value is None:
        return None
    return type(value)(**{field.name: _moved(getattr(value, field.name), device) for field in fields(value)})


@dataclass(frozen=True, kw_only=True)
class Request:
    """A picture to be drawn."""

    text: str
    references: tuple[Reference, ...] = ()
    seed: int
    """In [0, 2**63), of its noise; see `diffusion.sample.image_seed`."""


class Student(Protocol):
    """Learns from batches and draws on request."""

    def loss(self, batch: Batch) -> Tensor:
        """Mean loss, a scalar with gradients; every random number it needs is in the batch."""

    def generate(
        self,
        requests: Sequence[Request],
        *,
        steps: int,
        guidance: Guidance,
        size: tuple[int, int] | None = None,
        batch: int = 8,
    ) -> Iterator[list[Image]]:
        """Yield the pictures in order, `batch` at a time; each depends on its own request alone.

        Args:
            requests: what to draw.
            steps: denoising steps, at least 1.
            guidance: how strictly to follow text and references.
            size: (height, width) in pixels; None for what the model was trained at.
            batch: pictures handed over at once.

        Raises:
            BadInput: a number is out of range, a reference cannot be read, or the size does not fit the model.
        """


class Encodes(Protocol):
    """Turns triplets into what a student learns from."""

    @property
    def sizes(self) -> Sequence[tuple[int, int]]:
        """Every (height, width) in pixels at which examples may be."""

    def bucket(self, size: tuple[int, int]) -> tuple[int, int]:
        """Which of them a triplet is learnt at whose target has that (height, width)."""

    def example(self, triplet: Triplet) -> "Example":
        """Encode a triplet.

        Raises:
            BadInput: a picture cannot be read, or the triplet is of no use to the student.
        """


class Learner(Student, Protocol):
    """A student that can be begun, trained and kept."""

    pipeline: Any
    """The base's, of diffusers."""
    network: nn.Module
    """All that learns; what does not learn takes no gradients."""
    called: nn.Module
    """What `loss` calls: the network, or what a trainer made of it, such as the answer of accelerate's `prepare`."""

    @classmethod
    def from_base(cls, pipeline: Any, shape: Any, training: Any = None, *, seed: int = 0) -> Self:
        """One that has learned nothing yet and says what its base says; shape and training are its own settings.

        Raises:
            BadInput: the base is of another kind, or the shape does not fit it.
        """

    @classmethod
    def load(cls, model: str | Path, device: str = "auto", dtype: str = "auto", training: Any = None) -> Self:
        """One from a folder that `save` wrote, or from the Hub id of such a folder.

        Raises:
            BadInput: the device is absent, or the folder is missing, incomplete, corrupt or of another kind.
        """

    def save(self, folder: Path, dtype: str = "fp32") -> None:
        """Write a pipeline folder of diffusers, whole or not at all.

        Raises:
            BadInput: there is something at `folder`.
        """

    def encoder(self) -> Encodes:
        """What encodes its examples."""
