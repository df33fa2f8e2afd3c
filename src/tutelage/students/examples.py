"""Triplets → encoded examples, once; encoded examples → batches, at every step."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor

from tutelage.diffusion.latents import encode_pictures, resized
from tutelage.diffusion.noise import keyed_generator
from tutelage.diffusion.pictures import decode
from tutelage.diffusion.sample import picture_size
from tutelage.diffusion.text import TextConditions, encode_text
from tutelage.diffusion.vision import squared
from tutelage.students.base import Batch, References
from tutelage.students.settings import Showing
from tutelage.triplet import Picture, Reference, Triplet


@dataclass(frozen=True, kw_only=True)
class Example:
    """A triplet as the denoiser knows it, in float32 on the CPU."""

    id: str
    latents: Tensor
    """(C, h, w) of the target."""
    text: TextConditions
    """One row."""
    references: Tensor
    """(K, C, h, w)."""
    captions: TextConditions
    """K rows."""


class Encoder:
    """Encodes triplets, and remembers pictures and texts: a subject's are in many of its triplets."""

    def __init__(self, pipeline: Any, most: int = 1 << 15) -> None:
        """Of `most` pictures of each kind, and as many texts, is remembered what they are encoded as."""
        self._target = lru_cache(most)(partial(_encode_target, pipeline))
        self._reference = lru_cache(most)(partial(_encode_reference, pipeline))
        self._text = lru_cache(most)(lambda text: _moved(encode_each(pipeline, [text])))
        self._none = _no_references(pipeline)
        self.sizes = (picture_size(pipeline, None),)

    def bucket(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size that the model was trained at, whatever the target's."""
        return self.sizes[0]

    def example(self, triplet: Triplet) -> Example:
        """Encode a triplet at the size that the model was trained at; a target of other sides is cropped to it.

        Raises:
            BadInput: a picture cannot be read.
        """
        shown = triplet.references
        captions = [self._text(reference.caption) for reference in shown]
        return Example(
            id=triplet.id,
            latents=self._target(triplet.target, triplet.id),
            text=self._text(triplet.text),
            references=torch.cat([self._none, *(self._reference(one.picture) for one in shown)]).cpu(),
            captions=_rows_of(captions) if captions else self._text("").take([]),
        )


def encode_references(pipeline: Any, references: Sequence[Reference]) -> tuple[Tensor, TextConditions]:
    """Latents (K, C, h, w) and captions, K rows, on the pipeline's device.

    Nothing is cut off: a picture that is not square gets its edges drawn out. They are encoded one at a time, so that
    none depends, by rounding, on the others.

    Raises:
        BadInput: a picture cannot be read.
    """
    latents = [_encode_reference(pipeline, reference.picture).to(pipeline.device) for reference in references]
    captions = encode_each(pipeline, [reference.caption for reference in references])
    return torch.cat([_no_references(pipeline).to(pipeline.device), *latents]), captions


def _encode_target(pipeline: Any, data: bytes, name: str) -> Tensor:
    """(C, h, w)."""
    height, width = picture_size(pipeline, None)
    target = ImageOps.fit(decode(data, name), (width, height), Image.Resampling.LANCZOS)
    return encode_pictures(pipeline.vae, [target])[0].cpu()


def _encode_reference(pipeline: Any, picture: Picture) -> Tensor:
    """(1, C, h, w)."""
    side = min(picture_size(pipeline, None))
    fitted = resized(squared(decode(picture.data, picture.url or "a reference"))[0], (side, side))
    return encode_pictures(pipeline.vae, [fitted]).cpu()


def _no_references(pipeline: Any) -> Tensor:
    """(0, C, h, w)."""
    cells = min(picture_size(pipeline, None)) // pipeline.vae_scale_factor
    return torch.zeros(0, pipeline.unet.config.in_channels, cells, cells)


def _rows_of(texts: Sequence[TextConditions]) -> TextConditions:
    pooled = [text.pooled for text in texts if text.pooled is not None]
    return TextConditions(torch.cat([text.hidden for text in texts]), torch.cat(pooled) if pooled else None)


@torch.no_grad()
def encode_each(pipeline: Any, prompts: Sequence[str]) -> TextConditions:
    """Encode prompts one at a time."""
    return _rows_of([encode_text(pipeline, [prompt]) for prompt in prompts] or [encode_text(pipeline, [""]).take([])])


def make_batch(examples: Sequence[Example], training: Showing, *, seed: int, step: int, timesteps: int = 1000) -> Batch:
    """One training step on `examples`, on the CPU.

    All that is drawn for an example (which demonstrations it shows and in which order, noise level, noise, what is
    dropped) is keyed by (seed, its id, step) and nothing else.
    """
    draws = [_Draws.of(example, training, seed, step, timesteps) for example in examples]
    return Batch(
        latents=torch.stack([example.latents for example in examples]),
        text=_stacked([example.text for example in examples], [[0]] * len(examples), 1),
        references=_shown(examples, [draw.shown for draw in draws], training.demonstrations),
        drop_text=torch.tensor([draw.drop_text for draw in draws]),
        drop_references=torch.tensor([draw.drop_references for draw in draws]),
        timesteps=torch.tensor([draw.timestep for draw in draws]),
        noise=torch.stack([draw.noise for draw in draws]),
    )


@dataclass(frozen=True)
class _Draws:
    """What is drawn for one example and one step."""

    shown: list[int]
    timestep: int
    drop_text: bool
    drop_references: bool
    noise: Tensor

    @staticmethod
    def of(example: Example, training: Showing, seed: int, step: int, timesteps: int) -> "_Draws":
        random = keyed_generator(seed, example.id, step, "student")
        text, references = training.drops(*torch.rand(2, generator=random).tolist())
        timestep = int(torch.randint(timesteps, (), generator=random))
        noise = torch.randn(example.latents.shape, generator=random)
        order = torch.randperm(len(example.references), generator=random).tolist()
        shown = order[: training.demonstrations]
        return _Draws(shown, timestep, text, references, noise)


def _shown(examples: Sequence[Example], shown: Sequence[list[int]], count: int) -> References:
    latents = torch.zeros(len(examples), count, *examples[0].references.shape[1:])
    present = torch.zeros(len(examples), count, dtype=torch.bool)
    for row, (example, which) in enumerate(zip(examples, shown, strict=True)):
        latents[row, : len(which)] = example.references[which]
        present[row, : len(which)] = True
    captions = _stacked([example.captions for example in examples], shown, count)
    return References(latents=latents, captions=captions, present=present)


def _stacked(conditions: Sequence[TextConditions], which: Sequence[list[int]], count: int) -> TextConditions:
    """`count` rows of each of the conditions: those named, then zeros."""

    def rows(tensors: Sequence[Tensor]) -> Tensor:
        stacked = tensors[0].new_zeros(len(tensors), count, *tensors[0].shape[1:])
        for row, (tensor, picks) in enumerate(zip(tensors, which, strict=True)):
            stacked[row, : len(picks)] = tensor[picks]
        return stacked.flatten(0, 1)

    pooled = [condition.pooled for condition in conditions if condition.pooled is not None]
    return TextConditions(rows([condition.hidden for condition in conditions]), rows(pooled) if pooled else None)


def _moved(conditions: TextConditions) -> TextConditions:
    pooled = None if conditions.pooled is None else conditions.pooled.float().cpu()
    return TextConditions(conditions.hidden.float().cpu(), pooled)
