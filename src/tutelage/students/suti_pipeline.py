"""The student as a pipeline of diffusers: `SutiPipeline.from_pretrained(folder)`.

Without tutelage the same folder opens as `StableDiffusionPipeline` or `StableDiffusionXLPipeline`, which draw without
demonstrations. Student folders name this class: it has to keep its name.
"""

import io
from collections.abc import Sequence
from typing import Any

from PIL.Image import Image

from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.sample import image_seed
from tutelage.students.base import Request
from tutelage.students.drawing import Plan, draw
from tutelage.students.guidance import Guidance, TwoWeights, Within
from tutelage.students.guided_unet import GuidedUNet
from tutelage.students.reference_attention import ReferenceAttention
from tutelage.students.reference_unet import ReferenceUNet
from tutelage.triplet import Picture, Reference

with quiet_libraries():  # to import pipelines is not silent
    from diffusers import DiffusionPipeline, ImagePipelineOutput, StableDiffusionPipeline, StableDiffusionXLPipeline


class SutiPipeline(DiffusionPipeline):  # type: ignore[misc]
    """Draws a subject from a few captioned pictures of it and a text.

    The parts are those of `StableDiffusionPipeline`, or with a second text encoder of `StableDiffusionXLPipeline`, and
    the new layers.
    """

    _optional_components = ["text_encoder_2", "tokenizer_2"]  # noqa: RUF012  # a list, for diffusers adds it to lists

    def __init__(
        self,
        vae: Any,
        text_encoder: Any,
        tokenizer: Any,
        unet: Any,
        scheduler: Any,
        reference_attention: ReferenceAttention,
        text_encoder_2: Any = None,
        tokenizer_2: Any = None,
        force_zeros_for_empty_prompt: bool | None = None,
    ) -> None:
        super().__init__()
        second = {"text_encoder_2": text_encoder_2, "tokenizer_2": tokenizer_2}
        parts = {"vae": vae, "text_encoder": text_encoder, "tokenizer": tokenizer, "unet": unet, "scheduler": scheduler}
        self.register_modules(**parts, **second, reference_attention=reference_attention)
        self.register_to_config(force_zeros_for_empty_prompt=force_zeros_for_empty_prompt)
        self._guided: GuidedUNet | None = None

    @staticmethod
    def of(base: Any, attention: ReferenceAttention) -> "SutiPipeline":
        """The parts of a Stable Diffusion or SDXL pipeline, and new layers for its UNet."""
        names = ["vae", "text_encoder", "tokenizer", "unet", "scheduler"]
        names += ["text_encoder_2", "tokenizer_2"] if "text_encoder_2" in base.components else []
        zeros = base.config.get("force_zeros_for_empty_prompt")
        parts = {name: base.components[name] for name in names}
        return SutiPipeline(**parts, reference_attention=attention, force_zeros_for_empty_prompt=zeros)

    def base(self) -> Any:
        """A stock pipeline of the same parts, without the new layers."""
        parts = {name: part for name, part in self.components.items() if name != "reference_attention"}
        with quiet_libraries():  # Stable Diffusion's remarks on the safety checker that it does not get
            if self.text_encoder_2 is not None:
                zeros = bool(self.config.force_zeros_for_empty_prompt)
                return StableDiffusionXLPipeline(**parts, force_zeros_for_empty_prompt=zeros, add_watermarker=False)
            first = {name: part for name, part in parts.items() if not name.endswith("_2")}
            none = {"safety_checker": None, "feature_extractor": None}
            return StableDiffusionPipeline(**first, **none, requires_safety_checker=False)

    def __call__(
        self,
        prompt: str | Sequence[str],
        demonstrations: Sequence[tuple[Image, str]] = (),
        *,
        num_inference_steps: int = 24,
        guidance: Guidance | None = None,
        negative_prompt: str = "",
        height: int | None = None,
        width: int | None = None,
        seed: int = 0,
        batch: int = 8,
    ) -> ImagePipelineOutput:
        """Draw one picture a prompt of the subject that the (picture, caption) demonstrations show.

        The noise of picture i is keyed by (seed, i). `guidance` is `Within(guidance=TwoWeights())` unless another is
        given.

        Raises:
            BadInput: a number is out of range, or the size does not fit the model.
        """
        size = None if height is None or width is None else (height, width)
        plan = Plan(
            steps=num_inference_steps,
            guidance=guidance or Within(guidance=TwoWeights()),
            size=size,
            negative=negative_prompt,
            batch=batch,
        )
        shown = tuple(Reference(picture=Picture(data=_png(picture)), caption=text) for picture, text in demonstrations)
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        requests = [Request(text=p, references=shown, seed=image_seed(seed, i)) for i, p in enumerate(prompts)]
        base = self.base()
        made = draw(base, self._guided_unet(base.vae_scale_factor), requests, plan)
        return ImagePipelineOutput(images=[picture for pictures in made for picture in pictures])

    def _guided_unet(self, cell: int) -> GuidedUNet:
        """Made when it is first needed and again when a part of it was replaced."""
        guided = self._guided
        if guided and guided.network.unet is self.unet and guided.network.attention is self.reference_attention:
            return guided
        self._guided = GuidedUNet(ReferenceUNet(self.unet, self.reference_attention, cell))
        return self._guided


def _png(picture: Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
