"""LPIPS (Zhang et al. 2018), version 0.1: weighted differences of a network's normalised features."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.benches.metrics.backbones import NETS, TAPS, Net, load_backbone
from tutelage.benches.metrics.pixels import Planes, Region
from tutelage.diffusion.device import pick_device
from tutelage.errors import BadInput, did_you_mean

SHIFT: Final = (-0.030, -0.088, -0.188)
SCALE: Final = (0.458, 0.448, 0.450)
"""ImageNet's statistics, for pixels in [-1, 1]."""
EPSILON: Final = 1e-8


@dataclass(frozen=True)
class Lpips:
    """LPIPS with one of its networks."""

    net: Net
    backbone: nn.Sequential
    linear: tuple[Tensor, ...]
    """The calibrated weight of every channel (C, 1, 1), layer by layer."""
    weights: str
    """Hash of the backbone's weights."""

    @torch.inference_mode()
    def __call__(self, left: Planes, right: Planes, where: Region | None = None) -> float:
        """The distance of two pictures of one size, from 0.

        With `where` a layer's differences are averaged over these pixels, each place of a layer counting by how much of
        its square is in the region; nan if it is empty.
        """
        far = zip(self.linear, self._features(left), self._features(right), strict=True)
        return sum(_mean((weight * (a - b) ** 2).sum(0), where) for weight, a, b in far)

    def _features(self, picture: Planes) -> list[Tensor]:
        """Normalised features (C, h, w) of every layer compared."""
        shift, scale = (torch.tensor(three).view(3, 1, 1) for three in (SHIFT, SCALE))
        seen = (((2 * picture - 1) - shift) / scale)[None].to(self.linear[0].device)
        found = []
        for number, layer in enumerate(self.backbone):
            seen = layer(seen)
            if number in TAPS[self.net]:
                found.append(seen[0] / torch.sqrt(EPSILON + (seen[0] ** 2).sum(0, keepdim=True)))
        return found


def load_lpips(net: str = "squeeze", weights: Path | None = None, device: str = "auto") -> Lpips:
    """LPIPS with a network: squeeze, alex or vgg.

    Args:
        net: the network.
        weights: safetensors of torchvision's weights; without them, the file in the cache of `torch.hub`.
        device: where to look.

    Raises:
        BadInput: there is no such network or device, or its weights are absent.
    """
    known = next((name for name in NETS if name == net), None)
    if known is None:
        raise BadInput(f"no LPIPS network '{net}'.{did_you_mean(net, NETS)} Give one of {', '.join(NETS)}")
    where = pick_device(device)
    backbone, digest = load_backbone(known, weights)
    return Lpips(known, backbone.to(where), tuple(one.to(where) for one in _linear(known)), digest)


def _linear(net: Net) -> list[Tensor]:
    """The calibration that comes with torchmetrics."""
    with as_file(files("torchmetrics") / "functional" / "image" / "lpips_models" / f"{net}.pth") as path:
        read: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return [read[f"lin{number}.model.1.weight"][0] for number in range(len(TAPS[net]))]


def _mean(local: Tensor, where: Region | None) -> float:
    """The mean of a map (h, w) over a region (H, W) of the picture."""
    if where is None:
        return float(local.mean())
    share = F.interpolate(where[None, None].float().to(local.device), local.shape, mode="area")[0, 0]
    return float((local * share).sum() / share.sum())
