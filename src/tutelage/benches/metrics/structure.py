"""Structure distance: how differently two pictures' parts resemble each other (Tumanyan et al. 2022, Splicing ViT).

Keys of a ViT's last layer (layer 11 of DINO ViT-B/8), heads joined, class token included; their cosines with each
other are a picture's structure; the distance is the mean squared difference of two structures.

Published figures of PIE-Bench were computed with pixels from 0 to 255 where the network expects them from 0 to 1;
`FULL_SCALE` gives these.
"""

from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from tutelage.benches.metrics.pixels import Planes
from tutelage.diffusion.features import PictureFeatures
from tutelage.errors import BadInput

LONGEST: Final = 480
"""Pixels of the longer side, at most."""
FULL_SCALE: Final = 255.0
KEYS: Final = ("key", "k_proj")
"""What transformers calls the layers that make keys."""


def structure_distance(network: PictureFeatures, left: Planes, right: Planes, scale: float = 1.0) -> float:
    """The distance of two pictures, from 0; `scale` multiplies pixels before they are normalised.

    Raises:
        BadInput: the network is not a ViT.
    """
    return float(F.mse_loss(structure(network, left, scale), structure(network, right, scale)))


@torch.inference_mode()
def structure(network: PictureFeatures, picture: Planes, scale: float = 1.0) -> Tensor:
    """Cosines (T, T) of the keys of a picture's patches and the class token.

    Raises:
        BadInput: the network is not a ViT.
    """
    kind = network.network.config.model_type
    if kind != "vit":
        raise BadInput(f"{network.folder} is a {kind}; structure distance needs a ViT such as facebook/dino-vitb8")
    keys: list[Tensor] = []
    hook = _last_keys(network.network).register_forward_hook(lambda _, __, made: keys.append(made))
    try:
        network.network(pixel_values=_seen(network, picture * scale), interpolate_pos_encoding=True)
    finally:
        hook.remove()
    unit = F.normalize(keys[0][0].float(), dim=-1)
    return unit @ unit.T


def _last_keys(network: Any) -> Any:
    return [layer for name, layer in network.named_modules() if name.rpartition(".")[2] in KEYS][-1]


def _seen(network: PictureFeatures, picture: Tensor) -> Tensor:
    """(1, 3, h, w): the shorter side as the checkpoint says, the longer at most 480 pixels; normalised."""
    size = network.processor.size
    side = size["shortest_edge"] if "shortest_edge" in size else size["height"]
    height, width = picture.shape[1:]
    shrink = min(side / min(height, width), LONGEST / max(height, width))
    target = (int(height * shrink), int(width * shrink))
    small = F.interpolate(picture[None], target, mode="bilinear", align_corners=False, antialias=True)
    mean, std = (
        torch.tensor(three).view(1, 3, 1, 1) for three in (network.processor.image_mean, network.processor.image_std)
    )
    return ((small - mean) / std).to(network.device)
