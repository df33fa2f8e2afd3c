"""Low-rank adapters of K experts side by side: one forward pass of the frozen base serves them all (`fleet`).

The base's output for a picture does not depend on the others, and what an adapter adds is a batched product over
experts (`low_rank`), so experts share the work and nothing else. All numbers of an expert are one row of a matrix:
clipping, the optimiser, a fresh start and a file are operations on rows.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.diffusion.noise import keyed_generator
from tutelage.teachers.low_rank import Factors, add_low_rank
from tutelage.teachers.settings import Lora
from tutelage.teachers.tuning import ATTENTION, CONVOLUTIONS


@dataclass(frozen=True)
class Site:
    """A layer with adapters, and where their numbers are in an expert's row."""

    name: str
    layer: nn.Linear | nn.Conv2d
    rank: int
    start: int

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs, and inputs of one output: a convolution has each channel once for each place of its kernel."""
        return self.layer.weight.shape[0], self.layer.weight[0].numel()

    @property
    def stop(self) -> int:
        """Where the numbers of the next site begin."""
        return self.start + self.rank * sum(self.shape)

    def downs(self, rows: Tensor) -> Tensor:
        """(E, N) → the first factors (E, r, inputs), a view."""
        inputs = self.shape[1]
        return rows[:, self.start : self.start + self.rank * inputs].view(-1, self.rank, inputs)

    def ups(self, rows: Tensor) -> Tensor:
        """(E, N) → the second factors (E, outputs, r), a view; they are kept transposed, as they are multiplied."""
        outputs, inputs = self.shape
        return rows[:, self.start + self.rank * inputs : self.stop].view(-1, self.rank, outputs).mT

    def delta(self, row: Tensor) -> Tensor:
        """(N,) → what that expert adds to the layer's weight, in the shape of that weight."""
        factors = self.ups(row[None])[0] @ self.downs(row[None])[0]
        return factors.reshape(self.layer.weight.shape)


class Stack:
    """The adapters of K experts in a UNet, each in a slot."""

    def __init__(self, sites: Sequence[Site], slots: int, precision: torch.dtype) -> None:
        self.sites = sites
        self.precision = precision
        """What is computed in; values and gradients are float32."""
        device = sites[0].layer.weight.device
        self.values = nn.Parameter(torch.zeros(slots, sites[-1].stop, device=device))
        """(K, N), a row for each slot."""
        self.values.grad = torch.zeros_like(self.values)
        self._anchor = torch.zeros((), device=device, requires_grad=True)
        self._rows: tuple[Tensor, Tensor] | None = None

    @torch.no_grad()
    def begin(self, slot: int, seed: int, key: str, start: Tensor | None = None) -> None:
        """A fresh expert in a slot; from `start` (N,), or with first weights keyed by (seed, key, layer).

        Whoever trains beside it and wherever it is, it starts from the same ones.
        """
        self.values[slot] = (first_weights(self.sites, seed, key) if start is None else start).to(self.values.device)

    @contextmanager
    def of(self, slots: Sequence[int]) -> Iterator[None]:
        """Within it the UNet's batch holds pictures of these slots' experts, one slot after another.

        Go back through the network within it, too: on leaving, the gradients are added to those of `values`.
        """
        gradients = self.values.grad
        assert gradients is not None
        every = list(slots) == list(range(len(self.values)))
        which = torch.tensor(slots, device=self.values.device)
        rows = self.values.detach() if every else self.values.detach()[which]
        into = gradients if every else torch.zeros_like(rows)
        self._rows = rows.to(self.precision), into
        try:
            yield
        finally:
            self._rows = None
        if not every:
            gradients.index_add_(0, which, into)

    @contextmanager
    def merged(self, slot: int) -> Iterator[None]:
        """Within it the UNet is that expert, at the base's own cost; on leaving it is the base to the last bit."""
        kept = [site.layer.weight.data for site in self.sites]
        row = self.values.detach()[slot]
        try:
            for site, weight in zip(self.sites, kept, strict=True):
                site.layer.weight.data = (weight + site.delta(row)).to(weight.dtype)
            yield
        finally:
            for site, weight in zip(self.sites, kept, strict=True):
                site.layer.weight.data = weight

    def add(self, site: Site, inputs: Tensor, output: Tensor) -> Tensor:
        """The layer's output with what the experts at work add to it; without any, as it is."""
        if self._rows is None:
            return output
        values, into = self._rows
        factors = Factors(site.downs(values), site.ups(values), site.downs(into), site.ups(into))
        return add_low_rank(site.layer, inputs, output, factors, self._anchor)


@contextmanager
def stacked(unet: Any, lora: Lora, slots: int, precision: torch.dtype = torch.float32) -> Iterator[Stack]:
    """Adapters for so many experts, hooked into the UNet; on leaving they are gone."""
    stack = Stack(sites_of(unet, lora), slots, precision)

    def hook(site: Site) -> Any:
        return lambda _, inputs, output: stack.add(site, inputs[0], output)

    handles = [site.layer.register_forward_hook(hook(site)) for site in stack.sites]
    try:
        yield stack
    finally:
        for handle in handles:
            handle.remove()


def sites_of(unet: Any, lora: Lora) -> list[Site]:
    """The layers of a UNet that get adapters, in its own order."""
    sites: list[Site] = []
    for name, layer in unet.named_modules():
        if _adapted(name, lora):
            sites.append(Site(name, layer, lora.rank, sites[-1].stop if sites else 0))
    return sites


def first_weights(sites: Sequence[Site], seed: int, key: str) -> Tensor:
    """(N,): second factors are zero, first ones uniform as Kaiming has it for the inputs, which is PEFT's law too."""
    row = torch.zeros(1, sites[-1].stop)
    for site in sites:
        downs = site.downs(row)
        bound = 1 / math.sqrt(site.shape[1])
        drawn = torch.rand(downs.shape[1:], generator=keyed_generator(seed, key, site.name, "adapters"))
        downs.copy_((2 * drawn - 1) * bound)
    return row[0]


def _adapted(name: str, lora: Lora) -> bool:
    names = (*ATTENTION, *(CONVOLUTIONS if lora.convolutions else ()))
    return any(name == ending or name.endswith(f".{ending}") for ending in names)
