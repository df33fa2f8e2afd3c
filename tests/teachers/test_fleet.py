"""Experts trained in one batch are the experts that each would have been alone."""

import dataclasses
import io
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from tutelage.diffusion.text import encode_text
from tutelage.errors import BadInput
from tutelage.teachers.base import Diverged
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.fleet_training import clip_each, train_fleet
from tutelage.teachers.lesson import Lesson
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.teachers.stacked_lora import Stack, stacked
from tutelage.triplet import Assignment, Cluster, Triplet

TRAINING = Training(steps=4, batch=2, optimiser="adamw", lr=1e-2)
LORAS = [Lora(rank=2), Lora(rank=3, convolutions=True)]
SIZES = (((32, 32),) * 3, ((32, 32), (48, 24), (24, 24)), ((64, 32), (32, 64)))
"""Of the pictures of three subjects."""


@pytest.fixture(params=["tiny_sd", "tiny_sdxl"])
def base(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture(scope="module")
def clusters(make_cluster: Any) -> list[Cluster]:
    return [make_cluster(key, sizes=sizes) for key, sizes in zip("abc", SIZES, strict=True)]


@pytest.fixture(scope="module")
def assignments(clusters: list[Cluster]) -> list[Assignment]:
    text = "a bear toy on the beach"
    return [Assignment(id=f"{one.id}/00", cluster=one, text=text, skill="recontextualisation") for one in clusters]


def made(base: Path, **changes: Any) -> Fleet:
    settings: dict[str, Any] = {"training": TRAINING, "sampling": Sampling(samples=1, steps=2), "lora": LORAS[1]}
    return Fleet(base=base, device="cpu", **(settings | changes))


def deltas(stack: Stack, count: int) -> list[Tensor]:
    """What each expert adds to the weights, as one vector."""
    return [torch.cat([site.delta(expert).detach().flatten() for site in stack.sites]) for expert in range(count)]


def trained(fleet: Fleet, clusters: Sequence[Cluster], spoilt: Sequence[int] = ()) -> tuple[list[bool], list[Tensor]]:
    """Who stayed finite, and what each added; the pictures of the spoilt ones are no numbers."""
    lessons, keys = [fleet._lesson(cluster) for cluster in clusters], [cluster.id for cluster in clusters]
    for expert in spoilt:
        nothing = [torch.full_like(latent, math.nan) for latent in lessons[expert].latents]
        lessons[expert] = Lesson(nothing, lessons[expert].told)
    with stacked(fleet._model.pipeline.unet, fleet.lora, fleet.seed, keys) as stack:
        sound = train_fleet(fleet._model, lessons, stack, fleet.training, fleet.seed, keys)
        return sound, deltas(stack, len(keys))


def pixels(triplet: Triplet) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(triplet.target)).convert("RGB")).astype(int)


@pytest.mark.parametrize("lora", LORAS)
def test_an_expert_is_the_same_alone(base: Path, clusters: list[Cluster], lora: Lora) -> None:
    """Their pictures have several sizes, so that some steps are several passes; and all three are different experts."""
    fleet = made(base, lora=lora)
    sound, together = trained(fleet, clusters)
    assert sound == [True] * 3
    for cluster, delta in zip(clusters, together, strict=True):
        [alone] = trained(fleet, [cluster])[1]
        assert torch.cosine_similarity(alone, delta, dim=0) > 0.999
        assert delta.norm() > 0.01
        assert max(abs(torch.cosine_similarity(delta, other, dim=0)) for other in together if other is not delta) < 0.5


def test_its_pictures_are_the_same_alone(base: Path, assignments: list[Assignment]) -> None:
    together, alone = (list(made(base, size=size).teach(assignments)) for size in (3, 1))
    assert [one.id for one in together] == ["a/00/0", "b/00/0", "c/00/0"]
    for one, other in zip(together, alone, strict=True):
        assert dataclasses.replace(one, target=b"") == dataclasses.replace(other, target=b"")
        assert abs(pixels(one) - pixels(other)).max() <= 2


def test_a_larger_crowd_is_taught_fleet_by_fleet(tiny_sd: Path, assignments: list[Assignment]) -> None:
    """Two and one; the adapters of one fleet are gone when the next begins."""
    teacher = made(tiny_sd, size=2)
    assert teacher.at_once == 2
    assert [one.id for one in teacher.teach(assignments)] == ["a/00/0", "b/00/0", "c/00/0"]
    assert list(teacher.teach(assignments[2:])) == list(made(tiny_sd, size=2).teach(assignments))[2:]
    assert not any(module._forward_hooks for module in teacher._model.pipeline.unet.modules())


def woken(stack: Stack) -> None:
    """Adapters as if they had been trained."""
    torch.manual_seed(5)
    for site in stack.sites:
        nn.init.normal_(site.ups, std=0.5)


def asked(fleet: Fleet, experts: int) -> dict[str, Any]:
    """Two noisy pictures for each expert, with texts."""
    torch.manual_seed(6)
    pipeline, rows = fleet._model.pipeline, 2 * experts
    told = encode_text(pipeline, ["a bear toy", "a hat", "a crown in the snow"] * rows).take(range(rows))
    sample = torch.randn(rows, pipeline.unet.config.in_channels, 16, 16)
    return {"sample": sample, "timestep": torch.arange(rows) * 100, **told.arguments((32, 32))}


def rows_of(given: Any, which: slice) -> Any:
    return {name: rows_of(value, which) for name, value in given.items()} if isinstance(given, dict) else given[which]


@torch.no_grad()
def said(fleet: Fleet, given: dict[str, Any]) -> Tensor:
    answer: Tensor = fleet._model.pipeline.unet(**given).sample
    return answer


def largest(difference: Tensor) -> float:
    return float(difference.abs().max())


@pytest.mark.parametrize("lora", LORAS)
def test_a_merged_expert_says_what_it_says_among_the_others(base: Path, lora: Lora) -> None:
    fleet = made(base, lora=lora)
    unet, given = fleet._model.pipeline.unet, asked(fleet, 3)
    plain, before = said(fleet, given), {name: value.clone() for name, value in unet.state_dict().items()}
    with stacked(unet, lora, 0, ["a", "b", "c"]) as stack:
        assert torch.equal(said(fleet, given), plain)  # adapters begin as the base
        woken(stack)
        together = said(fleet, given)
        for expert in range(3):
            rows = slice(2 * expert, 2 * expert + 2)
            with stack.merged(expert):
                own = said(fleet, rows_of(given, rows))
            assert largest(own - together[rows]) < 1e-3 * largest(together[rows] - plain[rows])
        assert torch.equal(said(fleet, given), together)
    assert torch.equal(said(fleet, given), plain)
    after = unet.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_the_base_comes_back_whatever_happens(tiny_sd: Path) -> None:
    fleet = made(tiny_sd)
    unet, given = fleet._model.pipeline.unet, asked(fleet, 1)
    plain = said(fleet, given)
    with suppress(KeyError), stacked(unet, LORAS[1], 0, ["a"]) as stack:
        woken(stack)
        with stack.merged(0):
            assert not torch.equal(said(fleet, given), plain)
            raise KeyError
    assert torch.equal(said(fleet, given), plain)


def test_first_weights_are_an_experts_own(tiny_sd: Path) -> None:
    """Keyed by seed, expert and layer: not by its neighbours or its place."""

    def downs(seed: int, keys: Sequence[str]) -> list[Tensor]:
        with stacked(made(tiny_sd)._model.pipeline.unet, LORAS[1], seed, keys) as stack:
            return [site.downs.detach() for site in stack.sites]

    for pair, alone, other in zip(downs(0, "ab"), downs(0, "b"), downs(1, "b"), strict=True):
        assert torch.equal(pair[1], alone[0])
        assert not torch.equal(pair[0], pair[1])
        assert not torch.equal(alone, other)


@given(seed=st.integers(0, 1000), limit=st.sampled_from([0.05, 1.0, 1e3]), large=st.floats(1e-3, 1e3))
def test_gradients_are_clipped_expert_by_expert(seed: int, limit: float, large: float) -> None:
    """As torch clips each one's; where one's are no numbers, they become zero and the others stay."""
    random = torch.Generator().manual_seed(seed)
    shapes = [(4, 2, 5), (4, 3, 2), (4, 2, 3, 1)]
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in shapes]
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=random) * torch.tensor([1, large, 1e-3, 1]).view(
            -1, *[1] * (parameter.dim() - 1)
        )
    parameters[1].grad[3, 0, 0] = (math.nan, math.inf)[seed % 2]  # type: ignore[index]
    alone = [[nn.Parameter(parameter[expert].detach().clone()) for parameter in parameters] for expert in range(3)]
    for expert, own in enumerate(alone):
        for mine, parameter in zip(own, parameters, strict=True):
            mine.grad = parameter.grad[expert].clone()  # type: ignore[index]
        nn.utils.clip_grad_norm_(own, limit)
    assert clip_each(parameters, limit).tolist() == [True, True, True, False]
    for expert, own in enumerate(alone):
        for mine, parameter in zip(own, parameters, strict=True):
            torch.testing.assert_close(parameter.grad[expert], mine.grad)  # type: ignore[index]
    assert not any(parameter.grad[3].any() for parameter in parameters)  # type: ignore[index]


def test_one_that_diverges_diverges_alone(base: Path, clusters: list[Cluster]) -> None:
    """To the last bit: the others never see its pictures."""
    fleet = made(base)
    whole, without = trained(fleet, clusters), trained(fleet, clusters, spoilt=[1])
    assert (whole[0], without[0]) == ([True] * 3, [True, False, True])
    for expert in (0, 2):
        assert torch.equal(whole[1][expert], without[1][expert])
    assert without[1][1].isfinite().all()


def test_one_that_diverges_yields_nothing(
    tiny_sd: Path, assignments: list[Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without company that is an error, for then nothing can be yielded."""
    whole = list(made(tiny_sd).teach(assignments))
    lesson = Fleet._lesson

    def spoilt(fleet: Fleet, cluster: Cluster) -> Lesson:
        given = lesson(fleet, cluster)
        return Lesson([latent * (math.inf if cluster.id == "b" else 1) for latent in given.latents], given.told)

    monkeypatch.setattr(Fleet, "_lesson", spoilt)
    assert list(made(tiny_sd).teach(assignments)) == [whole[0], whole[2]]
    teacher = made(tiny_sd, size=1)
    with pytest.raises(Diverged, match=r"the expert of cluster b diverged; give a lower lr than 0\.01"):
        list(teacher.teach(assignments[1:]))
    assert [one.id for one in teacher.teach(assignments[2:])] == ["c/00/0"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"training": Training()}, "a fleet cannot be trained with adafactor"),
        ({"size": 0}, "size of a fleet is 0; give at least 1"),
    ],
)
def test_bad_settings_are_refused(tiny_sd: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        made(tiny_sd, **changes)
