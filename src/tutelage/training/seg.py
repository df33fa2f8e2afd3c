"""Trains `toybox-seg`: which part of the toy or which accessory each pixel belongs to, by a small SegFormer."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from tutelage.diffusion.device import pick_device
from tutelage.toybox.anatomy import LABELS
from tutelage.training.clip import pixels
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.settings import Schedule


def build_seg() -> SegformerForSemanticSegmentation:
    """A fresh segmenter; its logits come at half the input's size, so that thin things survive."""
    config = SegformerConfig(
        num_encoder_blocks=4,
        depths=[1, 1, 2, 1],
        hidden_sizes=[24, 48, 96, 128],
        num_attention_heads=[1, 2, 3, 4],
        strides=[2, 2, 2, 2],
        patch_sizes=[5, 3, 3, 3],
        mlp_ratios=[3, 3, 3, 3],
        decoder_hidden_size=96,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    return SegformerForSemanticSegmentation(config)


def train_seg(
    renders: Renders, schedule: Schedule, out: Path, device: str, bf16: bool
) -> SegformerForSemanticSegmentation:
    """Train (or finish training) a segmenter in `out`."""
    where = pick_device(device)
    model = build_seg().to(where).train()

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        picks = rng.integers(len(renders), size=schedule.batch)
        labels = torch.from_numpy(np.stack([renders.labels[index] for index in picks])).long().to(where)
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            logits = model(pixel_values=pixels(renders, picks).to(where)).logits
        full = F.interpolate(logits.float(), size=labels.shape[-2:], mode="bilinear", align_corners=False)
        return F.cross_entropy(full, labels)

    fit(model, loss, schedule, out)
    return model.eval()
