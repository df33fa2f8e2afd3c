"""What an expert learns from: pictures as latents and what is said of them, both encoded before the first step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from tutelage.diffusion.latents import encode_pictures, resized
from tutelage.diffusion.pictures import decode
from tutelage.diffusion.text import TextConditions, encode_text
from tutelage.teachers.model import Model
from tutelage.triplet import Cluster

Words = TextConditions | list[str]
"""Encoded already, or to be encoded at every step, where what encodes them is trained."""
Told = Callable[[Sequence[int], torch.Generator], Words]
"""Numbers of pictures, random numbers → what is said of these pictures."""


@dataclass(frozen=True)
class Lesson:
    """Pictures and words."""

    latents: Sequence[Tensor]
    """Of each picture (C, h, w), at its own aspect ratio."""
    told: Told
    weight: float = 1.0
    """Of the error on it."""

    def draw(self, count: int, generator: torch.Generator) -> list[int]:
        """Numbers of `count` pictures of one size; every picture is as likely as any other.

        None comes twice before all of its size have come once.
        """
        first = self.latents[int(torch.randint(len(self.latents), (), generator=generator))]
        alike = [number for number, latent in enumerate(self.latents) if latent.shape == first.shape]
        order = torch.randperm(len(alike), generator=generator).tolist()
        return [alike[order[place % len(alike)]] for place in range(count)]


def subject_lesson(model: Model, cluster: Cluster, rare_token: str = "") -> Lesson:
    """A cluster's pictures by their captions, or by the subject; with a rare token all are "a <token> <subject>"."""
    captions = [reference.caption or cluster.subject for reference in cluster.references]
    if rare_token:
        captions = [f"a {rare_token} {cluster.subject}"] * len(captions)
    return Lesson(cluster_latents(model, cluster), told_always(model, captions))


def cluster_latents(model: Model, cluster: Cluster) -> list[Tensor]:
    """Latents (C, h, w) of a cluster's pictures.

    Raises:
        BadInput: a picture cannot be read.
    """
    named = [(f"cluster {cluster.id}, picture {place}", ref.picture) for place, ref in enumerate(cluster.references)]
    return picture_latents(model, [decode(picture.data, name) for name, picture in named])


def picture_latents(model: Model, pictures: Sequence[Image.Image]) -> list[Tensor]:
    """Latents (C, h, w) of RGB pictures, each at its own aspect ratio; one at a time, for sizes differ."""
    sized = [resized(picture, model.size_for(*picture.size)) for picture in pictures]
    return [encode_pictures(model.pipeline.vae, [picture])[0] for picture in sized]


def encoded(model: Model, several: Sequence[Words]) -> TextConditions:
    """What is said of several batches of pictures, one after another."""
    texts = [text for words in several if isinstance(words, list) for text in words]
    if texts:
        return encode_text(model.pipeline, texts)
    conditions = [words for words in several if isinstance(words, TextConditions)]
    pooled = [words.pooled for words in conditions if words.pooled is not None]
    return TextConditions(torch.cat([words.hidden for words in conditions]), torch.cat(pooled) if pooled else None)


@torch.no_grad()
def told_always(model: Model, captions: Sequence[str]) -> Told:
    """The same words for a picture at every step, encoded now."""
    encoded = encode_text(model.pipeline, captions)
    return lambda which, _: encoded.take(which)
