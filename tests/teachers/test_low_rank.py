"""Adapters written out with their gradients are what autograd makes of the plain formula."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.teachers.low_rank import Factors, add_low_rank
from tutelage.teachers.row_adam import RowAdam, clip_rows

LAYERS: dict[str, Any] = {
    "linear": (lambda: nn.Linear(5, 7), (4, 5)),
    "conv": (lambda: nn.Conv2d(5, 7, 3, padding=1), (5, 4, 6)),
    "pointwise": (lambda: nn.Conv2d(5, 7, 1), (5, 3, 2)),
}
"""A layer, and the shape of its inputs but for the batch."""
RANK = 2


def factors_of(layer: Any, experts: int, random: torch.Generator) -> Factors:
    shapes = (RANK, layer.weight[0].numel()), (layer.weight.shape[0], RANK)
    downs, ups = (torch.randn(experts, *shape, generator=random, dtype=torch.float64) for shape in shapes)
    return Factors(downs, ups, torch.zeros_like(downs), torch.zeros_like(ups))


def plainly(layer: Any, inputs: Tensor, downs: Tensor, ups: Tensor) -> Tensor:
    """Expert by expert, with the merged weight."""
    parts = inputs.chunk(len(downs))
    weights = [(up @ down).view(layer.weight.shape) for up, down in zip(ups, downs, strict=True)]
    if isinstance(layer, nn.Linear):
        return torch.cat([F.linear(part, weight) for part, weight in zip(parts, weights, strict=True)])
    return torch.cat([F.conv2d(p, w, padding=layer.padding) for p, w in zip(parts, weights, strict=True)])  # type: ignore[arg-type]


@given(kind=st.sampled_from(sorted(LAYERS)), experts=st.integers(1, 3), each=st.integers(1, 3), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_outputs_and_gradients(kind: str, experts: int, each: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    make, shape = LAYERS[kind]
    layer = make().double().requires_grad_(False)
    inputs = torch.randn(experts * each, *shape, generator=random, dtype=torch.float64, requires_grad=True)
    factors = factors_of(layer, experts, random)
    anchor = torch.zeros((), requires_grad=True)
    added = add_low_rank(layer, inputs, layer(inputs), factors, anchor)
    answer = torch.randn(added.shape, generator=random, dtype=torch.float64)
    [towards] = torch.autograd.grad(added, inputs, answer)
    leaves = [factor.clone().requires_grad_() for factor in factors[:2]]
    expected = layer(inputs) + plainly(layer, inputs, *leaves)
    wanted = torch.autograd.grad(expected, [inputs, *leaves], answer)
    torch.testing.assert_close(added, expected)
    for got, right in zip((towards, *factors[2:]), wanted, strict=True):
        torch.testing.assert_close(got, right)


def test_inputs_that_want_no_gradient_get_none() -> None:
    """As texts and the first layers' inputs: the factors learn all the same."""
    layer = nn.Linear(5, 7).double().requires_grad_(False)
    factors = factors_of(layer, 2, torch.Generator().manual_seed(0))
    inputs = torch.randn(4, 5, dtype=torch.float64)
    add_low_rank(layer, inputs, layer(inputs), factors, torch.zeros((), requires_grad=True)).sum().backward()
    assert all(gradient.any() for gradient in factors[2:])


def test_channels_may_come_last() -> None:
    layer = nn.Conv2d(5, 7, 3, padding=1).double().requires_grad_(False)
    inputs = torch.randn(4, 5, 6, 6, dtype=torch.float64)
    factors, anchor = factors_of(layer, 2, torch.Generator().manual_seed(0)), torch.zeros(())
    last = inputs.to(memory_format=torch.channels_last)
    first = add_low_rank(layer, inputs, layer(inputs), factors, anchor)
    torch.testing.assert_close(add_low_rank(layer, last, layer(last), factors, anchor), first)


SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 9))


@given(shape=SHAPES, seed=st.integers(0, 1000), clip=st.sampled_from([0.05, 1.0, 1e3]), large=st.floats(1e-3, 1e3))
def test_rows_learn_as_if_each_were_alone(shape: tuple[int, int], seed: int, clip: float, large: float) -> None:
    """As PyTorch's AdamW with its clipping, each row with a rate of its own."""
    random = torch.Generator().manual_seed(seed)
    together = nn.Parameter(torch.randn(shape, generator=random))
    together.grad = torch.zeros_like(together)
    alone = [nn.Parameter(row.clone()) for row in together.detach()]
    rates = torch.rand(shape[0], generator=random) + 0.01
    optimiser = RowAdam(together, clip)
    others = [
        torch.optim.AdamW([row], lr=float(rate), weight_decay=0.0) for row, rate in zip(alone, rates, strict=True)
    ]
    for _ in range(4):
        gradient = torch.randn(shape, generator=random) * large
        together.grad.copy_(gradient)
        assert optimiser.step(rates).all()
        for row, other, own in zip(alone, others, gradient, strict=True):
            row.grad = own.clone()
            nn.utils.clip_grad_norm_([row], clip)
            other.step()
    torch.testing.assert_close(together.detach(), torch.stack([row.detach() for row in alone]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_who_is_idle_or_broken_does_not_move(broken: float) -> None:
    values = nn.Parameter(torch.ones(4, 3))
    values.grad = torch.zeros_like(values)
    optimiser = RowAdam(values, 1.0)
    rates = torch.tensor([0.1, 0.0, 0.1, 0.1])
    for _ in range(3):
        values.grad.copy_(torch.ones(4, 3))
        values.grad[2, 1] = broken
        assert optimiser.step(rates).tolist() == [True, True, False, True]
        assert not values.grad.any()
    assert torch.equal(values[1:3].detach(), torch.ones(2, 3))
    assert torch.equal(values[0], values[3])
    assert (values[0] < 1).all()
    assert optimiser.steps.tolist() == [3, 0, 0, 3]


def test_a_restarted_row_has_no_past() -> None:
    values, fresh = (nn.Parameter(torch.ones(2, 3)) for _ in range(2))
    for parameter in (values, fresh):
        parameter.grad = torch.zeros_like(parameter)
    one, other = RowAdam(values, 1.0), RowAdam(fresh, 1.0)
    values.grad.fill_(-3.0)  # type: ignore[union-attr]
    one.step(torch.full((2,), 0.1))
    one.restart(1)
    values.data[1] = 1.0
    for parameter, optimiser in ((values, one), (fresh, other)):
        parameter.grad.copy_(torch.tensor([[1.0, 2.0, 3.0]] * 2))  # type: ignore[union-attr]
        optimiser.step(torch.full((2,), 0.1))
    assert torch.equal(values[1], fresh[1])
    assert not torch.equal(values[0], fresh[0])


@given(seed=st.integers(0, 1000), limit=st.sampled_from([0.05, 1.0, 1e3]), large=st.floats(1e-3, 1e3))
def test_gradients_are_clipped_row_by_row(seed: int, limit: float, large: float) -> None:
    """As torch clips each one's; where one's are no numbers, they become zero and the others stay."""
    gradients = torch.randn(4, 12, generator=torch.Generator().manual_seed(seed))
    gradients *= torch.tensor([1, large, 1e-3, 1])[:, None]
    gradients[3, 5] = (float("nan"), float("inf"))[seed % 2]
    alone = [nn.Parameter(torch.zeros(12)) for _ in range(3)]
    for own, row in zip(alone, gradients, strict=False):
        own.grad = row.clone()
        nn.utils.clip_grad_norm_([own], limit)
    assert clip_rows(gradients, limit).tolist() == [True, True, True, False]
    for own, row in zip(alone, gradients, strict=False):
        torch.testing.assert_close(row, own.grad)
    assert not gradients[3].any()
