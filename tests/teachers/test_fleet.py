"""Experts trained in one batch are the experts that each would have been alone."""

import dataclasses
import io
import math
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from tutelage.diffusion.text import encode_text
from tutelage.errors import BadInput
from tutelage.teachers.base import Diverged
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.fleet_training import Done, FleetTraining, Task
from tutelage.teachers.lesson import Lesson
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.teachers.stacked_lora import Stack, first_weights, sites_of, stacked
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


def delta(stack: Stack, slot: int) -> Tensor:
    """What an expert adds to the weights, as one vector."""
    row = stack.values.detach()[slot]
    return torch.cat([site.delta(row).flatten() for site in stack.sites])


def trained(
    fleet: Fleet, clusters: Sequence[Cluster], spoilt: Sequence[str] = (), slots: int = 0
) -> dict[str, tuple[Done, Tensor]]:
    """What became of each expert, and what it added; the pictures of the spoilt ones are no numbers."""

    def lessons(cluster: Cluster) -> list[Lesson]:
        given = fleet._lessons(cluster)
        if cluster.id not in spoilt:
            return given
        return [Lesson([latent * math.nan for latent in one.latents], one.told, one.weight) for one in given]

    tasks = [Task(cluster.id, partial(lessons, cluster)) for cluster in clusters]
    with stacked(fleet._model.pipeline.unet, fleet.lora, slots or len(tasks), fleet._model.precision) as stack:
        fleets = FleetTraining(fleet._model, stack, fleet.training, fleet.seed, fleet.stop)
        return {tasks[done.number].key: (done, delta(stack, done.slot)) for done in fleets.run(tasks)}


def adds(found: dict[str, tuple[Done, Tensor]], key: str) -> Tensor:
    return found[key][1]


def pixels(triplet: Triplet) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(triplet.target)).convert("RGB")).astype(int)


@pytest.mark.parametrize("lora", LORAS)
def test_an_expert_is_the_same_alone(base: Path, clusters: list[Cluster], lora: Lora) -> None:
    """Their pictures have several sizes, so that some steps are several passes; and all three are different experts."""
    fleet = made(base, lora=lora)
    together = trained(fleet, clusters)
    assert all(done.sound and done.steps == 4 for done, _ in together.values())
    for cluster in clusters:
        alone, own = adds(trained(fleet, [cluster]), cluster.id), adds(together, cluster.id)
        assert torch.cosine_similarity(alone, own, dim=0) > 0.999
        assert own.norm() > 0.01
        others = [other for key, (_, other) in together.items() if key != cluster.id]
        assert max(abs(torch.cosine_similarity(own, other, dim=0)) for other in others) < 0.5


def test_its_pictures_are_the_same_alone(base: Path, assignments: list[Assignment]) -> None:
    together, alone = (list(made(base, size=size).teach(assignments)) for size in (3, 1))
    assert [one.id for one in together] == ["a/00/0", "b/00/0", "c/00/0"]
    for one, other in zip(together, alone, strict=True):
        assert dataclasses.replace(one, target=b"") == dataclasses.replace(other, target=b"")
        assert abs(pixels(one) - pixels(other)).max() <= 2


def test_a_larger_crowd_waits_for_slots(tiny_sd: Path, assignments: list[Assignment]) -> None:
    """Two slots for three; when all is done the adapters are gone."""
    teacher = made(tiny_sd, size=2)
    assert teacher.at_once == 2
    assert [one.id for one in teacher.teach(assignments)] == ["a/00/0", "b/00/0", "c/00/0"]
    assert list(teacher.teach(assignments[2:])) == list(made(tiny_sd, size=2).teach(assignments))[2:]
    assert not any(module._forward_hooks for module in teacher._model.pipeline.unet.modules())


def woken(stack: Stack) -> None:
    """Adapters as if they had been trained."""
    torch.manual_seed(5)
    for slot, key in enumerate("abc"):
        stack.begin(slot, 0, key)
    for site in stack.sites:
        nn.init.normal_(site.ups(stack.values.data), std=0.5)


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
    with stacked(unet, lora, 3) as stack:
        for slot, key in enumerate("abc"):
            stack.begin(slot, 0, key)
        with stack.of(range(3)):
            assert torch.equal(said(fleet, given), plain)  # adapters begin as the base
        woken(stack)
        with stack.of(range(3)):
            together = said(fleet, given)
        for expert in range(3):
            rows = slice(2 * expert, 2 * expert + 2)
            with stack.merged(expert):
                own = said(fleet, rows_of(given, rows))
            assert largest(own - together[rows]) < 1e-3 * largest(together[rows] - plain[rows])
        with stack.of(range(3)):
            assert torch.equal(said(fleet, given), together)
    assert torch.equal(said(fleet, given), plain)
    after = unet.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_the_base_comes_back_whatever_happens(tiny_sd: Path) -> None:
    fleet = made(tiny_sd)
    unet, given = fleet._model.pipeline.unet, asked(fleet, 1)
    plain = said(fleet, given)
    with suppress(KeyError), stacked(unet, LORAS[1], 3) as stack:
        woken(stack)
        with stack.merged(0):
            assert not torch.equal(said(fleet, given), plain)
            raise KeyError
    assert torch.equal(said(fleet, given), plain)


def test_first_weights_are_an_experts_own(tiny_sd: Path) -> None:
    """Keyed by seed, expert and layer: not by its neighbours or its place."""

    sites = sites_of(made(tiny_sd)._model.pipeline.unet, LORAS[1])
    here, twin, other, elsewhere = (first_weights(sites, *by) for by in ((0, "b"), (0, "b"), (0, "a"), (1, "b")))
    assert torch.equal(here, twin)
    for site in sites:
        assert not site.ups(here[None]).any()
        assert not torch.equal(site.downs(here[None]), site.downs(other[None]))
        assert not torch.equal(site.downs(here[None]), site.downs(elsewhere[None]))


def test_one_that_diverges_diverges_alone(base: Path, clusters: list[Cluster]) -> None:
    """To the last bit: the others never see its pictures. It is tried twice, then given up."""
    fleet = made(base)
    whole, without = trained(fleet, clusters), trained(fleet, clusters, spoilt=["b"])
    for key in "ac":
        assert torch.equal(adds(whole, key), adds(without, key))
    assert [without[key][0].tries for key in "abc"] == [1, 2, 1]
    assert [without[key][0].sound for key in "abc"] == [True, False, True]
    assert adds(without, "b").isfinite().all()


def spoil(monkeypatch: pytest.MonkeyPatch, cluster: str, times: int) -> None:
    """Make the first losses of a cluster's expert infinite."""
    plain, left = Fleet._lessons, [times]

    def spoilt(fleet: Fleet, one: Cluster) -> list[Lesson]:
        given = plain(fleet, one)
        if one.id != cluster:
            return given

        def told(which: Sequence[int], generator: torch.Generator) -> Any:
            left[0] -= 1
            words = given[0].told(which, generator)
            return words.take(range(len(which))) if left[0] < 0 else type(words)(words.hidden * math.inf, words.pooled)

        return [Lesson(given[0].latents, told)]

    monkeypatch.setattr(Fleet, "_lessons", spoilt)


def test_one_that_diverged_is_tried_again(
    tiny_sd: Path, assignments: list[Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other random numbers and smaller steps, and noted; the others do not notice."""
    whole = list(made(tiny_sd).teach(assignments))
    spoil(monkeypatch, "b", times=1)
    teacher = made(tiny_sd)
    again = list(teacher.teach(assignments))
    assert [one.id for one in again] == [one.id for one in whole]
    assert (again[0], again[2]) == (whole[0], whole[2])
    assert again[1] != whole[1]
    assert sorted((fate.cluster, fate.tries, fate.sound) for fate in teacher.fates) == [
        ("a", 1, True),
        ("b", 2, True),
        ("c", 1, True),
    ]


def test_one_that_diverges_twice_yields_nothing(
    tiny_sd: Path, assignments: list[Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without company that is an error, for then nothing can be yielded."""
    whole = list(made(tiny_sd).teach(assignments))
    spoil(monkeypatch, "b", times=100)
    teacher = made(tiny_sd)
    assert list(teacher.teach(assignments)) == [whole[0], whole[2]]
    assert [fate.cluster for fate in teacher.fates if not fate.sound] == ["b"]
    with pytest.raises(Diverged, match=r"the expert of cluster b diverged twice; give a lower lr than 0\.01"):
        list(teacher.teach(assignments[1:2]))
    assert [one.id for one in teacher.teach(assignments[2:])] == ["c/00/0"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"training": Training()}, "a fleet cannot be trained with adafactor"),
        ({"size": 0}, "size of a fleet is 0; give at least 1, or auto"),
    ],
)
def test_bad_settings_are_refused(tiny_sd: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        made(tiny_sd, **changes)
