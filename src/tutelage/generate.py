"""`tutelage generate`: pictures from a prompt, each with its settings inside, and a sheet of them all."""

import dataclasses
import io
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from tutelage import __version__
from tutelage.errors import BadInput
from tutelage.run import write_atomic

if TYPE_CHECKING:  # torch and diffusers take seconds to import, and `--help` needs neither
    from PIL.Image import Image

STEPS: Final = 24
GUIDANCE: Final = 3.0
ON_SHEET: Final = 64
"""Most pictures on a sheet: the first ones."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that a picture depends on; stored in the picture."""

    prompt: str
    negative: str
    seed: int
    index: int
    """Number of the picture within its run; its noise is keyed by (seed, index)."""
    steps: int
    guidance: float
    scheduler: str
    """Class in diffusers, with the settings the checkpoint came with."""
    width: int
    height: int
    model: str
    model_hash: str
    dtype: str
    device: str
    version: str = __version__
    """Of tutelage."""


def generate(
    prompt: str,
    /,
    *,
    n: int = 4,
    seed: int = 0,
    model: str = "toybox-sd",
    out: Path = Path("generated"),
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    negative: str = "",
    size: int | tuple[int, int] | None = None,
    batch: int = 8,
    device: str = "auto",
    dtype: Literal["auto", "fp32", "fp16", "bf16"] = "auto",
) -> None:
    """Make pictures from a prompt: 0000.png, 0001.png, ... with their settings inside, and sheet.png of them all.

    Args:
        prompt: What the pictures show.
        n: Number of pictures.
        seed: From 0 to 2**63 - 1. The same seed gives the same pictures, and more with a larger n.
        model: A shipped checkpoint, a folder in diffusers layout, or a Hub id such as owner/name.
        out: Folder to write to; files of the same names are replaced.
        steps: Denoising steps a picture.
        guidance: How strictly to follow the prompt; up to 1 is not at all stricter than the model by itself.
        negative: What to steer away from.
        size: Side in pixels, or height and width; by default what the model was trained at.
        batch: Pictures to make at once; on a CPU it changes nothing.
        device: auto, cpu, cuda, cuda:1, ... or mps.
        dtype: Number format to compute in; auto is bf16 on CUDA and fp32 elsewhere.

    Raises:
        BadInput: a value is out of range, or the model cannot be loaded.
    """
    _check(n=n, seed=seed, steps=steps, batch=batch, guidance=guidance)
    make_folder(out)
    pipeline, origin = load(model, device, dtype)
    from tutelage.diffusion.sample import picture_size
    from tutelage.diffusion.words import prompt_warnings

    height, width = picture_size(pipeline, (size, size) if isinstance(size, int) else size)
    for line in prompt_warnings(pipeline, prompt):
        print(f"tutelage: {line}", file=sys.stderr)
    asked: dict[str, Any] = {"prompt": prompt, "negative": negative, "seed": seed, "steps": steps, "guidance": guidance}
    first = Settings(**asked, **origin, index=0, height=height, width=width)
    pictures = [_written(image, settings, out) for image, settings in draw(pipeline, first, n, batch)]
    print(f"{counted(n, 'picture')}: {_sheet(pictures[:ON_SHEET], out)}")


def load(model: str, device: str = "auto", dtype: str = "auto") -> tuple[Any, dict[str, Any]]:
    """A pipeline, by shipped name, folder or Hub id, and the fields of `Settings` that it decides.

    Raises:
        BadInput: there is no such model or device, or the model is broken.
    """
    from tutelage.diffusion.device import dtype_name
    from tutelage.diffusion.load import load_pipeline, local_folder, weights_hash
    from tutelage.toybox.checkpoints import checkpoint

    folder = local_folder(checkpoint(model))
    pipeline = load_pipeline(folder, device, dtype)
    origin = {"model": model, "model_hash": weights_hash(folder), "scheduler": type(pipeline.scheduler).__name__}
    return pipeline, origin | {"dtype": dtype_name(pipeline.dtype), "device": pipeline.device.type}


def draw(pipeline: Any, first: Settings, n: int, batch: int) -> Iterator[tuple["Image", Settings]]:
    """Yield pictures `first.index` to `first.index + n - 1` of a run, each with its settings, as they are made."""
    from tutelage.diffusion.sample import image_seed, sample

    every = [dataclasses.replace(first, index=first.index + number) for number in range(n)]
    made = sample(
        pipeline,
        [first.prompt] * n,
        [image_seed(settings.seed, settings.index) for settings in every],
        steps=first.steps,
        guidance=first.guidance,
        size=(first.height, first.width),
        negative=first.negative,
        batch=batch,
    )
    yield from zip(chain.from_iterable(made), every, strict=True)


def png(image: "Image", settings: Settings) -> bytes:
    """The picture as a PNG file that holds its settings twice: `parameters` for people, `tutelage` as JSON.

    `parameters` has the form that web interfaces for Stable Diffusion write and read.
    """
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("parameters", parameters(settings))
    info.add_text("tutelage", json.dumps(dataclasses.asdict(settings)))
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def parameters(settings: Settings) -> str:
    """The settings as text: the prompt, what to steer away from, and a line of `Name: value` pairs."""
    pairs = {
        "Steps": settings.steps,
        "Sampler": settings.scheduler.removesuffix("Scheduler"),
        "CFG scale": f"{settings.guidance:g}",
        "Seed": settings.seed,
        "Index": settings.index,
        "Size": f"{settings.width}x{settings.height}",
        "Model hash": settings.model_hash,
        "Model": settings.model,
        "Version": f"tutelage {settings.version}",
    }
    steer = [f"Negative prompt: {settings.negative}"] if settings.negative else []
    return "\n".join([settings.prompt, *steer, ", ".join(f"{name}: {value}" for name, value in pairs.items())])


def make_folder(out: Path) -> None:
    """Make `out` a folder before the minutes of work, not after.

    Raises:
        BadInput: it cannot be one.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out} cannot be made a folder ({error.strerror}); give another one") from error


def counted(n: int, noun: str) -> str:
    """`1 picture`, `2 pictures`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _written(image: "Image", settings: Settings, out: Path) -> "Image":
    write_atomic(out / f"{settings.index:04d}.png", png(image, settings))
    return image


def _sheet(pictures: Sequence["Image"], out: Path) -> Path:
    """Write the contact sheet, as square as it gets."""
    import numpy as np

    from tutelage.toybox.sheet import contact_sheet, save

    path = out / "sheet.png"
    columns = math.ceil(math.sqrt(len(pictures)))
    save(contact_sheet([np.asarray(picture.convert("RGB")) for picture in pictures], columns), path)
    return path


def _check(*, n: int, seed: int, steps: int, batch: int, guidance: float) -> None:
    """Refuse what is wrong with any model, before one is loaded."""
    for name, value in (("n", n), ("steps", steps), ("batch", batch)):
        if value < 1:
            raise BadInput(f"{name} is {value}; give at least 1")
    if not 0 <= seed < 2**63:
        raise BadInput(f"seed is {seed}; give a number from 0 to 2**63 - 1")
    if not 0 <= guidance < math.inf:
        raise BadInput(f"guidance is {guidance}; give a number from 0 (1 and below: none), such as {GUIDANCE:g}")
