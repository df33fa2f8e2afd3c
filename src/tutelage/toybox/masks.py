"""A phrase and a picture → a mask, in the toybox: a segmenter's labels, chosen by a small grammar.

    phrase  := group (("and" | ",") group)* (("without" | "except" | "but" | "minus") group)*
    group   := filler* noun (qualifier word*)?

Fillers are articles, possessives ("its", "the bear's"), kinds before another noun, colours, patterns and moods; after a
qualifier ("of", "with", "wearing", …) words must be known and change nothing: "the hat of the blue bear" is the hat.
The network tells apart body, head, limbs and accessories, so "its ears" and "its arms" are the same mask: all limbs.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F
from transformers import AutoModelForSemanticSegmentation

from tutelage.diffusion.vision import Picture, load_network, pixels, squared
from tutelage.errors import BadInput, did_you_mean
from tutelage.toybox.anatomy import LABELS, Label
from tutelage.toybox.captions import vocabulary
from tutelage.toybox.scene import COLOURS, EXPRESSIONS, KINDS, PATTERNS, PLACES
from tutelage.toybox.vision import folder_of

TOY: Final[frozenset[Label]] = frozenset(LABELS) - {"background"}
"""The toy with all it wears and holds."""
WORN: Final[frozenset[Label]] = TOY - {"body", "head", "limbs"}

_SYNONYMS: Final[dict[Label, str]] = {
    "background": f"backdrop scene scenery surroundings place {' '.join(PLACES)}",
    "body": "torso belly tummy chest",
    "head": "face muzzle",
    "limbs": "limb arm arms hand hands paw paws foot feet leg legs ear ears tail tails horn horns",
    "hat": "hats",
    "crown": "crowns",
    "scarf": "scarves shawl",
    "glasses": "spectacles",
    "cape": "capes cloak",
    "balloon": "balloons",
}
NOUNS: Final[dict[str, frozenset[Label]]] = {
    **{word: frozenset({label}) for label in LABELS for word in (label, *_SYNONYMS[label].split())},
    **dict.fromkeys(("toy", "subject", "character", "figure", "it", *KINDS), TOY),
    **dict.fromkeys(("accessory", "accessories", "clothes"), WORN),
    **dict.fromkeys(("everything", "all", "picture", "image"), TOY | {"background"}),
}
"""Word → the labels it stands for."""

_FILLERS: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "its",
        "his",
        "her",
        "their",
        "this",
        "that",
        "whole",
        "entire",
        *COLOURS,
        *PATTERNS,
        *EXPRESSIONS,
    ]
)
_QUALIFIERS: Final = frozenset(["of", "on", "in", "at", "with", "wearing", "holding", "behind", "around", "under"])
_PLUS, _MINUS = frozenset(["and", ","]), frozenset(["without", "except", "but", "minus"])
_KNOWN: Final = frozenset(NOUNS) | _FILLERS | _QUALIFIERS | _PLUS | _MINUS | frozenset(vocabulary())


def labels_of(phrase: str) -> frozenset[Label]:
    """The labels that a phrase of the grammar above stands for.

    >>> sorted(labels_of("its blue head and the crown"))
    ['crown', 'head']

    Raises:
        BadInput: a word is unknown, or the phrase names nothing.
    """
    named: frozenset[Label] = frozenset()
    for added, words in _groups(phrase):
        found = _labels_of_group(words, phrase)
        named = named | found if added else named - found
    if not named:
        raise BadInput(f"'{phrase}' leaves nothing to mask; name a part such as 'the toy' or 'its hat'")
    return named


def _groups(phrase: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield (added or taken away, words) for each group of a phrase."""
    added, words = True, []
    for word in re.findall(r",|[^\s,]+", phrase.lower().replace("’", "'").rstrip(" .")):
        if word not in _PLUS | _MINUS:
            words.append(word)
            continue
        if words or word not in _PLUS:  # ", and" is one break
            yield added, words
        added, words = (False, []) if word in _MINUS else (added, [])
    yield added, words


def _labels_of_group(words: Sequence[str], phrase: str) -> frozenset[Label]:
    bare = [word.removesuffix("'s") for word in words]
    if strange := [word for word in bare if word not in _KNOWN]:
        near = did_you_mean(strange[0], NOUNS)
        raise BadInput(f"no part '{strange[0]}' in '{phrase}'.{near} There are the toy, {', '.join(LABELS)}")
    end = next((place for place, word in enumerate(bare) if word in _QUALIFIERS), len(bare))
    *before, noun = bare[:end] or [""]
    if noun not in NOUNS or any(word not in _FILLERS and NOUNS.get(word) != TOY for word in before):
        raise BadInput(f"'{' '.join(words)}' in '{phrase}' names no part; there are the toy, {', '.join(LABELS)}")
    return NOUNS[noun]


@dataclass(frozen=True)
class Segmenter:
    """A semantic segmentation network whose labels are `anatomy.LABELS`."""

    network: Any
    processor: Any
    device: torch.device
    order: tuple[int, ...]
    """For each label of `LABELS`, which output of the network it is."""

    @staticmethod
    def load(name_or_path: str | Path = "toybox-seg", device: str = "auto") -> "Segmenter":
        """A segmenter from a shipped name, a folder or a Hub id.

        Raises:
            BadInput: the device is absent, the folder cannot be loaded, or its labels are not the toybox's.
        """
        network, processor, where = load_network(AutoModelForSemanticSegmentation, folder_of(name_or_path), device)
        outputs = {label: int(index) for index, label in network.config.id2label.items()}
        if outputs.keys() != set(LABELS):
            raise BadInput(f"{name_or_path} is no segmenter of the toybox: its labels are not {', '.join(LABELS)}")
        return Segmenter(network, processor, where, tuple(outputs[label] for label in LABELS))

    def mask(self, images: Sequence[Picture], phrase: str, batch: int = 32) -> list[NDArray[np.bool_]]:
        """Where each picture shows what `phrase` names (see `labels_of`): masks (H, W) of the pictures' own sizes.

        Raises:
            BadInput: the phrase is not of the grammar, or an array is not uint8 (H, W, 3).
        """
        wanted = [LABELS.index(label) for label in labels_of(phrase)]
        return [np.isin(labels, wanted) for labels in self.labels(images, batch)]

    def labels(self, images: Sequence[Picture], batch: int = 32) -> list[NDArray[np.uint8]]:
        """Label maps (H, W), values as in `anatomy.LABELS`; pictures that are not square are padded, not cut."""
        maps: list[NDArray[np.uint8]] = []
        for first in range(0, len(images), batch):
            squares = [squared(image) for image in images[first : first + batch]]
            maps += self._label_squares(squares)
        return maps

    @torch.inference_mode()
    def _label_squares(self, squares: Sequence[tuple[Any, tuple[int, int, int, int]]]) -> Iterator[NDArray[np.uint8]]:
        batch = pixels(self.processor, [image for image, _ in squares], self.device)
        logits = self.network(pixel_values=batch).logits.float()[:, list(self.order)]
        for scores, (image, (left, top, right, bottom)) in zip(logits, squares, strict=True):
            full = F.interpolate(scores[None], size=(image.height, image.width), mode="bilinear", align_corners=False)
            yield full[0, :, top:bottom, left:right].argmax(0).to(torch.uint8).cpu().numpy()
