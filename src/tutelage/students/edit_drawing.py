"""Requests → edited pictures: the source is encoded once, and the base's own pipeline does the rest."""

import copy
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.latents import fitted_size, resized
from tutelage.diffusion.levels import levels_of
from tutelage.diffusion.noise import keyed_generator
from tutelage.diffusion.pictures import decode
from tutelage.diffusion.sample import coarsest_cell, lane_width, picture_size, sample
from tutelage.errors import BadInput
from tutelage.students.base import Request
from tutelage.students.drawing import Plan, evaluating, no_text
from tutelage.students.edit_examples import Encode
from tutelage.students.examples import encode_each
from tutelage.students.guided_unet import Guided, Lane


def draw_edits(
    pipeline: Any, guided: Guided, sources: Encode, requests: Sequence[Request], plan: Plan
) -> Iterator[list[Image]]:
    """Yield the pictures of `requests` in order, `plan.batch` at a time; see `base.Student.generate`.

    `pipeline` is the base's; `guided` takes the place of its denoiser. A picture is as large as the model likes a
    picture of its source's aspect ratio, unless the plan has a size.

    Raises:
        BadInput: a number is out of range, a request has not exactly one reference, or one cannot be read.
    """
    if plan.batch < 1:
        raise BadInput(f"batch is {plan.batch}; give at least 1")
    width = lane_width(pipeline, plan.batch)
    for start in range(0, len(requests), plan.batch):
        shown = [(request, _source(request)) for request in requests[start : start + plan.batch]]
        pictures: list[Image] = []
        for size, alike in groupby(shown, key=lambda pair: edited_size(pipeline, pair[1], plan.size)):
            several = list(alike)
            for lane in (several[i : i + width] for i in range(0, len(several), width)):
                pictures += _drawn(pipeline, guided, sources, lane, size, plan)
        yield pictures


def edited_size(pipeline: Any, source: Image, size: tuple[int, int] | None = None) -> tuple[int, int]:
    """(height, width) of what becomes of a source: `size`, or the one near it that suits the model best.

    Raises:
        BadInput: the size does not fit the model.
    """
    if size is not None:
        return picture_size(pipeline, size)
    return fitted_size((source.height, source.width), picture_size(pipeline, None), coarsest_cell(pipeline))


def _source(request: Request) -> Image:
    if len(request.references) != 1:
        raise BadInput(f"'{request.text}' comes with {len(request.references)} pictures; an edit has one source")
    picture = request.references[0].picture
    return decode(picture.data, picture.url or "the source")


def _drawn(
    pipeline: Any,
    guided: Guided,
    sources: Encode,
    lane: Sequence[tuple[Request, Image]],
    size: tuple[int, int],
    plan: Plan,
) -> list[Image]:
    """One call of the base's pipeline, which is told to guide nothing, since its denoiser does."""
    guiding = copy.copy(pipeline)
    setattr(guiding, guided.inner, guided)
    texts = encode_each(pipeline, [request.text for request, _ in lane])
    seen = torch.cat([sources([resized(source, size)]) for _, source in lane])
    nothing = torch.zeros_like(seen[0])

    def recall(pictures: tuple[int | None, ...]) -> Tensor:
        return torch.stack([nothing if i is None else seen[i] for i in pictures])

    shown = Lane(
        guidance=plan.guidance,
        draws=[keyed_generator(request.seed, "guidance") for request, _ in lane],
        nothing=no_text(pipeline, plan.negative),
        share=levels_of(pipeline.scheduler).share,
        has_references=[True] * len(lane),
        recall=recall,
    )
    prompts, seeds = [texts.take([i]) for i in range(len(lane))], [request.seed for request, _ in lane]
    options: dict[str, Any] = {"steps": plan.steps, "size": size, "batch": len(lane), "progress": False}
    with evaluating(guided.network), guided.drawing(shown):
        [pictures] = sample(guiding, prompts, seeds, guidance=1.0, **options)
    return pictures
