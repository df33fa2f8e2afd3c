"""The networks that LPIPS looks with, layer by layer as torchvision numbers them, and their ImageNet weights.

torchvision itself is not needed: its wheels only fit one build of PyTorch, and with it transformers prepares pictures
in another way. The weights are its files.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, get_args

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from tutelage.diffusion.vision import first_line
from tutelage.errors import BadInput

Net = Literal["squeeze", "alex", "vgg"]
NETS: Final[tuple[Net, ...]] = get_args(Net)

FILES: Final[dict[Net, str]] = {
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
}
"""Net → torchvision's file, whose name ends with the beginning of its SHA-256."""
TAPS: Final[dict[Net, tuple[int, ...]]] = {
    "squeeze": (1, 4, 7, 9, 10, 11, 12),
    "alex": (1, 4, 7, 9, 11),
    "vgg": (3, 8, 15, 22, 29),
}
"""Net → the layers whose outputs are compared (Zhang et al. 2018, appendix)."""
PREFIX: Final = "features."


class Fire(nn.Module):
    """SqueezeNet's module: few channels, then many by 1 × 1 and 3 × 3."""

    def __init__(self, channels: int, few: int, many: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, few, 1)
        self.expand1x1 = nn.Conv2d(few, many, 1)
        self.expand3x3 = nn.Conv2d(few, many, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, 2 · many, H, W)."""
        x = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.expand1x1(x)), torch.relu(self.expand3x3(x))], 1)


def squeezenet() -> nn.Sequential:
    """The features of SqueezeNet 1.1."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, stride=2), nn.ReLU()]
    channels = 64
    for few, fires in ((16, 2), (32, 2), (48, 2), (64, 2)):
        layers += [_pool(ceil=True)] if few < 64 else []
        for _ in range(fires):
            layers.append(Fire(channels, few, 4 * few))
            channels = 8 * few
    return nn.Sequential(*layers)


def alexnet() -> nn.Sequential:
    """The features of AlexNet."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), _pool()),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), _pool()),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), _pool()),
    )


def vgg16() -> nn.Sequential:
    """The features of VGG-16."""
    layers: list[nn.Module] = []
    channels = 3
    for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


BUILT: Final = {"squeeze": squeezenet, "alex": alexnet, "vgg": vgg16}


def load_backbone(net: Net, weights: Path | None = None) -> tuple[nn.Sequential, str]:
    """A network with weights, and the first 16 hex digits of their SHA-256.

    Without a file, the one that torchvision, torchmetrics and lpips keep in the cache of `torch.hub`.

    Raises:
        BadInput: the file is absent or damaged, or holds other weights.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / FILES[net] if weights is None else weights
    if not path.is_file():
        way = f"copy torchvision's {FILES[net]} there, give its weights as safetensors, or leave LPIPS out"
        raise BadInput(f"{path} is not there, so LPIPS ({net}) cannot look; {way}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if weights is None and not digest.startswith(path.stem.rpartition("-")[2]):
        raise BadInput(f"{path} is damaged: its SHA-256 is not what its name says; download it again")
    network = BUILT[net]()
    found = {name.removeprefix(PREFIX): value for name, value in _read(path).items() if name.startswith(PREFIX)}
    try:
        network.load_state_dict(found)
    except RuntimeError as error:
        raise BadInput(f"{path} does not hold the features of {net}: {first_line(error)}") from error
    return network.eval().requires_grad_(False), digest[:16]


def _read(path: Path) -> Mapping[str, Tensor]:
    if path.name in FILES.values():
        read: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        return read
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path} is no safetensors file ({first_line(error)}); give weights as safetensors") from error


def _pool(*, ceil: bool = False) -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=ceil)
