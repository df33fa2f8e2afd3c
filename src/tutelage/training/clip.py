"""Trains `toybox-clip`: captions and pictures in one space, the image tower helped by the known attributes."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTokenizer, CLIPVisionConfig

from tutelage.diffusion.device import pick_device
from tutelage.toybox.captions import varied_caption
from tutelage.toybox.scene import ATTRIBUTES, Scene, describe
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.settings import ClipShape, Schedule
from tutelage.training.tokenizer import LENGTH, build_tokenizer


def build_clip(shape: ClipShape, tokenizer: CLIPTokenizer) -> CLIPModel:
    """A fresh model for a tokenizer."""
    tower = {"hidden_size": shape.width, "intermediate_size": 3 * shape.width, "num_attention_heads": shape.heads}
    text = CLIPTextConfig(
        **tower,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        num_hidden_layers=shape.text_layers,
        vocab_size=len(tokenizer),
        max_position_embeddings=LENGTH,
        projection_dim=shape.width,
    )
    vision = CLIPVisionConfig(
        **tower,
        num_hidden_layers=shape.vision_layers,
        image_size=shape.size,
        patch_size=shape.patch,
        projection_dim=shape.width,
    )
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=shape.width)
    # the plain attention's backward is faster than the fused one's on a CPU for sequences this short
    config._attn_implementation = "eager"
    return CLIPModel(config)


class Tutored(nn.Module):
    """CLIP with, while training only, a linear reading of every attribute from the image tower."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.clip = clip
        width = clip.config.vision_config.hidden_size
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(values)) for name, values in ATTRIBUTES.items()})


def train_clip(renders: Renders, schedule: Schedule, shape: ClipShape, out: Path, device: str, bf16: bool) -> CLIPModel:
    """Train (or finish training) a CLIP in `out`."""
    where = pick_device(device)
    tokenizer = build_tokenizer()
    model = Tutored(build_clip(shape, tokenizer)).to(where)
    clip = model.clip

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        picks = rng.integers(len(renders), size=schedule.batch)
        scenes = [renders.scenes[index] for index in picks]
        ids = tokenize(tokenizer, [varied_caption(scene, rng) for scene in scenes]).to(where)
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            seen = clip.vision_model(pixels(renders, picks).to(where)).pooler_output
            text = clip.text_projection(clip.text_model(input_ids=ids).pooler_output)
            image = clip.visual_projection(seen)
            reading = {name: head(seen) for name, head in model.heads.items()}
        matched = contrast(image.float(), text.float(), clip.logit_scale)
        return matched + 0.15 * attributes(reading, scenes)

    fit(model, loss, schedule, out)
    return clip


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token ids (B, LENGTH), padded to full length."""
    batch = tokenizer(texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    ids: Tensor = batch.input_ids
    return ids


def pixels(renders: Renders, picks: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
    """Training pictures (B, 3, H, W) in [-1, 1]."""
    images = np.stack([renders.images[index] for index in picks])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def contrast(image: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """CLIP's symmetric cross-entropy over a batch of (B, D) features."""
    logits = scale.clamp(max=4.6).exp() * F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T
    truth = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, truth) + F.cross_entropy(logits.T, truth)) / 2


def attributes(reading: dict[str, Tensor], scenes: list[Scene]) -> Tensor:
    """Cross-entropy of every attribute that can be seen, summed; `reading` holds logits (B, values)."""
    described = [describe(scene) for scene in scenes]
    total = torch.zeros((), device=next(iter(reading.values())).device)
    for name, logits in reading.items():
        values = ATTRIBUTES[name]
        truth = torch.tensor([values.index(d[name]) if name in d else -100 for d in described], device=logits.device)
        total = total + F.cross_entropy(logits.float(), truth, ignore_index=-100)
    return total
