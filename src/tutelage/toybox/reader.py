"""The attribute reader: turns a picture of a toy back into a description.

It measures; it never judges. A judge that asked the reader would be marked by its own answers, so nothing under
`judges` may use it. Its accuracy on held-out toys is printed by `tutelage bench checkpoints`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageClassification

from tutelage.diffusion.vision import Picture, load_network, pixels, squared
from tutelage.errors import BadInput
from tutelage.toybox.scene import ATTRIBUTES
from tutelage.toybox.vision import folder_of

Groups = dict[str, dict[str, int]]
"""Attribute → value → which output of the network says so."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the reader sees in one picture: for every attribute its likeliest value."""

    values: dict[str, str]
    confidence: dict[str, float]
    """Probability in [0, 1] that the reader gives to that value, among the attribute's values."""


@dataclass(frozen=True)
class Reader:
    """An image classifier whose labels are `attribute=value`."""

    network: Any
    processor: Any
    device: torch.device
    groups: Groups

    @staticmethod
    def load(name_or_path: str | Path = "toybox-reader", device: str = "auto") -> "Reader":
        """A reader from a shipped name, a folder or a Hub id.

        Raises:
            BadInput: the device is absent, the folder cannot be loaded, or its labels do not cover the toybox.
        """
        network, processor, where = load_network(AutoModelForImageClassification, folder_of(name_or_path), device)
        return Reader(network, processor, where, attribute_groups(network.config.id2label, str(name_or_path)))

    def read(self, images: Sequence[Picture], batch: int = 64) -> list[Reading]:
        """Read pictures of any size, `batch` at a time.

        Squares are resized. Others are first padded to a square by drawing out their edges, so nothing is cut off but
        the toy gets smaller than any the reader learnt from; the published accuracy is for squares.

        Raises:
            BadInput: an array is not uint8 (H, W, 3).
        """
        readings: list[Reading] = []
        for first in range(0, len(images), batch):
            squares = [squared(image)[0] for image in images[first : first + batch]]
            readings += self._read_squares(squares)
        return readings

    @torch.inference_mode()
    def _read_squares(self, squares: Sequence[Any]) -> list[Reading]:
        logits = self.network(pixel_values=pixels(self.processor, squares, self.device)).logits.float().cpu()
        seen: list[Reading] = [Reading(values={}, confidence={}) for _ in squares]
        for attribute, outputs in self.groups.items():
            names = list(outputs)
            best = logits[:, list(outputs.values())].softmax(-1).max(-1)
            for reading, share, index in zip(seen, best.values.tolist(), best.indices.tolist(), strict=True):
                reading.values[attribute] = names[index]
                reading.confidence[attribute] = share
        return seen


def attribute_groups(id2label: Mapping[int, str], model: str) -> Groups:
    """Sort the outputs of `model` by attribute.

    Raises:
        BadInput: a label is not an `attribute=value` of `scene.ATTRIBUTES`, or one of those is missing or double.
    """
    wanted = [f"{attribute}={value}" for attribute, values in ATTRIBUTES.items() for value in values]
    labels = {label: int(index) for index, label in id2label.items()}
    wrong = [label for label in labels if label not in wanted] or [label for label in wanted if label not in labels]
    if wrong or len(labels) != len(id2label):
        what = f"label '{wrong[0]}' is {'missing' if wrong[0] in wanted else 'unknown'}" if wrong else "labels repeat"
        raise BadInput(f"{model} is no attribute reader of the toybox ({what}); give one such as toybox-reader")
    return {name: {value: labels[f"{name}={value}"] for value in values} for name, values in ATTRIBUTES.items()}


def agreement(named: Mapping[str, str], reading: Reading) -> dict[str, bool]:
    """Attribute → whether the reading has the value that was named (see `captions.named`).

    Raises:
        BadInput: an attribute is named that no reader knows.
    """
    if strange := sorted(named.keys() - reading.values.keys()):
        raise BadInput(f"no reader knows the attribute '{strange[0]}'; there are {', '.join(ATTRIBUTES)}")
    return {attribute: reading.values[attribute] == value for attribute, value in named.items()}
