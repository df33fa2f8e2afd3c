"""Editors on small random networks, and pairs of nothing in particular."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import torch
from apprentices import photo, png
from torch import nn

from tutelage.diffusion.load import load_pipeline
from tutelage.students import student
from tutelage.students.base import Batch, Request
from tutelage.students.examples import make_batch
from tutelage.students.settings import EditShape, EditTraining
from tutelage.triplet import Picture, Provenance, Reference, Triplet

BASES = {
    "instruct-pix2pix": ("tiny_sd", "tiny_sdxl"),
    "concat-transformer": ("tiny_sd3",),
    "controlnet": ("tiny_sd3",),
    "editnet": ("tiny_sd3",),
}
"""Editor → fixtures of the bases it can have."""
CONCATENATING = ("instruct-pix2pix", "concat-transformer")
"""Those whose base sees the source in further channels, and learns."""
PAIRS = [(name, base) for name, bases in BASES.items() for base in bases]


@cache
def _loaded(base: Path) -> Any:
    return load_pipeline(base, "cpu")


def editor(name: str, base: Path, awake: bool = False, shape: EditShape | None = None, **training: Any) -> Any:
    """A fresh editor on a fresh base; `awake` ones have new weights that do something."""
    pipeline = copy.deepcopy(_loaded(base))
    begun = student(name).from_base(pipeline, shape or EditShape(), EditTraining(**training))
    if awake:
        torch.manual_seed(7)
        for parameter in begun.network.parameters():
            if parameter.requires_grad:
                nn.init.normal_(parameter, std=0.2) if not parameter.any() else None
    if awake and name in CONCATENATING:
        nn.init.normal_(first_layer(begun).weight, std=0.2)
    return begun


def first_layer(begun: Any) -> Any:
    """The convolution that sees the source in a network that it is concatenated for."""
    network = begun.network
    return network.unet.conv_in if hasattr(network, "unet") else network.transformer.pos_embed.proj


def source(seed: int = 1, size: tuple[int, int] = (32, 32)) -> Reference:
    return Reference(picture=Picture(data=png(photo(seed, size))), caption="a red bear toy")


def request(text: str = "a blue hat", seed: int = 3, picture: Reference | None = None) -> Request:
    return Request(text=text, references=(picture or source(),), seed=seed)


def pair(number: int = 0, size: tuple[int, int] = (32, 32), text: str = "a bear in the snow") -> Triplet:
    """(width, height) of both pictures."""
    return Triplet(
        id=f"pair/{number}",
        target=png(photo(100 + number, size)),
        text=text,
        references=(source(number, size),),
        subject="bear",
        skill="swap",
        cluster=f"{number}",
        provenance=Provenance(teacher="truth", base="", seed=number),
    )


def batch(begun: Any, count: int = 2, step: int = 0, size: tuple[int, int] = (32, 32), **training: Any) -> Batch:
    encoder = begun.encoder()
    examples = [encoder.example(pair(number, size)) for number in range(count)]
    return make_batch(examples, EditTraining(**training), seed=0, step=step)
