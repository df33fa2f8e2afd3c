"""Pictures and sentences → unit features, by any network of transformers that looks at pictures.

A network is loaded once in a process, whoever asks for it. Its numbers do not depend on the batch: texts are padded to
one length, everything is computed in float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, AutoTokenizer, CLIPModel, CLIPVisionModelWithProjection

from tutelage.diffusion.load import weights_hash
from tutelage.diffusion.vision import first_line, load_network, network_folder, pixels
from tutelage.errors import BadInput

UNPOOLED: Final = ("deit", "vit")
"""Kinds whose pooling layer is often absent from the folder, and is not needed."""
PROJECTED: Final[dict[str, Any]] = {"clip": CLIPModel, "clip_vision_model": CLIPVisionModelWithProjection}
"""Kinds whose features are compared after a projection."""


@dataclass(frozen=True)
class PictureFeatures:
    """A network that looks at pictures."""

    network: Any
    processor: Any
    device: torch.device
    folder: Path

    @cached_property
    def weights(self) -> str:
        """Hash of the folder's configs and weights, as in `weights_hash`."""
        return weights_hash(self.folder)

    @torch.inference_mode()
    def pictures(self, images: Sequence[Image.Image], batch: int = 64) -> Tensor:
        """Unit features (N, D) of RGB pictures, float32 on the CPU; preprocessed as the checkpoint says."""
        parts = [
            self._look(pixels(self.processor, images[first : first + batch], self.device)).float().cpu()
            for first in range(0, len(images), batch)
        ]
        return F.normalize(torch.cat(parts), dim=-1) if parts else torch.empty(0, 0)

    def _look(self, seen: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, D): CLIP's projected feature, else the class token of the last layer."""
        if self.network.config.model_type in PROJECTED:
            projected: Tensor = self.network.visual_projection(self.network.vision_model(seen).pooler_output)
            return projected
        token: Tensor = self.network(pixel_values=seen).last_hidden_state[:, 0]
        return token


@dataclass(frozen=True)
class ClipFeatures(PictureFeatures):
    """A CLIP, which reads as well."""

    tokenizer: Any

    @torch.inference_mode()
    def texts(self, sentences: Sequence[str], batch: int = 256) -> Tensor:
        """Unit features (N, D) of sentences, float32 on the CPU; what is beyond CLIP's limit is cut off."""
        longest = min(self.tokenizer.model_max_length, self.network.config.text_config.max_position_embeddings)
        parts = []
        for first in range(0, len(sentences), batch):
            told = self.tokenizer(
                list(sentences[first : first + batch]),
                padding="max_length",
                max_length=longest,
                truncation=True,
                return_tensors="pt",
            ).to(self.device)
            read = self.network.text_model(input_ids=told.input_ids, attention_mask=told.attention_mask).pooler_output
            parts.append(self.network.text_projection(read).float().cpu())
        return F.normalize(torch.cat(parts), dim=-1) if parts else torch.empty(0, 0)


@lru_cache(maxsize=8)
def picture_features(name_or_path: str | Path, device: str = "auto") -> PictureFeatures:
    """A ViT, DeiT, DINO, DINOv2, … or a CLIP, by folder or Hub id.

    Raises:
        BadInput: there is no such network or device, or it has neither a class token nor a CLIP's projection.
    """
    folder = network_folder(name_or_path)
    kind = _kind(folder)
    if kind == "clip":
        return clip_features(name_or_path, device)
    options = {"add_pooling_layer": False} if kind in UNPOOLED else {}
    network, processor, where = load_network(PROJECTED.get(kind, AutoModel), folder, device, **options)
    if kind not in PROJECTED and not _has_class_token(network):
        raise BadInput(f"{folder} is a {kind}, which has no class token; give a ViT, a DINO, a DINOv2 or a CLIP")
    return PictureFeatures(network, processor, where, folder)


@lru_cache(maxsize=8)
def clip_features(name_or_path: str | Path, device: str = "auto") -> ClipFeatures:
    """A CLIP, by folder or Hub id.

    Raises:
        BadInput: there is no such CLIP or device.
    """
    folder = network_folder(name_or_path)
    network, processor, where = load_network(CLIPModel, folder, device)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{folder} has no tokenizer that can be loaded: {first_line(error)}") from error
    return ClipFeatures(network, processor, where, folder, tokenizer)


def _kind(folder: Path) -> str:
    try:
        kind: str = AutoConfig.from_pretrained(folder).model_type
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{folder} is no network of transformers: {first_line(error)}") from error
    return kind


def _has_class_token(network: Any) -> bool:
    return any(name.endswith("cls_token") for name, _ in network.named_parameters())
