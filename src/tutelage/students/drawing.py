"""Requests → pictures: demonstrations are encoded once, and the base's own pipeline does the rest."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import torch
from PIL.Image import Image
from torch import nn

from tutelage.diffusion.levels import levels_of
from tutelage.diffusion.noise import keyed_generator
from tutelage.diffusion.sample import lane_width, sample
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.base import References, Request
from tutelage.students.examples import encode_each, encode_references
from tutelage.students.guidance import Guidance
from tutelage.students.guided_unet import GuidedUNet, Lane
from tutelage.students.mask_guidance import MaskGuidance
from tutelage.students.reference_unet import Memory, ReferenceUNet, join
from tutelage.triplet import Reference

Shown = tuple[Reference, ...]
"""The demonstrations of one request."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What all pictures of a call have in common."""

    steps: int
    guidance: Guidance
    size: tuple[int, int] | None = None
    """(height, width) in pixels."""
    negative: str = ""
    """What to steer away from."""
    batch: int = 8
    masked: MaskGuidance | None = None
    """What is kept of the source, where pictures are edited."""
    cached: bool = True
    """Whether keys and values are kept over the steps, or computed anew at each; the pictures are the same."""


def draw(pipeline: Any, guided: GuidedUNet, requests: Sequence[Request], plan: Plan) -> Iterator[list[Image]]:
    """Yield the pictures of `requests` in order, `plan.batch` at a time; see `base.Student.generate`.

    `pipeline` is the base's; `guided` takes the place of its UNet.
    """
    if plan.batch < 1:
        raise BadInput(f"batch is {plan.batch}; give at least 1")
    nothing, remember = no_text(pipeline, plan.negative), _remembering(pipeline, guided.network, plan)
    width = lane_width(pipeline, plan.batch)
    for start in range(0, len(requests), plan.batch):
        part, pictures = requests[start : start + plan.batch], list[Image]()
        for lane in (part[i : i + width] for i in range(0, len(part), width)):
            with evaluating(guided.network), guided.drawing(_lane(pipeline, lane, plan, nothing, remember)):
                pictures += _sampled(pipeline, guided, lane, plan)
        yield pictures


def no_text(pipeline: Any, negative: str = "") -> TextConditions:
    """One row: what the network is told in place of a text; zeros where the pipeline says so, as SDXL's does."""
    empty = encode_each(pipeline, [negative])
    if negative or not pipeline.config.get("force_zeros_for_empty_prompt"):
        return empty
    pooled = None if empty.pooled is None else torch.zeros_like(empty.pooled)
    return TextConditions(torch.zeros_like(empty.hidden), pooled)


def _remembering(pipeline: Any, network: ReferenceUNet, plan: Plan) -> Callable[[Shown], Memory | None]:
    """What turns demonstrations into keys and values; subjects that follow one another are encoded once."""

    @lru_cache(plan.batch)
    def encode(shown: Shown) -> References:
        latents, captions = encode_references(pipeline, shown)
        present = torch.ones(1, len(shown), dtype=torch.bool, device=latents.device)
        return References(latents=latents[None].to(pipeline.unet.dtype), captions=captions, present=present)

    def remember(shown: Shown) -> Memory | None:
        return network.remember(encode(shown)) if shown else None

    return lru_cache(plan.batch)(remember) if plan.cached else remember


def _lane(
    pipeline: Any,
    requests: Sequence[Request],
    plan: Plan,
    nothing: TextConditions,
    remember: Callable[[Shown], Memory | None],
) -> Lane:
    shown = [request.references for request in requests]

    def recall(pictures: tuple[int | None, ...]) -> Memory | None:
        return join([None if i is None else remember(shown[i]) for i in pictures])

    return Lane(
        guidance=plan.guidance,
        draws=[keyed_generator(request.seed, "guidance") for request in requests],
        nothing=nothing,
        share=levels_of(pipeline.scheduler).share,
        has_references=[bool(references) for references in shown],
        recall=cache(recall) if plan.cached else recall,
    )


def _sampled(pipeline: Any, guided: GuidedUNet, requests: Sequence[Request], plan: Plan) -> list[Image]:
    """One call of the base's pipeline, which is told to guide nothing, since its UNet does."""
    guiding = copy.copy(pipeline)
    guiding.unet = guided
    texts, seeds = [request.text for request in requests], [request.seed for request in requests]
    options: dict[str, Any] = {"steps": plan.steps, "size": plan.size, "batch": len(texts)}
    [pictures] = sample(guiding, texts, seeds, guidance=1.0, progress=False, **options)
    return pictures


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Without dropout."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
