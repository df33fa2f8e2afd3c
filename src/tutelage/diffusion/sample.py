"""Prompts and seeds → pictures, with any text-to-image pipeline of diffusers, used as it comes.

Picture i depends on its own seed alone: every random number it needs is drawn from a generator of its own.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from PIL.Image import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text
from torch import Tensor

from tutelage.diffusion.noise import keyed_seed
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput

SMALLEST, LARGEST = 16, 4096
"""Sides of a picture, in pixels."""

Prompt = str | TextConditions
"""A text, or one row of what a text was encoded as."""
After = Callable[[int, Tensor], Tensor]
"""Number of a step that was done, and the latents after it (B, C, h, w) → the latents to go on with."""


def image_seed(seed: int, index: int) -> int:
    """The seed, in [0, 2**63), of picture `index` of a run: a hash, so that neighbouring runs share no picture."""
    return keyed_seed(seed, index, "noise")


def sample(
    pipeline: Any,
    prompts: Sequence[Prompt],
    seeds: Sequence[int],
    *,
    steps: int,
    guidance: float,
    size: tuple[int, int] | None = None,
    negative: str = "",
    batch: int = 8,
    progress: bool = True,
    after: After | None = None,
) -> Iterator[list[Image]]:
    """Yield the pictures of `prompts`, in order, `batch` at a time; the last list may be shorter.

    Args:
        pipeline: from `load_pipeline`; any that diffusers' `AutoPipelineForText2Image` loads.
        prompts: one text a picture; of Stable Diffusion and SDXL, texts or what they were encoded as.
        seeds: one number in [0, 2**63) a picture; see `image_seed`.
        steps: denoising steps, at least 1.
        guidance: classifier-free guidance scale; up to 1 means none.
        size: (height, width) in pixels; None for what the model was trained at.
        negative: what to steer away from, for all pictures.
        batch: pictures handed over at once.
        progress: show a bar on stderr, if that is a terminal.
        after: what is done to the latents after each step.

    Raises:
        BadInput: a number is out of range, or the size does not fit the model; before anything is yielded.
    """
    _check(prompts, seeds, steps, guidance, batch)
    height, width = picture_size(pipeline, size)
    options = {"height": height, "width": width, "num_inference_steps": steps, "guidance_scale": guidance}
    with _bar(shown=progress) as bar:
        task = bar.add_task("pictures", total=len(prompts))
        for part in _parts(range(len(prompts)), batch):
            pictures: list[Image] = []
            for lane in _parts(part, lane_width(pipeline, batch)):
                watch = _watcher(pipeline, partial(bar.advance, task, len(lane) / steps), after)
                texts, keys = [prompts[i] for i in lane], [seeds[i] for i in lane]
                pictures += _call(pipeline, texts, keys, negative, options | watch)
                bar.update(task, completed=lane.stop)
            yield pictures


def lane_width(pipeline: Any, batch: int) -> int:
    """How many pictures the networks see at once.

    On a CPU it is one, whatever the batch: oneDNN and BLAS choose their kernels, and with them the order of sums, by
    the shape of the input. What a UNet gave for 1, 2, 3 and 8 pictures differed by 1e-6, which rounding to 8 bits hides
    in nearly every pixel and not in all; for one shape it was equal to the last bit. Guidance doubles the batch anyway,
    so the price was 10 % of the speed. On an accelerator, where large batches pay, pictures made in batches of
    different sizes agree up to rounding.
    """
    return 1 if pipeline.device.type == "cpu" else batch


def picture_size(pipeline: Any, size: tuple[int, int] | None) -> tuple[int, int]:
    """(height, width) in pixels, checked against what the model can draw; None gives what it was trained at.

    Raises:
        BadInput: a side is out of range or does not divide into whole cells of the network's coarsest grid.
    """
    if size is None:
        return _native_size(pipeline)
    cell = coarsest_cell(pipeline)
    shown = f"size {size[0]} x {size[1]} (height x width)"
    if not all(SMALLEST <= side <= LARGEST for side in size):
        raise BadInput(f"{shown}: sides must be {SMALLEST} to {LARGEST} pixels")
    if any(side % cell for side in size):
        near = " x ".join(str(max(1, round(side / cell)) * cell) for side in size)
        raise BadInput(f"{shown}: this model needs multiples of {cell} pixels; the nearest is {near}")
    return size


def _native_size(pipeline: Any) -> tuple[int, int]:
    network = _network(pipeline)
    side = network.config.get("sample_size") or getattr(pipeline, "default_sample_size", None)
    if side is None:
        raise BadInput("this model does not say which size it was trained at; give one")
    height, width = (side, side) if isinstance(side, int) else side
    return height * pipeline.vae_scale_factor, width * pipeline.vae_scale_factor


def coarsest_cell(pipeline: Any) -> int:
    """Pixels a side of one cell of the coarsest grid the network computes on; pipelines themselves ask for 8."""
    config = _network(pipeline).config
    levels = config.get("down_block_types")
    fold = 2 ** (len(levels) - 1) if levels else config.get("patch_size") or 2
    return math.lcm(8, pipeline.vae_scale_factor * int(fold))


def _network(pipeline: Any) -> Any:
    """The denoiser: a UNet or a transformer."""
    network = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    if network is None:
        raise BadInput(f"{type(pipeline).__name__} has neither a UNet nor a transformer to sample from")
    return network


def _check(prompts: Sequence[Prompt], seeds: Sequence[int], steps: int, guidance: float, batch: int) -> None:
    if len(prompts) != len(seeds):
        raise BadInput(f"{len(prompts)} prompts and {len(seeds)} seeds; give one seed a picture")
    if bad := [seed for seed in seeds if not 0 <= seed < 2**63]:
        raise BadInput(f"seed {bad[0]} is not within 0 to 2**63 - 1")
    if steps < 1:
        raise BadInput(f"steps is {steps}; give at least 1")
    if batch < 1:
        raise BadInput(f"batch is {batch}; give at least 1")
    if not 0 <= guidance < math.inf:
        raise BadInput(f"guidance is {guidance}; give a number from 0 (1 and below: none), such as 4")


def _call(
    pipeline: Any, prompts: Sequence[Prompt], seeds: Sequence[int], negative: str, options: dict[str, Any]
) -> list[Image]:
    """One call of the pipeline. CPU generators: the noise of a seed is the same on every device."""
    if negative:
        if "negative_prompt" not in _parameters(pipeline):
            raise BadInput(f"{type(pipeline).__name__} takes no negative prompt; leave it out")
        options = options | {"negative_prompt": [negative] * len(prompts)}
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    with quiet_libraries():  # they remark on every long prompt at every call; `words` says it once
        made = pipeline(**_told(prompts), generator=generators, output_type="pil", **options)
    pictures: list[Image] = made.images
    return pictures


def _told(prompts: Sequence[Prompt]) -> dict[str, Any]:
    """The pipeline's arguments that say what to draw."""
    encoded = [prompt for prompt in prompts if isinstance(prompt, TextConditions)]
    if not encoded:
        return {"prompt": list(prompts)}
    told: dict[str, Any] = {"prompt_embeds": torch.cat([one.hidden for one in encoded])}
    pooled = [one.pooled for one in encoded if one.pooled is not None]
    return told | ({"pooled_prompt_embeds": torch.cat(pooled)} if pooled else {})


def _watcher(pipeline: Any, advance: Callable[[], None], after: After | None) -> dict[str, Any]:
    """The argument that calls `advance` and `after` after every denoising step, for pipelines that have it."""
    name = "callback_on_step_end"
    if name not in _parameters(pipeline):
        if after is not None:
            raise BadInput(f"{type(pipeline).__name__} cannot be reached between its steps; draw without mask guidance")
        return {}

    def on_step_end(_: Any, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        advance()
        return tensors if after is None else tensors | {"latents": after(step, tensors["latents"])}

    return {name: on_step_end}


def _parameters(pipeline: Any) -> frozenset[str]:
    return frozenset(inspect.signature(pipeline.__call__).parameters)


class _Rate(ProgressColumn):
    """Seconds a picture, or pictures a second, whichever is above 1."""

    def render(self, task: Task) -> Text:
        """Blank until something was measured."""
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.1f} a second" if speed >= 1 else f"{1 / speed:.1f} s each")


def _parts(whole: range, length: int) -> list[range]:
    """`whole` cut into ranges of `length`, the last maybe shorter."""
    return [whole[start : start + length] for start in range(0, len(whole), length)]


def _bar(*, shown: bool) -> Progress:
    console = Console(stderr=True)
    counts = TextColumn("{task.completed:.0f}/{task.total}")
    columns = (TextColumn("{task.description}"), BarColumn(), counts, _Rate(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not (shown and console.is_terminal))
