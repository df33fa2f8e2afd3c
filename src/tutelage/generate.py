"""`tutelage generate`: pictures from a prompt, each with its settings inside, and a sheet of them all.

With pictures of a subject a student draws it; see `subject`.
"""

import dataclasses
import math
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from tutelage.errors import BadInput
from tutelage.run import write_atomic
from tutelage.stamp import Settings, SubjectSettings, png
from tutelage.students.guidance import INTERVAL, within
from tutelage.subject import (
    Sampler,
    demonstrations,
    described,
    load_student,
    named,
    shipped_student,
    subject_sampler,
    subject_sheet,
)

if TYPE_CHECKING:  # torch and diffusers take seconds to import, and `--help` needs neither
    from PIL.Image import Image

    from tutelage.triplet import Reference

MODEL: Final = "toybox-sd"
STEPS: Final = 24
GUIDANCE: Final = 3.0
ON_SHEET: Final = 64
"""Most pictures on a sheet: the first ones."""


def generate(
    prompt: str,
    /,
    *,
    n: int = 4,
    seed: int = 0,
    subject: tuple[Path, ...] = (),
    subject_name: str = "",
    subject_guidance: float | None = None,
    guidance_interval: tuple[float, float] = INTERVAL,
    model: str | None = None,
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
        subject: Pictures of a subject to draw, or a folder of them; at most 10 are used. Captions are read from text
            files beside them (00.txt for 00.jpg) or from a metadata.jsonl. The prompt goes before this, or at the end.
        subject_name: What the subject's pictures without a caption show, such as "bear toy"; by default what the prompt
            is about.
        subject_guidance: How strictly to follow the subject's pictures, from 0 (not at all); by default as strictly as
            the prompt, which is also fastest.
        guidance_interval: With a subject, when prompt and pictures are followed more strictly than the model does by
            itself: from this share of the time to that one, noise alone being 1 and a finished picture 0.
        model: A shipped checkpoint, a folder in diffusers layout, or a Hub id such as owner/name; by default toybox-sd,
            with a subject toybox-suti. A subject needs a student.
        out: Folder to write to; files of the same names are replaced.
        steps: Denoising steps a picture.
        guidance: How strictly to follow the prompt; up to 1 is not at all stricter than the model by itself.
        negative: What to steer away from.
        size: Side in pixels, or height and width; by default what the model was trained at.
        batch: Pictures to make at once; on a CPU it changes nothing.
        device: auto, cpu, cuda, cuda:1, ... or mps.
        dtype: Number format to compute in; auto is bf16 on CUDA and fp32 elsewhere.

    Raises:
        BadInput: a value is out of range, or a picture of the subject or the model cannot be loaded.
    """
    weight = max(1.0, guidance) if subject_guidance is None else subject_guidance
    _check(n=n, seed=seed, steps=steps, batch=batch, guidance=guidance, subject_guidance=weight)
    within(guidance_interval)
    if not subject and (subject_name or subject_guidance is not None):
        raise BadInput("a subject's name or guidance is of no use without its pictures; give them with --subject")
    shown = demonstrations(subject, subject_name or named(prompt)) if subject else ()
    make_folder(out)
    pipeline, origin, sampler = _artist(model, shown, weight, guidance_interval, device, dtype)
    from tutelage.diffusion.sample import picture_size
    from tutelage.diffusion.words import prompt_warnings

    height, width = picture_size(pipeline, (size, size) if isinstance(size, int) else size)
    for line in prompt_warnings(pipeline, prompt, [reference.caption for reference in shown]):
        print(f"tutelage: {line}", file=sys.stderr)
    asked: dict[str, Any] = {"prompt": prompt, "negative": negative, "seed": seed, "steps": steps, "guidance": guidance}
    fields = {**asked, **origin, "index": 0, "height": height, "width": width}
    first = settings_of(fields, shown, weight, guidance_interval)
    started = time.monotonic()
    pictures = [_written(image, settings, out) for image, settings in draw(pipeline, first, n, batch, sampler)]
    seconds = time.monotonic() - started
    print(f"{counted(n, 'picture')} in {seconds:.1f} s: {_sheet(pictures[:ON_SHEET], out, shown, prompt)}")


def load(model: str, device: str = "auto", dtype: str = "auto") -> tuple[Any, dict[str, Any]]:
    """A pipeline, by shipped name, folder or Hub id, and the fields of `Settings` that it decides.

    Of a student it is the base's, which draws without demonstrations.

    Raises:
        BadInput: there is no such model or device, or the model is broken.
    """
    from tutelage.diffusion.load import load_pipeline, local_folder
    from tutelage.students.folder import is_student
    from tutelage.toybox.checkpoints import checkpoint

    folder = local_folder(checkpoint(model))
    student = load_student(folder, device, dtype)[0] if is_student(folder) else None
    pipeline: Any = student.pipeline if student else load_pipeline(folder, device, dtype)
    return pipeline, origin_of(model, folder, pipeline)


def draw(
    pipeline: Any, first: Settings, n: int, batch: int, sampler: "Sampler | None" = None
) -> Iterator[tuple["Image", Settings]]:
    """Yield pictures `first.index` to `first.index + n - 1` of a run, each with its settings, as they are made.

    `sampler` takes the arguments of `diffusion.sample.sample`, which it is by default.
    """
    from tutelage.diffusion.sample import image_seed, sample

    every = [dataclasses.replace(first, index=first.index + number) for number in range(n)]
    made = (sampler or sample)(
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


def _artist(
    model: str | None,
    shown: "tuple[Reference, ...]",
    weight: float,
    interval: tuple[float, float],
    device: str,
    dtype: str,
) -> "tuple[Any, dict[str, Any], Sampler | None]":
    """What draws: a pipeline, what it decides of the settings, and how it is sampled."""
    if not shown:
        return *load(MODEL if model is None else model, device, dtype), None
    name = shipped_student() if model is None else model
    student, folder = load_student(name, device, dtype)
    return (
        student.pipeline,
        origin_of(name, folder, student.pipeline),
        subject_sampler(student, shown, weight, interval),
    )


def origin_of(model: str, folder: Path, pipeline: Any) -> dict[str, Any]:
    """The fields of `Settings` that a pipeline from a folder decides; `model` is what it is called."""
    from tutelage.diffusion.device import dtype_name
    from tutelage.diffusion.load import weights_hash

    origin = {"model": model, "model_hash": weights_hash(folder), "scheduler": type(pipeline.scheduler).__name__}
    return origin | {"dtype": dtype_name(pipeline.dtype), "device": pipeline.device.type}


def settings_of(
    fields: dict[str, Any], shown: "Sequence[Reference]", weight: float, interval: tuple[float, float]
) -> Settings:
    """Settings of a picture; of one of a subject, with its demonstrations and how they are followed."""
    if not shown:
        return Settings(**fields)
    about = tuple(described(reference) for reference in shown)
    return SubjectSettings(**fields, subject_guidance=weight, guidance_interval=interval, demonstrations=about)


def _written(image: "Image", settings: Settings, out: Path) -> "Image":
    write_atomic(out / f"{settings.index:04d}.png", png(image, settings))
    return image


def _sheet(pictures: Sequence["Image"], out: Path, shown: "Sequence[Reference]", prompt: str) -> Path:
    """Write the contact sheet, as square as it gets, with the demonstrations above if there are any."""
    import numpy as np

    from tutelage.toybox.sheet import contact_sheet, save

    path = out / "sheet.png"
    columns = math.ceil(math.sqrt(len(pictures)))
    sheet = contact_sheet([np.asarray(picture.convert("RGB")) for picture in pictures], columns)
    save(subject_sheet(shown, sheet, pictures[0].size, prompt) if shown else sheet, path)
    return path


def _check(*, n: int, seed: int, steps: int, batch: int, **guidance: float) -> None:
    """Refuse what is wrong with any model, before one is loaded."""
    for name, value in (("n", n), ("steps", steps), ("batch", batch)):
        if value < 1:
            raise BadInput(f"{name} is {value}; give at least 1")
    if not 0 <= seed < 2**63:
        raise BadInput(f"seed is {seed}; give a number from 0 to 2**63 - 1")
    for name, weight in guidance.items():
        if not 0 <= weight < math.inf:
            raise BadInput(
                f"{name} is {weight}; give a number from 0 (1: no stricter than the model), such as {GUIDANCE:g}"
            )
