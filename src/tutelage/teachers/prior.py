"""Prior preservation (DreamBooth, Eq. 2): lessons of the base's own pictures of a class."""

from functools import lru_cache
from typing import Final

from tutelage.diffusion.noise import keyed_seed
from tutelage.teachers.drawing import draw
from tutelage.teachers.lesson import Lesson, picture_latents, told_always
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Prior, Sampling

PRIORS: Final = 32
"""Classes whose pictures are kept in memory."""


class ClassLessons:
    """Subject → the lesson of "a <subject>", drawn by the base once; all experts of a class share it."""

    def __init__(self, model: Model, prior: Prior, sampling: Sampling, seed: int) -> None:
        """The UNet of `model` must be the base whenever a new class is asked for."""
        self.model, self.prior, self.sampling, self.seed = model, prior, sampling, seed
        self.of = lru_cache(maxsize=PRIORS)(self._drawn)
        """It depends on the text alone."""

    def _drawn(self, subject: str) -> Lesson:
        text, count = f"a {subject}", self.prior.pictures
        seeds = [keyed_seed(self.seed, text, number, "prior") for number in range(count)]
        latents = picture_latents(self.model, list(draw(self.model, [text] * count, seeds, self.sampling)))
        return Lesson(latents, told_always(self.model, [text] * count), self.prior.weight)
