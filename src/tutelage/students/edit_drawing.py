"""Requests → edited pictures: the source is encoded once, and the base's own pipeline does the rest."""

import copy
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.latents import encode_pictures, fitted_size, resized
from tutelage.diffusion.levels import levels_of
from tutelage.diffusion.noise import keyed_generator
from tutelage.diffusion.pictures import decode
from tutelage.diffusion.sample import After, coarsest_cell, lane_width, picture_size, sample
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.base import Request
from tutelage.students.drawing import Plan, evaluating, no_text
from tutelage.students.edit_examples import Encode
from tutelage.students.examples import encode_each
from tutelage.students.guided_unet import Guided, Lane
from tutelage.students.mask_guidance import disputed, kept_outside, region_of


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
    with evaluating(guided.network):
        after = _masking(pipeline, guided, lane, size, plan, (texts, shown.nothing, seen)) if plan.masked else None
        with guided.drawing(shown):
            [pictures] = sample(guiding, prompts, seeds, guidance=1.0, after=after, **options)
    return pictures


def _masking(
    pipeline: Any,
    guided: Guided,
    lane: Sequence[tuple[Request, Image]],
    size: tuple[int, int],
    plan: Plan,
    told: tuple[TextConditions, TextConditions, Tensor],
) -> After:
    """What keeps a lane's pictures outside their masks; `told` are instructions, no text, and sources as shown."""
    assert plan.masked is not None
    texts, nothing, seen = told
    clean = encode_pictures(pipeline.vae, [resized(source, size) for _, source in lane])
    levels, regions = levels_of(pipeline.scheduler), []
    for at, (request, source) in enumerate(lane):
        if plan.masked.find is not None:
            mask = plan.masked.find(source)
        else:
            words, one = (nothing, texts.take([at])), slice(at, at + 1)
            mask = disputed(guided.network, levels, clean[one], seen[one], words, request.seed)
        regions.append(region_of(mask, plan.masked.weight, (clean.shape[2], clean.shape[3])))
    seeds = [request.seed for request, _ in lane]
    return kept_outside(pipeline.scheduler, clean, seeds, torch.cat(regions).to(clean.device))
