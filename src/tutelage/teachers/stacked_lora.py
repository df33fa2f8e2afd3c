"""Low-rank adapters of K experts side by side: one forward pass of the frozen base serves them all (`fleet`).

A batch holds the experts' pictures one expert after another, the same number each. The base's output for a picture does
not depend on the others, and what an adapter adds is a batched product over experts, so experts share the work and
nothing else.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.diffusion.noise import keyed_generator
from tutelage.teachers.settings import Lora
from tutelage.teachers.tuning import ATTENTION, CONVOLUTIONS


class StackedLora(nn.Module):
    """The adapters of one layer of the base: factors (K, r, inputs) and (K, outputs, r), in float32."""

    def __init__(self, layer: nn.Linear | nn.Conv2d, downs: Tensor) -> None:
        super().__init__()
        outputs = layer.weight.shape[0]
        self.layer = layer
        self.downs = nn.Parameter(downs.to(layer.weight.device))
        self.ups = nn.Parameter(torch.zeros(len(downs), outputs, downs.shape[1], device=layer.weight.device))

    def added(self, inputs: Tensor, experts: Tensor) -> Tensor:
        """What the adapters of `experts` (E,) add to the layer's output for E · B rows of inputs."""
        downs, ups = self.downs[experts], self.ups[experts]
        if isinstance(self.layer, nn.Linear):
            rows = inputs.reshape(len(downs), -1, inputs.shape[-1])
            return (rows @ downs.mT @ ups.mT).reshape(*inputs.shape[:-1], -1)
        return _convolved(inputs, self.layer, downs, ups)

    def delta(self, expert: int) -> Tensor:
        """What one expert adds to the layer's weight, in the shape of that weight."""
        return (self.ups[expert] @ self.downs[expert]).reshape(self.layer.weight.shape)


class Stack:
    """The adapters of K experts in a UNet."""

    def __init__(self, sites: Sequence[StackedLora], count: int) -> None:
        self.sites = sites
        self.active: Tensor | None = torch.arange(count)
        """Experts (E,) whose pictures the batch holds; None: the base alone."""

    def parameters(self) -> list[nn.Parameter]:
        """All factors, each with the experts as its first dimension."""
        return [parameter for site in self.sites for parameter in (site.downs, site.ups)]

    @contextmanager
    def merged(self, expert: int) -> Iterator[None]:
        """Within it the UNet is that expert, at the base's own cost; on leaving it is the base to the last bit."""
        before, self.active = self.active, None
        kept = [site.layer.weight.data for site in self.sites]
        try:
            for site, weight in zip(self.sites, kept, strict=True):
                site.layer.weight.data = weight + site.delta(expert).detach()
            yield
        finally:
            self.active = before
            for site, weight in zip(self.sites, kept, strict=True):
                site.layer.weight.data = weight


@contextmanager
def stacked(unet: Any, lora: Lora, seed: int, keys: Sequence[str]) -> Iterator[Stack]:
    """Fresh adapters for the experts named by `keys`, hooked into the UNet; on leaving they are gone.

    First weights are keyed by (seed, key, layer): whoever trains beside an expert, it starts from the same ones.
    """
    layers = {name: layer for name, layer in unet.named_modules() if _adapted(name, lora)}
    sites = [StackedLora(layer, _first_downs(layer, lora.rank, seed, keys, name)) for name, layer in layers.items()]
    stack = Stack(sites, len(keys))

    def hook(site: StackedLora) -> Any:
        def add(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            return output if stack.active is None else output + site.added(inputs[0], stack.active)

        return add

    handles = [site.layer.register_forward_hook(hook(site)) for site in sites]
    try:
        yield stack
    finally:
        for handle in handles:
            handle.remove()


def _adapted(name: str, lora: Lora) -> bool:
    names = (*ATTENTION, *(CONVOLUTIONS if lora.convolutions else ()))
    return any(name == ending or name.endswith(f".{ending}") for ending in names)


def _first_downs(layer: Any, rank: int, seed: int, keys: Sequence[str], name: str) -> Tensor:
    """(K, rank, inputs), uniform as Kaiming has it for the inputs; PEFT starts its adapters from the same law."""
    inputs = layer.weight[0].numel()
    bound = 1 / math.sqrt(inputs)
    draws = [torch.rand(rank, inputs, generator=keyed_generator(seed, key, name, "adapters")) for key in keys]
    return (2 * torch.stack(draws) - 1) * bound


def _convolved(inputs: Tensor, layer: nn.Conv2d, downs: Tensor, ups: Tensor) -> Tensor:
    """The first factor is a convolution of the layer's own kernel, one group an expert; the second is of 1 × 1."""
    experts, rank = downs.shape[:2]
    beside = inputs.reshape(experts, -1, *inputs.shape[1:]).transpose(0, 1).flatten(1, 2)  # (B, E · C, h, w)
    kernels = downs.reshape(experts * rank, -1, *layer.kernel_size)
    narrow = F.conv2d(beside, kernels, None, layer.stride, layer.padding, layer.dilation, experts)
    shape = (len(beside), experts, rank, *narrow.shape[2:])
    by_expert = narrow.reshape(shape).permute(1, 2, 0, 3, 4)  # (E, r, B, h, w)
    wide = (ups @ by_expert.flatten(2)).reshape(experts, -1, *by_expert.shape[2:])
    return wide.transpose(1, 2).flatten(0, 1)
