"""Trains `toybox-dino`: pictures of one toy close together, other toys of its kind far away.

Supervised contrastive learning (Khosla et al. 2020, Eq. 2) on the normalised class token, from the weights of
`toybox-clip`'s image tower; batches hold few kinds, so that the kind alone tells nobody apart.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPVisionModel, ViTConfig, ViTModel

from tutelage.diffusion.device import pick_device
from tutelage.toybox.scene import ATTRIBUTES, KINDS
from tutelage.training.clip import attributes, pixels
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.settings import Grouping, Schedule

IDENTITY = ("kind", "body", "head", "accent", "pattern")
"""Attributes that belong to the toy and not to the picture."""

_RENAMED = {
    "embeddings.class_embedding": "embeddings.cls_token",
    "embeddings.patch_embedding.": "embeddings.patch_embeddings.projection.",
    "embeddings.position_embedding.weight": "embeddings.position_embeddings",
    "encoder.layers.": "layers.",
    "self_attn.out_proj": "attention.o_proj",
    "self_attn.": "attention.",
    "layer_norm1": "layernorm_before",
    "layer_norm2": "layernorm_after",
    "post_layernorm": "layernorm",
}


class Identity(nn.Module):
    """A ViT with, while training only, a linear reading of what belongs to the toy."""

    def __init__(self, vit: ViTModel) -> None:
        super().__init__()
        self.vit = vit
        width = vit.config.hidden_size
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(ATTRIBUTES[name])) for name in IDENTITY})


def from_clip(clip: Path) -> ViTModel:
    """A ViT of the shape of a CLIP's image tower, started from its weights.

    A ViT has no norm before its first block; that one of CLIP's is left out and the training makes up for it.
    """
    tower = CLIPVisionModel.from_pretrained(clip)
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size")
    shared = {name: getattr(tower.config, name) for name in names}
    config = ViTConfig(**shared, hidden_act=tower.config.hidden_act, attn_implementation="eager")
    vit = ViTModel(config, add_pooling_layer=False)
    shapes = {name: value.shape for name, value in vit.state_dict().items()}
    weights = {_renamed(name): value for name, value in tower.state_dict().items()}
    vit.load_state_dict({name: w.reshape(shapes[name]) for name, w in weights.items() if name in shapes}, strict=False)
    return vit


def _renamed(name: str) -> str:
    for old, new in _RENAMED.items():
        name = name.replace(old, new)
    return name.removeprefix("vision_model.")


def train_dino(
    renders: Renders, schedule: Schedule, grouping: Grouping, clip: Path, out: Path, device: str, bf16: bool
) -> ViTModel:
    """Train (or finish training) identity features in `out`."""
    where = pick_device(device)
    model = Identity(from_clip(clip)).to(where)
    by_kind: dict[str, list[int]] = {
        kind: [n for n in range(renders.subjects) if _kind(renders, n) == kind] for kind in KINDS
    }

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        subjects = pick_subjects(by_kind, grouping, rng)
        views = np.stack([rng.permutation(renders.views)[: grouping.views] for _ in subjects])
        picks = (subjects[:, None] * renders.views + views).ravel()
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            features = model.vit(pixel_values=pixels(renders, picks).to(where)).last_hidden_state[:, 0]
            reading = {name: head(features) for name, head in model.heads.items()}
        same = torch.from_numpy(subjects.repeat(grouping.views)).to(where)
        return attract(features.float(), same) + 0.1 * attributes(reading, [renders.scenes[i] for i in picks])

    fit(model, loss, schedule, out)
    return model.vit


def _kind(renders: Renders, number: int) -> str | None:
    subject = renders.scenes[number * renders.views].subject
    return subject.kind if subject else None


def pick_subjects(
    by_kind: dict[str, list[int]], grouping: Grouping, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Different subjects of a few kinds, numbers (kinds * subjects,)."""
    kinds = rng.permutation(list(by_kind))[: grouping.kinds]
    return np.concatenate([rng.permutation(by_kind[kind])[: grouping.subjects] for kind in kinds])


def attract(features: Tensor, same: Tensor, temperature: float = 0.07) -> Tensor:
    """Supervised contrastive loss of features (B, D) whose subjects are `same` (B,)."""
    unit = F.normalize(features, dim=-1)
    itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    logits = (unit @ unit.T / temperature).masked_fill(itself, -1e9)
    friends = (same[:, None] == same[None, :]) & ~itself
    log_share = logits - logits.logsumexp(1, keepdim=True)
    return -((log_share * friends).sum(1) / friends.sum(1)).mean()
