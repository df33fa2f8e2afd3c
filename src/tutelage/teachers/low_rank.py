"""What low-rank adapters add to a layer's output, for several experts at once, with the gradients written out.

A batch holds E experts' rows one expert after another, the same number each. Every product here is a batched one over
experts, so experts share calls and nothing else. Gradients of the factors are not handed to autograd: they are added,
in float32, to rows that the caller gives, which saves a scattered copy for each layer and step.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Factors(NamedTuple):
    """Of one layer: what experts compute with, and where the gradients go."""

    downs: Tensor
    """(E, r, inputs)."""
    ups: Tensor
    """(E, outputs, r); quickest where it is the transpose of a contiguous one, and its gradient too."""
    down_gradients: Tensor
    """(E, r, inputs), float32; added to."""
    up_gradients: Tensor
    """(E, outputs, r), float32; added to."""


def add_low_rank(layer: nn.Module, inputs: Tensor, output: Tensor, factors: Factors, anchor: Tensor) -> Tensor:
    """`output` plus what the experts' adapters make of `inputs`.

    Args:
        layer: linear, or a convolution with a stride of 1 that keeps the size.
        inputs: (E · B, …, inputs) of a linear layer, (E · B, C, h, w) of a convolution.
        output: what the frozen layer gave for them; of a linear layer it may be overwritten.
        factors: of this layer.
        anchor: any tensor that requires a gradient: inputs of a frozen network's first layers do not.
    """
    if isinstance(layer, nn.Conv2d):
        added: Tensor = AddConvolved.apply(anchor, inputs, output, factors, layer)  # type: ignore[no-untyped-call]
    else:
        added = AddLinear.apply(anchor, inputs, output.detach(), factors, layer)  # type: ignore[no-untyped-call]
    return added


class AddLinear(torch.autograd.Function):
    """y + x Aᵀ Bᵀ for each expert, in place of y; going back, W is part of it, so that x gets one gradient."""

    @staticmethod
    def forward(ctx: Any, _: Tensor, inputs: Tensor, output: Tensor, factors: Factors, layer: Any) -> Tensor:
        """See `add_low_rank`; `output` is overwritten, and what it came from is not gone back to."""
        experts = len(factors.downs)
        rows = inputs.reshape(experts, -1, inputs.shape[-1]).to(output.dtype)
        narrow = rows @ factors.downs.mT
        output.view(experts, -1, output.shape[-1]).baddbmm_(narrow, factors.ups.mT)
        ctx.mark_dirty(output)
        ctx.save_for_backward(rows, narrow)
        ctx.factors, ctx.weight, ctx.kind = factors, layer.weight, (inputs.shape, inputs.dtype)
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """The gradient of inputs; the factors' go to their rows."""
        (rows, narrow), factors = ctx.saved_tensors, ctx.factors
        wide = gradient.reshape(len(rows), -1, gradient.shape[-1])
        inner = wide @ factors.ups
        factors.up_gradients.mT.add_(narrow.mT @ wide)
        factors.down_gradients.add_(inner.mT @ rows)
        if not ctx.needs_input_grad[1]:
            return None, None, None, None, None
        shape, dtype = ctx.kind
        back = (wide.flatten(0, 1) @ ctx.weight.to(wide.dtype)).view_as(rows).baddbmm_(inner, factors.downs)
        return None, back.view(shape).to(dtype), None, None, None


class AddConvolved(torch.autograd.Function):
    """The same where A is a convolution of the layer's kernel and B one of 1 × 1.

    A's r outputs are few, so it is one product with all of its kernel's places, r · k numbers for each pixel, and their
    sum where they fall: the k-fold copy of the inputs that convolutions by products usually need is one of r channels.
    """

    @staticmethod
    def forward(ctx: Any, _: Tensor, inputs: Tensor, output: Tensor, factors: Factors, layer: Any) -> Tensor:
        """See `add_low_rank`."""
        each = len(inputs) // len(factors.downs)
        kernels, ups = _kernels(factors.downs, layer, each), factors.ups.repeat_interleave(each, 0)
        pixels = inputs.flatten(2).to(output.dtype)
        narrow = _gathered(kernels @ pixels, layer, inputs.shape)
        ctx.save_for_backward(pixels, narrow, kernels, ups)
        ctx.factors, ctx.layer, ctx.kind = factors, layer, (inputs.shape, inputs.dtype)
        return torch.baddbmm(output.flatten(2), ups, narrow).view(output.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Gradients of inputs and output; the factors' go to their rows."""
        (pixels, narrow, kernels, ups), factors, (shape, dtype) = ctx.saved_tensors, ctx.factors, ctx.kind
        wide = gradient.flatten(2)
        inner = _spread(ups.mT @ wide, ctx.layer, shape)
        experts = len(factors.downs)
        factors.up_gradients.add_(_by_expert(wide @ narrow.mT, experts))
        factors.down_gradients.add_(_downs(_by_expert(inner @ pixels.mT, experts), ctx.layer))
        back = (kernels.mT @ inner).view(shape).to(dtype) if ctx.needs_input_grad[1] else None
        return None, back, gradient, None, None


def _kernels(downs: Tensor, layer: nn.Conv2d, each: int) -> Tensor:
    """(E, r, C · k) → (E · B, r · k, C), each place of the kernel where `fold` puts what it gives."""
    by_place = downs.reshape(*downs.shape[:2], -1, *layer.kernel_size).flip(3, 4)
    kernels: Tensor = by_place.permute(0, 1, 3, 4, 2).flatten(1, 3).repeat_interleave(each, 0)
    return kernels


def _downs(kernels: Tensor, layer: nn.Conv2d) -> Tensor:
    """The way back, for gradients: (E, r · k, C) → (E, r, C · k)."""
    by_place = kernels.reshape(len(kernels), -1, *layer.kernel_size, kernels.shape[2])
    return by_place.flip(2, 3).permute(0, 1, 4, 2, 3).flatten(2)


def _by_expert(gradients: Tensor, experts: int) -> Tensor:
    """(E · B, …) → (E, …): the sum over an expert's pictures."""
    return gradients.reshape(experts, -1, *gradients.shape[1:]).sum(1)


def _gathered(places: Tensor, layer: nn.Conv2d, shape: torch.Size) -> Tensor:
    """(N, r · k, L) → (N, r, L): every pixel's sum over the kernel."""
    if layer.kernel_size == (1, 1):
        return places
    padding: Any = layer.padding
    return F.fold(places, tuple(shape[2:]), layer.kernel_size, padding=padding).flatten(2)


def _spread(narrow: Tensor, layer: nn.Conv2d, shape: torch.Size) -> Tensor:
    """Its gradient: (N, r, L) → (N, r · k, L)."""
    if layer.kernel_size == (1, 1):
        return narrow
    padding: Any = layer.padding
    return F.unfold(narrow.reshape(*narrow.shape[:2], *shape[2:]), layer.kernel_size, padding=padding)
