"""The new layers: attention from a noisy picture's positions to features of demonstrations (SuTI, §4 "Apprentice").

They are kept beside the UNet, not in it, so the UNet stays diffusers' own and is saved as such. Student folders name
this module as the home of `ReferenceAttention`: it has to stay importable from here.
"""

import math
from typing import Any, Final, NamedTuple

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.models import Transformer2DModel
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.errors import BadInput
from tutelage.students.settings import SutiShape


class Site(NamedTuple):
    """A module of the UNet whose output attends, and the one of the down stack whose output it attends to.

    Both are on one level, so their resolutions match.
    """

    module: str
    channels: int
    source: str
    source_channels: int


class Remembered(NamedTuple):
    """What one layer needs of the demonstrations of M items: T positions each, padded to the longest."""

    keys: Tensor
    """(M, heads, T, width)."""
    values: Tensor
    """(M, heads, T, width)."""
    mask: Tensor | None
    """(M, 1, 1, T), true at real positions; None if all of them are."""


class ReferenceLayer(nn.Module):
    """One attention with its own norms and projections; adds nothing until it has learned something."""

    def __init__(self, channels: int, source_channels: int, head_width: int) -> None:
        super().__init__()
        self.heads = channels // math.gcd(channels, head_width)
        self.norm = nn.LayerNorm(channels)
        self.norm_source = nn.LayerNorm(source_channels)
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(source_channels, channels, bias=False)
        self.to_v = nn.Linear(source_channels, channels, bias=False)
        self.to_out = nn.Linear(channels, channels)
        nn.init.zeros_(self.to_out.weight)
        nn.init.zeros_(self.to_out.bias)

    def remember(self, features: Tensor, mask: Tensor | None) -> Remembered:
        """Keys and values of features (M, T, source channels)."""
        features = self.norm_source(features)
        return Remembered(self._by_head(self.to_k(features)), self._by_head(self.to_v(features)), mask)

    def queries(self, hidden: Tensor) -> Tensor:
        """Queries (M, heads, h · w, width) of hidden states (M, C, h, w)."""
        return self._by_head(self.to_q(self.norm(positions(hidden))))

    def forward(self, hidden: Tensor, remembered: Remembered) -> Tensor:
        """What to add to hidden states (M, C, h, w); the same shape and number format."""
        keys, values, mask = remembered
        queries = self.queries(hidden)
        seen = F.scaled_dot_product_attention(queries, keys.to(queries.dtype), values.to(queries.dtype), mask)
        added: Tensor = self.to_out(seen.transpose(1, 2).flatten(2))
        return added.transpose(1, 2).reshape(hidden.shape).to(hidden.dtype)

    def _by_head(self, vectors: Tensor) -> Tensor:
        return vectors.reshape(*vectors.shape[:2], self.heads, -1).transpose(1, 2)


class ReferenceAttention(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """All new layers of a student, one a site; a model of its own, saved and loaded as diffusers does it."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, sites: list[dict[str, Any]], head_width: int = 64, clean_timestep: int = 0) -> None:
        super().__init__()
        self.sites: Final = tuple(Site(**site) for site in sites)
        self.layers = nn.ModuleDict(
            {_key(site.module): ReferenceLayer(site.channels, site.source_channels, head_width) for site in self.sites}
        )

    def layer(self, module: str) -> ReferenceLayer:
        """The layer of the site with that module."""
        found = self.layers[_key(module)]
        assert isinstance(found, ReferenceLayer)
        return found

    @property
    def sources(self) -> frozenset[str]:
        """The modules whose outputs are looked at."""
        return frozenset(site.source for site in self.sites)


def new_layers(unet: UNet2DConditionModel, shape: SutiShape, seed: int = 0) -> ReferenceAttention:
    """Fresh layers for a UNet, on its device and in its number format, the same for one seed.

    Raises:
        BadInput: the UNet is of a kind, or the levels are such, that there is no place for them.
    """
    sites = [site._asdict() for site in find_sites(unet, shape.levels)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: ReferenceAttention = ReferenceAttention(sites, shape.head_width, shape.clean_timestep)
    layers.layers.to(unet.device, unet.dtype)
    return layers


def find_sites(unet: UNet2DConditionModel, levels: tuple[int, ...] | None) -> list[Site]:
    """The sites on the way through the UNet: down, middle, up.

    Level 0 is the finest; the middle is on the coarsest. Of each block the transformers attend, or else the residual
    blocks. What is attended to is what the down stack has made of a picture when it leaves that level.

    Raises:
        BadInput: a level does not exist, or none has a place, or a block is of an unknown kind.
    """
    depth = len(unet.down_blocks)
    if bad := [level for level in levels or () if not 0 <= level < depth]:
        raise BadInput(f"level {bad[0]} of {depth}; give levels from 0, the finest, to {depth - 1}")
    blocks = [(f"down_blocks.{i}", i) for i in range(depth)]
    blocks += [("mid_block", depth - 1)] if unet.mid_block is not None else []
    blocks += [(f"up_blocks.{i}", depth - 1 - i) for i in range(depth)]
    sites = [
        Site(place, channels, *_places(unet, f"down_blocks.{level}")[-1])
        for block, level in blocks
        if (level in levels if levels is not None else _attends(unet.get_submodule(block)))
        for place, channels in _places(unet, block)
    ]
    if not sites:
        raise BadInput("this UNet has no attention to put the new one beside; give levels, such as 0 1")
    return sites


def check_fit(unet: nn.Module, sites: tuple[Site, ...]) -> None:
    """Look whether the sites are those of a UNet.

    Raises:
        BadInput: one is not there, or has another number of channels.
    """
    for path, channels in [pair for site in sites for pair in (site[:2], site[2:])]:
        try:
            found = _channels(path, unet.get_submodule(path))
        except AttributeError as error:
            raise BadInput(f"the UNet has no {path}, which its reference attention is made for") from error
        if found != channels:
            raise BadInput(f"{path} of the UNet has {found} channels; its reference attention is made for {channels}")


def positions(hidden: Tensor) -> Tensor:
    """Hidden states (B, C, h, w) as vectors (B, h · w, C)."""
    return hidden.flatten(2).transpose(1, 2)


def _places(unet: nn.Module, block: str) -> list[tuple[str, int]]:
    """Paths and channels of the modules of a block after which attention can be put."""
    kind = "attentions" if _attends(unet.get_submodule(block)) else "resnets"
    parts = [(f"{block}.{kind}.{i}", part) for i, part in enumerate(getattr(unet.get_submodule(block), kind, ()))]
    return [(path, _channels(path, part)) for path, part in parts]


def _attends(block: nn.Module) -> bool:
    return bool(getattr(block, "has_cross_attention", False))


def _channels(path: str, part: nn.Module) -> int:
    if isinstance(part, Transformer2DModel):
        return int(part.in_channels)
    if isinstance(part, ResnetBlock2D):
        return int(part.out_channels)
    raise BadInput(
        f"{path} of this UNet is a {type(part).__name__}; there is no attention to demonstrations for it yet"
    )


def _key(module: str) -> str:
    """A path without dots, which PyTorch does not allow in names."""
    return module.replace(".", "_")
