"""Measures the base generator: how much its codec keeps, and whether its pictures show what the prompt names.

Protocols:

`codec-mode`
    Held-out pictures encoded (the mode, where the code is a distribution), decoded and rounded to 8 bits; PSNR of each
    picture over [0, 255], then the mean.
`read-back-24-steps`
    One picture for each caption of held-out scenes, 24 steps, guidance 3, read by the attribute reader. A share is of
    the attributes that the caption names (`captions.named`). "renders" are the true pictures of the same scenes held to
    the same words: what the reader can tell at best. Intervals of "all" are bootstraps over pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from tutelage.benches.base import CheckpointBench, Row, checkpoint_row, progress, scaled
from tutelage.benches.heldout import draw, held_out_scenes
from tutelage.benches.intervals import Floats, Interval, bootstrap_mean, bootstrap_ratio, wilson
from tutelage.benches.toybox_reader import read_all, tally
from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.sample import image_seed, picture_size, sample
from tutelage.diffusion.vision import Picture
from tutelage.toybox.captions import Level, caption, named
from tutelage.toybox.reader import Reader, Reading
from tutelage.toybox.scene import ATTRIBUTES, Scene
from tutelage.toybox.vision import folder_of

CHECKPOINT: Final = "toybox-sd"
CODEC, READ_BACK = "codec-mode", "read-back-24-steps"
STEPS, GUIDANCE = 24, 3.0
"""The defaults of `tutelage generate`; part of the protocol, so written down here."""
LEVELS: Final[tuple[Level, ...]] = get_args(Level)


@dataclass(frozen=True, kw_only=True)
class SdBench(CheckpointBench):
    """PSNR of the codec, and the share of what a prompt names that is read back right.

    Scale of the counts: 1 is 512 pictures for the codec, and 256 scenes with a full and a short caption each.
    """

    name: ClassVar[str] = CHECKPOINT
    """Of the rows."""
    checkpoint: str = CHECKPOINT
    reader: str = "toybox-reader"
    """The attribute reader that reads the pictures."""

    def run(self) -> list[Row]:
        """Rows of both protocols.

        Raises:
            BadInput: a checkpoint cannot be loaded.
        """
        return [self._codec(self._pipeline()), *self.read_back(), *self._renders()]

    def read_back(self) -> list[Row]:
        """Rows of the second protocol, but for those of the renders.

        Raises:
            BadInput: a checkpoint cannot be loaded.
        """
        reader, pipeline, scenes = Reader.load(self.reader, self.device), self._pipeline(), self._scenes()
        rows: list[Row] = []
        for level in LEVELS:
            pictures = self._pictures(pipeline, [caption(scene, level) for scene in scenes], level)
            rows += self._shares(self.name, scenes, level, read_all(reader, pictures))
        return rows

    def _renders(self) -> list[Row]:
        scenes = self._scenes()
        truth = read_all(Reader.load(self.reader, self.device), list(draw(scenes, self.workers).images))
        return [row for level in LEVELS for row in self._shares("renders", scenes, level, truth)]

    def _scenes(self) -> list[Scene]:
        return held_out_scenes(scaled(256, self.items), self.seed)

    def _pipeline(self) -> Any:
        return load_pipeline(folder_of(self.checkpoint), self.device, "fp32")

    def _codec(self, pipeline: Any) -> Row:
        side = min(picture_size(pipeline, None))
        pictures = draw(held_out_scenes(scaled(512, self.items), self.seed), self.workers, side)
        mean = bootstrap_mean(psnr(pipeline.vae, pictures.images), self.seed)
        return checkpoint_row(self.name, CODEC, "PSNR dB: codec", mean, len(pictures.images))

    def _pictures(self, pipeline: Any, prompts: list[str], level: Level) -> list[Picture]:
        """One picture a prompt; the noise of a scene's full and short caption differs."""
        first = LEVELS.index(level) * len(prompts)
        seeds = [image_seed(self.seed, first + index) for index in range(len(prompts))]
        batches = sample(pipeline, prompts, seeds, steps=STEPS, guidance=GUIDANCE)
        return [picture for batch in batches for picture in batch]

    def _shares(self, source: str, scenes: Sequence[Scene], level: Level, readings: Sequence[Reading]) -> list[Row]:
        """The share of everything named, then of each attribute that was ever named."""
        right, said = tally([named(scene, level) for scene in scenes], readings)
        every = bootstrap_ratio(right.sum(1), said.sum(1), self.seed)
        rows = [_row(source, f"{level} captions: all", every, said)]
        for index, attribute in enumerate(ATTRIBUTES):
            if count := int(said[:, index].sum()):
                share = wilson(int(right[:, index].sum()), count)
                rows.append(_row(source, f"{level} captions: {attribute}", share, said[:, index]))
        return rows


def _row(source: str, name: str, interval: Interval, said: Floats) -> Row:
    return checkpoint_row(source, READ_BACK, f"read back, {name}", interval, int(said.sum()))


@torch.inference_mode()
def psnr(vae: Any, images: NDArray[np.uint8], batch: int = 16) -> Floats:
    """PSNR in dB (N,) of pictures (N, H, W, 3) after a codec; a perfect copy counts as off by half a step."""
    figures = []
    starts = range(0, len(images), batch)
    for first in progress(starts, "encoding and decoding", len(starts)):
        chosen = images[first : first + batch]
        kept = reconstructed(vae, torch.from_numpy(chosen).permute(0, 3, 1, 2).float() / 127.5 - 1)
        error = ((kept - chosen.astype(np.float64)) ** 2).mean((1, 2, 3))
        figures.append(10 * np.log10(255**2 / np.maximum(error, 0.25)))
    return np.concatenate(figures)


def reconstructed(vae: Any, pixels: torch.Tensor) -> NDArray[np.float64]:
    """Pictures (B, H, W, 3), whole numbers in [0, 255], of pixels (B, 3, H, W) in [-1, 1] there and back."""
    code = vae.encode(pixels.to(vae.device, vae.dtype))
    latents = code.latent_dist.mode() if hasattr(code, "latent_dist") else code.latents
    drawn = vae.decode(latents).sample.float().clamp(-1, 1).permute(0, 2, 3, 1).cpu().numpy()
    return np.asarray(np.round((drawn.astype(np.float64) + 1) * 127.5))
