"""What editors on SD3's transformer (a DiT with two streams, "MMDiT") have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from diffusers import ImagePipelineOutput, SD3Transformer2DModel, StableDiffusion3Pipeline
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.device import pick_device, pick_dtype
from tutelage.diffusion.load import local_folder
from tutelage.diffusion.pictures import png
from tutelage.diffusion.sample import image_seed
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.base import Request
from tutelage.students.edit_student import EditStudent
from tutelage.students.folder import load_folder, pipeline_class
from tutelage.students.guidance import Guidance, ImageFirst
from tutelage.students.guided_transformer import GuidedTransformer
from tutelage.triplet import Picture, Reference

ENCODERS: Final = tuple(f"{part}{end}" for part in ("text_encoder", "tokenizer") for end in ("", "_2", "_3"))
PARTS: Final = ("transformer", "scheduler", "vae", *ENCODERS)


class Sd3EditStudent(EditStudent):
    """An editor whose base is an SD3; its network has the base as `transformer`."""

    def guided(self) -> GuidedTransformer:
        return GuidedTransformer(self.network)

    def parts(self) -> dict[str, Any]:
        """The base's, by the names of its pipeline."""
        return {name: self.pipeline.components[name] for name in PARTS}


class EditPipeline(ABC):
    """What a pipeline of our own does: `KIND.from_pretrained(folder)("make it night", picture)`."""

    @abstractmethod
    def editor(self) -> Sd3EditStudent:
        """The student of its parts."""

    def __call__(
        self,
        prompt: str | Sequence[str],
        image: Image,
        *,
        num_inference_steps: int = 28,
        guidance: Guidance | None = None,
        negative_prompt: str = "",
        seed: int = 0,
        batch: int = 8,
    ) -> ImagePipelineOutput:
        """Edit a picture once an instruction. The noise of number i is keyed by (seed, i).

        `guidance` is `ImageFirst()` unless another is given.

        Raises:
            BadInput: a number is out of range.
        """
        shown = (Reference(picture=Picture(data=png(image))),)
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        requests = [Request(text=p, references=shown, seed=image_seed(seed, i)) for i, p in enumerate(prompts)]
        told: dict[str, Any] = {"guidance": guidance or ImageFirst(), "negative": negative_prompt, "batch": batch}
        made = self.editor().generate(requests, steps=num_inference_steps, **told)
        return ImagePipelineOutput(images=[picture for pictures in made for picture in pictures])


def check_kind(pipeline: Any) -> None:
    """Raise a `BadInput` if a pipeline is no SD3, or has no text encoder of its own."""
    transformer = getattr(pipeline, "transformer", None)
    if not isinstance(pipeline, StableDiffusion3Pipeline) or not isinstance(transformer, SD3Transformer2DModel):
        raise BadInput(f"{type(pipeline).__name__} is no Stable Diffusion 3; give a model of that kind")
    if pipeline.text_encoder is None or pipeline.text_encoder_2 is None:
        raise BadInput("this Stable Diffusion 3 lacks a CLIP text encoder; give one with both")


def load_sd3(kind: Any, model: str | Path, device: str, dtype: str) -> tuple[Any, Any]:
    """The base's pipeline, and the pipeline of class `kind` that a folder or Hub id holds.

    Raises:
        BadInput: the device is absent, or the folder is missing, incomplete, corrupt or of another kind.
    """
    where, folder = pick_device(device), local_folder(model)
    if (name := pipeline_class(folder)) != kind.__name__:
        raise BadInput(f"{folder} is a {name}, no {kind.__name__}; train one from it")
    found = load_folder(kind, folder, where, pick_dtype(dtype, where))
    return base_of(found), found


def base_of(found: Any) -> Any:
    """The text-to-image pipeline of another one's parts."""
    base = StableDiffusion3Pipeline(**{name: found.components[name] for name in PARTS})
    base.set_progress_bar_config(disable=True)
    return base


def arguments(text: TextConditions) -> dict[str, Tensor | None]:
    """What SD3's transformer is told of texts."""
    return {"encoder_hidden_states": text.hidden, "pooled_projections": text.pooled}
