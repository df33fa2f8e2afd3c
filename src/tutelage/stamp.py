"""All that a picture depends on, stored in the picture."""

import dataclasses
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutelage import __version__

if TYPE_CHECKING:  # as in `generate`: `--help` does without it
    from PIL.Image import Image


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


@dataclass(frozen=True, kw_only=True)
class SubjectSettings(Settings):
    """The same of a picture of a subject; `guidance` is towards the text."""

    subject_guidance: float
    guidance_interval: tuple[float, float]
    """Both are in force from this share of the time to that one."""
    demonstrations: tuple[dict[str, str], ...]
    """Name, SHA-256 and caption of each; see `subject.described`."""


@dataclass(frozen=True, kw_only=True)
class EditSettings(Settings):
    """The same of an edited picture; the prompt is the instruction, `guidance` is towards it."""

    image_guidance: float
    """Towards the source."""
    source: dict[str, str]
    """Its name and the SHA-256 of its file."""
    mask_guidance: float = 0.0
    """How strictly the source is kept outside the mask."""
    mask: str = ""
    """The phrase that names what is masked; empty: the editor found it."""


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
    if isinstance(settings, SubjectSettings):
        start, stop = settings.guidance_interval
        pairs |= {"Demonstrations": len(settings.demonstrations), "Subject CFG scale": f"{settings.subject_guidance:g}"}
        pairs |= {"CFG interval": f"{start:g} to {stop:g}"}
    if isinstance(settings, EditSettings):
        pairs |= {"Image CFG scale": f"{settings.image_guidance:g}", "Source": settings.source["name"]}
        if settings.mask_guidance:
            pairs |= {"Mask guidance": f"{settings.mask_guidance:g}", "Mask": settings.mask or "the editor's"}
    steer = [f"Negative prompt: {settings.negative}"] if settings.negative else []
    return "\n".join([settings.prompt, *steer, ", ".join(f"{name}: {value}" for name, value in pairs.items())])
