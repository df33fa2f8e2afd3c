"""A UNet of diffusers that also looks at demonstrations.

Demonstrations go through the UNet's own down stack, clean and with their captions; what it makes of them is turned into
keys and values once. They never see the noisy picture, so that these hold for every step of sampling.

The UNet is diffusers' and is run by its own code. The new layers come in through forward hooks on the modules named by
their sites, and the down stack is the UNet with the rest taken out. Both are checked at every call: if another version
of diffusers goes another way through the modules, it is an error, not another picture.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tutelage.diffusion.text import TextConditions
from tutelage.students.base import References
from tutelage.students.reference_attention import ReferenceAttention, Remembered, check_fit, positions


@dataclass(frozen=True)
class Memory:
    """Demonstrations of the rows of a batch, as all new layers need them; computed once, used at every step."""

    sites: Mapping[str, Remembered]
    """Of each site's module."""
    rows: tuple[int, ...] | None
    """Which rows of the batch have demonstrations; None: all."""


class _Visit(Protocol):
    """What is done at a module while the UNet runs: takes its path and output and returns its output."""

    def __call__(self, module: str, hidden: Tensor) -> Tensor: ...


class ReferenceUNet(nn.Module):
    """A UNet and its new layers. Without demonstrations it computes exactly what the UNet does."""

    def __init__(self, unet: Any, attention: ReferenceAttention, cell: int) -> None:
        """Hook `attention` into `unet`; `cell` is the side of a latent position in pixels.

        Raises:
            BadInput: the layers were made for another UNet.
        """
        super().__init__()
        self.unet, self.attention, self.cell = unet, attention, cell
        self.through_references = True
        self._visit: _Visit | None = None
        check_fit(unet, attention.sites)
        for module in sorted({site.module for site in attention.sites} | attention.sources):
            unet.get_submodule(module).register_forward_hook(_Hook(self, module))

    def forward(self, sample: Tensor, timesteps: Tensor, text: TextConditions, references: References) -> Tensor:
        """What the UNet says (B, C, h, w) of B noisy latents at (B,) timesteps, given their texts and references."""
        size = (sample.shape[2] * self.cell, sample.shape[3] * self.cell)
        memory = self.remember(references)
        said = self.denoise(sample, timesteps, text.arguments(size), memory)
        return said + self._no_slope() if memory is None and torch.is_grad_enabled() else said

    def denoise(self, sample: Tensor, timesteps: Tensor, told: Mapping[str, Any], memory: Memory | None) -> Tensor:
        """The same with the UNet's own keyword arguments, and with demonstrations as remembered; None: without."""
        if memory is None:
            return _said(self.unet(sample, timesteps, **told, return_dict=False))
        attend = _Attend(self.attention, memory)
        with self._visiting(attend):
            said = _said(self.unet(sample, timesteps, **told, return_dict=False))
        _check_visited(attend.visited, {site.module for site in self.attention.sites})
        return said

    def remember(self, references: References) -> Memory | None:
        """Encode the references of B items; None if there are none at all."""
        has = references.present.any(1)
        if not has.any():
            return None
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.through_references):
            features = self._features(references)
        present = references.present[has]
        masks = {source: _mask(present, found.shape[1]) for source, found in features.items()}
        sites = {
            site.module: self.attention.layer(site.module).remember(
                _by_item(features[site.source], present), masks[site.source]
            )
            for site in self.attention.sites
        }
        return Memory(sites, None if has.all() else tuple(has.nonzero().flatten().tolist()))

    def checkpoint_activations(self) -> None:
        """Compute the UNet's activations again on the way back instead of keeping them."""
        self.unet.enable_gradient_checkpointing(self._checkpointed)

    def _no_slope(self) -> Tensor:
        """Zero, with a gradient of zero for all new layers: optimisers and several devices expect one at every step."""
        return 0 * torch.stack([parameter.flatten()[0] for parameter in self.attention.parameters()]).sum()

    def _features(self, references: References) -> dict[str, Tensor]:
        """Of each source, what it makes of every present reference, (N, positions, C)."""
        latents = references.latents[references.present]
        captions = references.captions.take(references.present.flatten().nonzero().flatten().tolist())
        size = (latents.shape[2] * self.cell, latents.shape[3] * self.cell)
        collect = _Collect(self.attention.sources)
        with self._visiting(collect):
            _down_stack(self.unet)(latents, self.attention.config.clean_timestep, **captions.arguments(size))
        _check_visited(collect.features.keys(), self.attention.sources)
        return collect.features

    @contextmanager
    def _visiting(self, visit: _Visit | None) -> Iterator[None]:
        before, self._visit = self._visit, visit
        try:
            yield
        finally:
            self._visit = before

    def _checkpointed(self, module: nn.Module, *inputs: Any) -> Any:
        """Run a part of the UNet, and run it again on the way back with the visit that it had at first."""
        visit = self._visit

        def run(*inputs: Any) -> Any:
            with self._visiting(visit):
                return module(*inputs)

        return checkpoint(run, *inputs, use_reentrant=False)


def join(memories: Sequence[Memory | None]) -> Memory | None:
    """One memory for a batch out of one a row; those of different length are padded."""
    rows = tuple(row for row, memory in enumerate(memories) if memory is not None)
    found = [memory.sites for memory in memories if memory is not None]
    if not found:
        return None
    sites = {module: _padded([sites[module] for sites in found]) for module in found[0]}
    return Memory(sites, None if len(rows) == len(memories) else rows)


class _Hook:
    """A forward hook; an object, so that a copy of the network has hooks that know the copy."""

    def __init__(self, network: ReferenceUNet, module: str) -> None:
        self.network, self.module = network, module

    def __call__(self, _: nn.Module, __: Any, output: Any) -> Any:
        visit = self.network._visit
        if visit is None:
            return output
        if isinstance(output, tuple):
            return (visit(self.module, output[0]), *output[1:])
        if isinstance(output, Tensor):
            return visit(self.module, output)
        raise TypeError(f"{self.module} of this version of diffusers returns {type(output).__name__}")


class _Collect:
    """Keeps what sources say."""

    def __init__(self, sources: frozenset[str]) -> None:
        self.sources, self.features = sources, dict[str, Tensor]()

    def __call__(self, module: str, hidden: Tensor) -> Tensor:
        if module in self.sources:
            self.features[module] = positions(hidden)
        return hidden


class _Attend:
    """Lets sites look at what is remembered."""

    def __init__(self, attention: ReferenceAttention, memory: Memory) -> None:
        self.attention, self.memory, self.visited = attention, memory, set[str]()

    def __call__(self, module: str, hidden: Tensor) -> Tensor:
        remembered = self.memory.sites.get(module)
        if remembered is None:
            return hidden
        self.visited.add(module)
        layer = self.attention.layer(module)
        if self.memory.rows is None:
            added: Tensor = layer(hidden, remembered)
            return hidden + added
        rows = torch.tensor(self.memory.rows, device=hidden.device)
        return hidden.index_add(0, rows, layer(hidden[rows], remembered))


def _down_stack(unet: Any) -> Any:
    """The UNet without what comes after its down stack; it shares all modules that are left."""
    down = copy.copy(unet)
    down._modules = dict(unet._modules)
    down.mid_block, down.up_blocks = None, nn.ModuleList()
    down.conv_norm_out, down.conv_out = None, nn.Identity()
    return down


def _by_item(features: Tensor, present: Tensor) -> Tensor:
    """Features (N, T, C) of the present references → (M, K · T, C), zero where there is none."""
    places = features.new_zeros((*present.shape, *features.shape[1:]))
    places[present] = features
    return places.flatten(1, 2)


def _mask(present: Tensor, length: int) -> Tensor | None:
    """(M, K) → (M, 1, 1, K · length); None if all are present."""
    return None if present.all() else present.repeat_interleave(length, 1)[:, None, None]


def _padded(parts: Sequence[Remembered]) -> Remembered:
    if len(parts) == 1:
        return parts[0]
    longest = max(part.keys.shape[2] for part in parts)
    keys, values = (
        torch.cat([nn.functional.pad(tensor, (0, 0, 0, longest - tensor.shape[2])) for tensor in tensors])
        for tensors in ([part.keys for part in parts], [part.values for part in parts])
    )
    if all(part.mask is None and part.keys.shape[2] == longest for part in parts):
        return Remembered(keys, values, None)
    masks = [_full_mask(part) for part in parts]
    return Remembered(keys, values, torch.cat([nn.functional.pad(m, (0, longest - m.shape[3])) for m in masks]))


def _full_mask(part: Remembered) -> Tensor:
    shape = (len(part.keys), 1, 1, part.keys.shape[2])
    return torch.ones(shape, dtype=torch.bool, device=part.keys.device) if part.mask is None else part.mask


def _said(output: Any) -> Tensor:
    said: Tensor = output[0]
    return said


def _check_visited(visited: Any, expected: Any) -> None:
    if missed := sorted(set(expected) - set(visited)):
        raise RuntimeError(f"this version of diffusers passes by {', '.join(missed)}; its demonstrations are not seen")
