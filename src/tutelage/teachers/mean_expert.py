"""What finished experts have in common, as adapters of the same shape: where others may start.

Factors of different experts are in different bases, so their means mean nothing, and the mean of the changes BA has a
higher rank. For every layer, A becomes the r directions of the inputs along which the experts' changes are largest, as
long as fresh ones are, and B what makes BA the mean change, as far as it is along these directions. An expert that
starts there begins with what all of them learn and with a basis that suits their differences.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from tutelage.errors import BadInput
from tutelage.teachers.adapter_files import DOWN, UP

LENGTH: Final = 1 / math.sqrt(3)
"""Of a fresh row of A: its numbers are uniform within ± 1/√inputs."""


def mean_adapters(experts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Layer by layer, for experts whose adapters have the same names and shapes, as PEFT has them.

    Raises:
        BadInput: they differ.
    """
    first = {name: factor.shape for name, factor in experts[0].items()}
    if any({name: factor.shape for name, factor in other.items()} != first for other in experts):
        raise BadInput("these adapters differ in layers or rank, so they have no mean; take those of one fleet")
    mean: dict[str, Tensor] = {}
    for name in (name.removesuffix(DOWN) for name in first if name.endswith(DOWN)):
        downs, ups = (torch.stack([expert[name + factor] for expert in experts]) for factor in (DOWN, UP))
        down, up = mean_factors(downs.flatten(2), ups.flatten(2))
        mean |= {name + DOWN: down.reshape(downs.shape[1:]), name + UP: up.reshape(ups.shape[1:])}
    return mean


def mean_factors(downs: Tensor, ups: Tensor) -> tuple[Tensor, Tensor]:
    """Of experts' A (E, r, inputs) and B (E, outputs, r), in double precision: A (r, inputs) and B (outputs, r).

    Directions come from the r · E-dimensional space of all A, where the matrices are small.
    """
    downs, ups = downs.double(), ups.double()
    basis, parts = torch.linalg.qr(downs.flatten(0, 1).T)  # (inputs, m), (m, E · r)
    changes = ups @ parts.T.unflatten(0, downs.shape[:2])  # (E, outputs, m): BA in the basis
    _, directions = torch.linalg.eigh((changes.mT @ changes).sum(0))  # ascending
    rank, found = downs.shape[1], len(directions)
    chosen = F.pad(directions.flip(1)[:, :rank], (0, max(0, rank - found)))  # fewer inputs than ranks: the rest is idle
    down = LENGTH * (basis @ chosen).T
    up = changes.mean(0) @ chosen / LENGTH
    return down.float().contiguous(), up.float().contiguous()
