"""Triplets → encoded examples, once; encoded examples → batches, at every step."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from tutelage.students.settings import SutiTraining
from tutelage.triplet import Reference, Triplet


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


def encode_example(pipeline: Any, triplet: Triplet) -> Example:
    """Encode a triplet at the size that the pipeline's model was trained at; a target of other sides is cropped to it.

    Raises:
        BadInput: a picture cannot be read.
    """
    height, width = picture_size(pipeline, None)
    target = ImageOps.fit(decode(triplet.target, triplet.id), (width, height), Image.Resampling.LANCZOS)
    pictures, captions = encode_references(pipeline, triplet.references)
    return Example(
        id=triplet.id,
        latents=encode_pictures(pipeline.vae, [target])[0].cpu(),
        text=_moved(encode_each(pipeline, [triplet.text])),
        references=pictures.cpu(),
        captions=_moved(captions),
    )


def encode_references(pipeline: Any, references: Sequence[Reference]) -> tuple[Tensor, TextConditions]:
    """Latents (K, C, h, w) and captions, K rows, on the pipeline's device.

    Nothing is cut off: a picture that is not square gets its edges drawn out. They are encoded one at a time, so that
    none depends, by rounding, on the others.

    Raises:
        BadInput: a picture cannot be read.
    """
    side = min(picture_size(pipeline, None))
    names = [reference.picture.url or f"reference {i + 1}" for i, reference in enumerate(references)]
    pictures = [decode(reference.picture.data, name) for reference, name in zip(references, names, strict=True)]
    fitted = [resized(squared(picture)[0], (side, side)) for picture in pictures]
    latents = [encode_pictures(pipeline.vae, [picture]) for picture in fitted]
    cells = side // pipeline.vae_scale_factor
    none = torch.zeros(0, pipeline.unet.config.in_channels, cells, cells, device=pipeline.device)
    return torch.cat([none, *latents]), encode_each(pipeline, [reference.caption for reference in references])


@torch.no_grad()
def encode_each(pipeline: Any, prompts: Sequence[str]) -> TextConditions:
    """Encode prompts one at a time."""
    rows = [encode_text(pipeline, [prompt]) for prompt in prompts] or [encode_text(pipeline, [""]).take([])]
    pooled = [row.pooled for row in rows if row.pooled is not None]
    return TextConditions(torch.cat([row.hidden for row in rows]), torch.cat(pooled) if pooled else None)


def make_batch(
    examples: Sequence[Example], training: SutiTraining, *, seed: int, step: int, timesteps: int = 1000
) -> Batch:
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
    def of(example: Example, training: SutiTraining, seed: int, step: int, timesteps: int) -> "_Draws":
        random = keyed_generator(seed, example.id, step, "student")
        text, references = torch.rand(2, generator=random).tolist()
        timestep = int(torch.randint(timesteps, (), generator=random))
        noise = torch.randn(example.latents.shape, generator=random)
        order = torch.randperm(len(example.references), generator=random).tolist()
        shown = order[: training.demonstrations]
        return _Draws(shown, timestep, text < training.text_drop, references < training.references_drop, noise)


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
