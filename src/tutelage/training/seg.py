"""Trains `toybox-seg`: which part of the toy or which accessory each pixel belongs to.

A UPerNet on the residual network of `toybox-reader`, which already tells heads from bodies and hats from crowns.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import ResNetConfig, ResNetForImageClassification, UperNetConfig, UperNetForSemanticSegmentation

from tutelage.diffusion.device import pick_device
from tutelage.toybox.anatomy import LABELS
from tutelage.training.clip import pixels
from tutelage.training.loop import fit
from tutelage.training.reader import enlarged
from tutelage.training.renders import Renders
from tutelage.training.settings import Schedule


def build_seg(reader: Path) -> UperNetForSemanticSegmentation:
    """A segmenter whose backbone is the trained reader's; its logits have a quarter of its input's size."""
    trunk = ResNetForImageClassification.from_pretrained(reader, dtype=torch.float32)
    known = {name: getattr(trunk.config, name) for name in ("embedding_size", "hidden_sizes", "depths", "layer_type")}
    config = UperNetConfig(
        backbone_config=ResNetConfig(**known, out_features=["stage1", "stage2", "stage3", "stage4"]),
        hidden_size=64,
        pool_scales=[1, 2],
        use_auxiliary_head=False,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    model = UperNetForSemanticSegmentation(config)
    model.backbone.load_state_dict(trunk.resnet.state_dict(), strict=False)
    return model


def train_seg(
    renders: Renders, schedule: Schedule, side: int, reader: Path, out: Path, device: str, bf16: bool
) -> UperNetForSemanticSegmentation:
    """Train (or finish training) a segmenter in `out`, on pictures enlarged to `side` pixels."""
    where = pick_device(device)
    model = build_seg(reader).to(where, memory_format=torch.channels_last).train()

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        picks = rng.integers(len(renders), size=schedule.batch)
        labels = torch.from_numpy(np.stack([renders.labels[index] for index in picks])).long().to(where)
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            logits = model(pixel_values=enlarged(pixels(renders, picks).to(where), side)).logits
        full = F.interpolate(logits.float(), size=labels.shape[-2:], mode="bilinear", align_corners=False)
        return F.cross_entropy(full, labels)

    fit(model, loss, schedule, out)
    return model.eval()
