"""Sharpens a CLIP's image tower on single attributes; its text tower, which the base model shares, stays as it is.

Captions differ in many words at once, so contrast alone leaves small things (are those glasses?) to chance. Here each
picture is also told apart from prototypes that differ in one attribute: the mean feature of captions of other scenes
with the value put in, as zero-shot classification does it (Radford et al. 2021, §3.1.4).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPModel, CLIPTokenizer

from tutelage.diffusion.device import pick_device
from tutelage.toybox.captions import caption, varied_caption
from tutelage.toybox.sampling import TRAIN, random_scene, random_subject
from tutelage.toybox.scene import ATTRIBUTES, Scene, describe
from tutelage.training.clip import contrast, pixels, tokenize
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.settings import Schedule

FIELDS: Final = {"scene": "place", "view": "view", "accessory": "accessory", "style": "style"}
"""Attribute → the field of `Scene` it is."""
TEMPLATES: Final = 64
"""Scenes whose captions make up a prototype."""


class Sharpened(nn.Module):
    """The parts of a CLIP that may move: the image tower and both projections."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.vision, self.visual = clip.vision_model, clip.visual_projection
        self.text = clip.text_projection


def sharpen_clip(renders: Renders, schedule: Schedule, clip: Path, out: Path, device: str, bf16: bool) -> CLIPModel:
    """Train (or finish training) the image side of the CLIP in `clip`."""
    where = pick_device(device)
    network = CLIPModel.from_pretrained(clip, dtype=torch.float32, attn_implementation="eager").to(where)
    tokenizer = CLIPTokenizer.from_pretrained(clip)
    model = Sharpened(network)
    banks = {name: bank(network, tokenizer, name, where) for name in FIELDS}

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        picks = rng.integers(len(renders), size=schedule.batch)
        scenes = [renders.scenes[index] for index in picks]
        texts = read(network, tokenizer, [varied_caption(scene, rng) for scene in scenes], where)
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            image = model.visual(model.vision(pixels(renders, picks).to(where)).pooler_output).float()
        told_apart = [apart(model, image, banks[name], name, scenes, network.logit_scale) for name in FIELDS]
        return contrast(image, model.text(texts), network.logit_scale) + 0.5 * torch.stack(told_apart).sum()

    fit(model, loss, schedule, out)
    return network


def bank(clip: CLIPModel, tokenizer: CLIPTokenizer, attribute: str, device: torch.device) -> Tensor:
    """Text features before projection, (values, TEMPLATES, D), of one attribute's values put into random scenes."""
    rngs = [np.random.default_rng([TRAIN, 7, number]) for number in range(TEMPLATES)]
    scenes = [random_scene(rng, random_subject(rng)) for rng in rngs]
    # the place's own weather would give it away, and not every place has weather
    day: dict[str, Any] = {"environment": "day"} if attribute == "scene" else {}
    values = ATTRIBUTES[attribute]
    said = [caption(replace(s, **({FIELDS[attribute]: value} | day)), "short") for value in values for s in scenes]
    return read(clip, tokenizer, said, device).view(len(values), TEMPLATES, -1)


@torch.no_grad()
def read(clip: CLIPModel, tokenizer: CLIPTokenizer, texts: list[str], device: torch.device) -> Tensor:
    """Pooled text features (B, D), not projected."""
    ids = tokenize(tokenizer, texts).to(device)
    features: Tensor = torch.cat([clip.text_model(input_ids=part).pooler_output for part in torch.split(ids, 256)])
    return features


def apart(
    model: Sharpened, image: Tensor, stored: Tensor, attribute: str, scenes: list[Scene], scale: Tensor
) -> Tensor:
    """Cross-entropy of pictures (B, D) against the prototypes of one attribute."""
    prototypes = F.normalize(F.normalize(model.text(stored), dim=-1).mean(1), dim=-1)
    values = ATTRIBUTES[attribute]
    truth = torch.tensor([values.index(describe(scene)[attribute]) for scene in scenes], device=image.device)
    return F.cross_entropy(scale.exp().clamp(max=100) * F.normalize(image, dim=-1) @ prototypes.T, truth)
