"""What all editors have in common: they learn from (source, instruction, target) and edit on request."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from PIL import Image
from torch import Tensor, nn

from tutelage.diffusion.latents import encode_pictures
from tutelage.diffusion.levels import Levels, levels_of
from tutelage.diffusion.text import TextConditions
from tutelage.students.base import Batch, Request
from tutelage.students.drawing import Plan, no_text
from tutelage.students.edit_drawing import draw_edits
from tutelage.students.edit_examples import PairEncoder
from tutelage.students.folder import save_folder
from tutelage.students.guidance import Guidance
from tutelage.students.guided_unet import Guided
from tutelage.students.mask_guidance import MaskGuidance
from tutelage.students.settings import EditShape, EditTraining


class EditStudent(ABC):
    """A base that also sees a source picture. It fills `base.Learner`; where no source is shown it sees zeros."""

    network: nn.Module
    """All that learns, as `network(sample, times, text, sources)`; what does not learn takes no gradients."""
    called: nn.Module
    """What `loss` calls: the network, or what a trainer made of it."""

    def __init__(self, pipeline: Any, network: nn.Module, training: EditTraining | None) -> None:
        self.pipeline, self.network, self.called = pipeline, network, network
        self.training = training or EditTraining()
        self._levels  # a schedule that cannot be learnt at is refused now  # noqa: B018

    @classmethod
    @abstractmethod
    def from_base(cls, pipeline: Any, shape: EditShape, training: EditTraining | None = None, *, seed: int = 0) -> Self:
        """An editor that has learned nothing yet and says what its base says; the pipeline's parts are not copied.

        Raises:
            BadInput: the base is of another kind, or the shape does not fit it.
        """

    @classmethod
    @abstractmethod
    def load(
        cls, model: str | Path, device: str = "auto", dtype: str = "auto", training: EditTraining | None = None
    ) -> Self:
        """An editor from a folder that `save` wrote, or from the Hub id of such a folder.

        Raises:
            BadInput: the device is absent, or the folder is missing, incomplete, corrupt or of another kind.
        """

    @abstractmethod
    def whole(self) -> Any:
        """The pipeline of diffusers that its folder holds."""

    @abstractmethod
    def guided(self) -> Guided:
        """What takes the place of the denoiser in the base's pipeline."""

    def save(self, folder: Path, dtype: str = "fp32") -> None:
        """Write a pipeline folder of diffusers, whole or not at all.

        Raises:
            BadInput: there is something at `folder`.
        """
        save_folder(self.whole, folder, dtype)

    def encode_sources(self, pictures: Sequence[Image.Image]) -> Tensor:
        """RGB pictures of one size → what the network sees of them, (B, C, h, w)."""
        return encode_pictures(self.pipeline.vae, pictures)

    def encoder(self) -> PairEncoder:
        """See `base.Learner`."""
        return PairEncoder(self.pipeline, self.encode_sources)

    def loss(self, batch: Batch) -> Tensor:
        """The squared error of what the network says of the noisy targets, in whatever it was trained to say."""
        levels, t = self._levels, batch.timesteps
        text = batch.text.replaced(self._nothing, batch.drop_text)
        shown = batch.references.present[:, 0] & ~batch.drop_references
        sources = batch.references.latents[:, 0] * shown[:, None, None, None]
        said = self.called(levels.noisy(batch.latents, batch.noise, t), levels.told(t), text, sources)
        error = (said.float() - levels.target(batch.latents, batch.noise, t)).square().mean((1, 2, 3))
        value: Tensor = (error * levels.weight(t)).mean()
        return value

    def generate(
        self,
        requests: Sequence[Request],
        *,
        steps: int,
        guidance: Guidance,
        size: tuple[int, int] | None = None,
        batch: int = 8,
        negative: str = "",
        masked: MaskGuidance | None = None,
    ) -> Iterator[list[Image.Image]]:
        """Edit with the pipeline's scheduler; see `base.Student.generate`.

        A request's text is the instruction, its one reference the source. Without a size, a picture has its source's
        aspect ratio. `negative` is what to steer away from, `masked` what stays the source's.
        """
        plan = Plan(steps=steps, guidance=guidance, size=size, batch=batch, negative=negative, masked=masked)
        return draw_edits(self.pipeline, self.guided(), self.encode_sources, requests, plan)

    @cached_property
    def _levels(self) -> Levels:
        return levels_of(self.pipeline.scheduler, self.training.weighting)

    @cached_property
    def _nothing(self) -> TextConditions:
        with torch.autocast(self.pipeline.device.type, enabled=False):  # it is asked for in the middle of a step
            return no_text(self.pipeline)
