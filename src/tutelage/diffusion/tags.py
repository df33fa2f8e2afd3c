"""What a picture shows by an image classifier, beside what a caption says: both by the classifier's own labels.

A label reads "group=phrase", such as "place=on the beach"; of each group one is true. A caption names the phrase of a
group that it says first, and where it says none, the group's silent label, "group=", if there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageClassification

from tutelage.diffusion.features import PictureFeatures
from tutelage.diffusion.vision import load_network, network_folder, pixels
from tutelage.diffusion.words import first_said
from tutelage.errors import BadInput

Labels = Mapping[str, Mapping[str, int]]
"""Group → phrase → which output of the classifier says so."""


@dataclass(frozen=True)
class Tagger(PictureFeatures):
    """An image classifier whose labels are phrases of captions, in groups."""

    labels: Labels

    @torch.inference_mode()
    def pictures(self, images: Sequence[Image.Image], batch: int = 64) -> Tensor:
        """Log-probabilities (N, labels) of RGB pictures within each group, float32 on the CPU."""
        parts = [
            self._within(self.network(pixel_values=pixels(self.processor, images[at : at + batch], self.device)).logits)
            for at in range(0, len(images), batch)
        ]
        return torch.cat(parts) if parts else torch.empty(0, 0)

    def _within(self, logits: Tensor) -> Tensor:
        found = logits.float().cpu()
        for outputs in self.labels.values():
            chosen = list(outputs.values())
            found[:, chosen] = found[:, chosen].log_softmax(-1)
        return found


@lru_cache(maxsize=4)
def load_tagger(name_or_path: str | Path, device: str = "auto") -> Tagger:
    """A classifier by folder or Hub id.

    Raises:
        BadInput: there is no such classifier or device, or its labels are not of the form "group=phrase".
    """
    folder = network_folder(name_or_path)
    network, processor, where = load_network(AutoModelForImageClassification, folder, device)
    return Tagger(network, processor, where, folder, groups(network.config.id2label, str(name_or_path)))


def groups(id2label: Mapping[int, str], model: str) -> Labels:
    """A classifier's labels by group.

    Raises:
        BadInput: a label is not of the form "group=phrase", or a group has but one.
    """
    found: dict[str, dict[str, int]] = {}
    for index, label in id2label.items():
        group, sign, phrase = label.partition("=")
        if not sign or not group:
            raise BadInput(f"{model}: the label '{label}' is not of the form group=phrase, such as place=on the beach")
        found.setdefault(group, {})[phrase] = int(index)
    if lonely := next((group for group, phrases in found.items() if len(phrases) < 2), ""):
        raise BadInput(f"{model}: '{lonely}' has one label, so it tells nothing; give a classifier with at least two")
    return found


def named(caption: str, labels: Labels) -> dict[str, str]:
    """Group → the phrase that a caption says first, or the silent one.

    >>> named("a duck in the snow", {"place": {"in space": 0, "in the snow": 1}, "worn": {"": 2, "wearing a hat": 3}})
    {'place': 'in the snow', 'worn': ''}
    """
    found = {}
    for group, phrases in labels.items():
        said = first_said([phrase for phrase in phrases if phrase], caption) or ""
        if said in phrases:
            found[group] = said
    return found
