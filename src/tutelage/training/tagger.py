"""Trains `toybox-tagger`: what a caption would say of a picture, for a judge that compares the two.

It has the reader's shape and not its weights: who judges must not be who measures.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import ResNetForImageClassification

from tutelage.diffusion.device import pick_device
from tutelage.diffusion.tags import Labels, groups, named
from tutelage.toybox.captions import EMPTY, PHRASES, caption
from tutelage.toybox.scene import COLOURS, PATTERNS
from tutelage.training.clip import pixels
from tutelage.training.loop import fit
from tutelage.training.reader import build_classifier, enlarged
from tutelage.training.renders import Renders
from tutelage.training.settings import Schedule

SILENT: Final = ("pattern", "accessory", "expression", "environment", "style")
"""Groups of which a caption may say nothing."""
NOBODY: Final = 1 / 8
"""Share of a batch with nobody in it."""


def tags() -> list[str]:
    """The labels of a tagger: the phrases of captions, by attribute."""
    said = {name: [*phrases.values()] for name, phrases in PHRASES.items()}
    said["kind"].append(EMPTY)
    said |= {"body": [*COLOURS], "head": [f"{colour} head" for colour in COLOURS]}
    said |= {"accent": [f"{colour} limbs" for colour in COLOURS], "pattern": [*PATTERNS[1:]]}
    silent = [f"{name}=" for name in SILENT]
    return [*(f"{name}={phrase}" for name, phrases in said.items() for phrase in phrases), *silent]


def build_tagger() -> ResNetForImageClassification:
    """A fresh tagger, see `tags`."""
    return build_classifier(tags())


def train_tagger(
    renders: Renders, places: Renders, schedule: Schedule, side: int, out: Path, device: str, bf16: bool
) -> ResNetForImageClassification:
    """Train (or finish training) a tagger in `out`; `places` are `renders.emptied()`.

    It looks at pictures enlarged to `side` pixels, a little noisy and shifted.
    """
    where = pick_device(device)
    model = build_tagger().to(where, memory_format=torch.channels_last).train()
    labels = groups(model.config.id2label, "the tagger")
    empty = round(schedule.batch * NOBODY)

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        picks = rng.integers(len(renders), size=schedule.batch - empty)
        without = rng.integers(len(places), size=empty)
        clean = torch.cat([pixels(renders, picks), pixels(places, without)])
        clean = torch.roll(clean, tuple(int(s) for s in rng.integers(-3, 4, 2)), (2, 3))
        noisy = clean + torch.randn_like(clean) * float(rng.uniform(0, 0.12))
        scenes = [renders.scenes[index] for index in picks] + [places.scenes[index] for index in without]
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            logits = model(pixel_values=enlarged(noisy.to(where), side)).logits
        return misread(logits.float(), [caption(scene) for scene in scenes], labels)

    fit(model, loss, schedule, out)
    return model.eval()


def misread(logits: Tensor, captions: list[str], labels: Labels) -> Tensor:
    """Cross-entropy of every group of which a caption names a phrase, summed; `logits` are (B, labels)."""
    said = [named(one, labels) for one in captions]
    total = torch.zeros((), device=logits.device)
    for group, phrases in labels.items():
        order = list(phrases)
        rows = [row for row, one in enumerate(said) if group in one]
        truth = torch.tensor([order.index(said[row][group]) for row in rows], device=logits.device)
        if rows:
            total = total + F.cross_entropy(logits[rows][:, list(phrases.values())], truth)
    return total
