"""Generative Data Refinement (Boesel & Rombach 2024): pairs that there are, drawn anew by a better model.

Both pictures of a pair are enlarged, covered with one noise, and denoised, each towards its own caption.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tutelage.editing.settings import check_guidance
from tutelage.errors import BadInput
from tutelage.triplet import Provenance, Triplet

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    from PIL.Image import Image

    from tutelage.editing.denoise import Denoiser
    from tutelage.editing.enlarge import Enlarger
    from tutelage.editing.sdedit import Redraw


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """The numbers are the paper's, for SDXL and its refiner."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    refiner: str | Path | None = None
    """Another one with the same codec, such as SDXL's refiner, which does the last steps; None: the base does all."""
    enlarger: str | Path | None = None
    """Folder or Hub id of a super-resolution model of transformers, such as Swin2SR; the paper has HAT, for ×2. None:
    pictures are brought to the base's size by interpolation."""
    seed: int = 0
    """Of the run."""
    log_snr: float = -4.649
    """Of the pictures when they are covered."""
    steps: int = 18
    """Of the base."""
    refiner_steps: int = 15
    """Of the refiner, if there is one. Both go through one discretisation, one after the other: the paper does not say
    where the refiner begins. With these numbers and SDXL's levels it is at step 250 of the 1000 trained."""
    guidance: float = 5.0
    """Up to 1: none. The paper does not say; it is what it draws with in the end."""
    device: str = "auto"
    dtype: str = "auto"
    name: ClassVar[str] = "refinement"

    def __post_init__(self) -> None:
        check_guidance(self.guidance)
        if self.steps < 1 or self.refiner_steps < 1:
            raise BadInput(f"steps of a refinement are {self.steps} and {self.refiner_steps}; give at least 1 each")

    def refine(self, triplets: Sequence[Triplet]) -> Iterator[Triplet]:
        """Yield each pair, drawn anew, in order; the source is the first reference, and others stay as they are.

        A pair is drawn at its source's aspect ratio. It depends on the settings and its own triplet alone.

        Raises:
            BadInput: a model cannot be loaded, the base was never trained at that noise, or a pair lacks a caption or
                a picture that can be read.
        """
        for triplet in triplets:
            yield self._refined(triplet)

    def _refined(self, triplet: Triplet) -> Triplet:
        from tutelage.diffusion.noise import keyed_seed
        from tutelage.diffusion.pictures import decode, png

        if not triplet.references or not triplet.references[0].caption or not triplet.caption:
            raise BadInput(f"{triplet.id}: source and target need a caption each to be refined; leave it out")
        source, *others = triplet.references
        seed = keyed_seed(self.seed, triplet.id, "refinement")
        files = {"source": source.picture.data, "target": triplet.target}
        pictures = [decode(file, f"{triplet.id}, {what}") for what, file in files.items()]
        before, after = self._drawn(pictures, (source.caption, triplet.caption), seed)
        return replace(
            triplet,
            id=f"{triplet.id}/refined",
            target=png(after),
            references=(replace(source, picture=replace(source.picture, data=png(before))), *others),
            provenance=Provenance(teacher=self.name, base=self._weights, seed=seed),
        )

    def _drawn(self, pictures: "Sequence[Image]", captions: Sequence[str], seed: int) -> "list[Image]":
        """Each picture towards its caption; they share the noise and nothing else."""
        from tutelage.diffusion.sample import lane_width
        from tutelage.editing.denoise import Denoiser
        from tutelage.editing.sdedit import Redraw

        size = self._size(pictures[0])
        models = [Denoiser.of(pipeline, size) for pipeline in self._pipelines]
        large = self._enlarger(pictures) if self._enlarger else pictures
        asked = [
            Redraw(picture=picture, prompt=caption, seed=seed) for picture, caption in zip(large, captions, strict=True)
        ]
        width = lane_width(self._pipelines[0], len(asked))
        lanes = [asked[first : first + width] for first in range(0, len(asked), width)]
        return [picture for lane in lanes for picture in self._redrawn(models, lane)]

    def _redrawn(self, models: "Sequence[Denoiser]", asked: "Sequence[Redraw]") -> "list[Image]":
        from tutelage.diffusion.schedule import schedule_from
        from tutelage.editing.sdedit import covered, towards

        base = models[0]
        counts = [self.steps, self.refiner_steps][: len(models)]
        scheduler = schedule_from(base.pipeline.scheduler, self.log_snr, sum(counts), base.pipeline.device)
        clean = base.encode([one.picture for one in asked])
        latents = covered(base, scheduler, clean, [one.seed for one in asked], 0)
        for model, steps in zip(models, shared_out(len(scheduler.timesteps), counts), strict=True):
            latents = towards(model, scheduler, latents, asked, self.guidance, steps)
        return models[-1].decode(latents)

    def _size(self, source: "Image") -> tuple[int, int]:
        """Of a pair, (height, width): the source's aspect ratio, the area that the base was trained at."""
        from tutelage.diffusion.latents import fitted_size
        from tutelage.diffusion.sample import coarsest_cell, picture_size

        base = self._pipelines[0]
        return fitted_size((source.height, source.width), picture_size(base, None), coarsest_cell(base))

    @cached_property
    def _pipelines(self) -> list[Any]:
        """Base and refiner.

        Raises:
            BadInput: their latents differ.
        """
        from tutelage.diffusion.load import load_pipeline

        models = [self.base] if self.refiner is None else [self.base, self.refiner]
        pipelines: list[Any] = [load_pipeline(model, self.device, self.dtype) for model in models]
        if len({(one.vae.config.latent_channels, one.vae_scale_factor) for one in pipelines}) > 1:
            raise BadInput(f"{self.base} and {self.refiner} have latents of different kinds; give two with one codec")
        return pipelines

    @cached_property
    def _enlarger(self) -> "Enlarger | None":
        from tutelage.editing.enlarge import Enlarger

        return None if self.enlarger is None else Enlarger.load(self.enlarger, self.device)

    @cached_property
    def _weights(self) -> str:
        """Of all the models, in one."""
        import hashlib

        from tutelage.diffusion.load import local_folder, weights_hash

        models = [one for one in (self.base, self.refiner) if one is not None]
        hashes = [weights_hash(local_folder(model)) for model in models]
        hashes += [self._enlarger.weights] if self._enlarger else []
        return hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:16]


def shared_out(steps: int, counts: Sequence[int]) -> list[range]:
    """So many steps given to models one after the other, in the proportion of `counts`.

    >>> shared_out(33, [18, 15])
    [range(0, 18), range(18, 33)]
    """
    ends = [round(steps * sum(counts[: n + 1]) / sum(counts)) for n in range(len(counts))]
    return [range(first, last) for first, last in zip([0, *ends], ends, strict=False)]
