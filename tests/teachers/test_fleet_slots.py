"""Slots are refilled as experts end; adapters are kept on request; as many experts as memory holds."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from tutelage.diffusion.text import encode_text
from tutelage.errors import BadInput
from tutelage.teachers import fleet_size
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.fleet_batch import by_shape, errors, look
from tutelage.teachers.fleet_size import largest_fleet
from tutelage.teachers.fleet_training import FleetTraining, Task
from tutelage.teachers.settings import EarlyStop, Lora, Prior, Sampling, Training
from tutelage.teachers.stacked_lora import stacked
from tutelage.triplet import Assignment, Cluster

TRAINING = Training(steps=6, batch=2, optimiser="adamw", lr=1e-2, warmup=1, decay=0.5)
STEADY = Training(steps=6, batch=2, optimiser="adamw", lr=1e-2)
SIZES = ((32, 32),) * 2


@pytest.fixture(scope="module")
def clusters(make_cluster: Any) -> list[Cluster]:
    return [make_cluster(key, sizes=SIZES) for key in "abcde"]


def assigned(clusters: Sequence[Cluster], text: str = "a bear toy on the beach") -> list[Assignment]:
    return [Assignment(id=f"{one.id}/00", cluster=one, text=text, skill="recontextualisation") for one in clusters]


def made(base: Path, **changes: Any) -> Fleet:
    settings: dict[str, Any] = {
        "training": TRAINING,
        "sampling": Sampling(samples=1, steps=2),
        "lora": Lora(rank=2, convolutions=True),
    }
    return Fleet(base=base, device="cpu", **(settings | changes))


def learnt(fleet: Fleet, clusters: Sequence[Cluster], slots: int) -> dict[str, tuple[int, Tensor]]:
    """Steps and numbers of each expert, in the order in which they were done."""
    tasks = [Task(cluster.id, partial(fleet._lessons, cluster)) for cluster in clusters]
    with stacked(fleet._model.pipeline.unet, fleet.lora, slots, fleet._model.precision) as stack:
        crew = FleetTraining(fleet._model, stack, fleet.training, fleet.seed, fleet.stop)
        done = [(one, stack.values.detach()[one.slot].clone()) for one in crew.run(tasks)]
    return {tasks[one.number].key: (one.steps, row) for one, row in done}


def stopping(fleet: Fleet, clusters: Sequence[Cluster]) -> EarlyStop:
    """A threshold that some experts pass after two steps and some do not, found in what they reach by then."""
    short = made(Path(fleet.base), training=dataclasses.replace(STEADY, steps=2))
    plain, shares = learnt(short, clusters, len(clusters)), []
    with stacked(fleet._model.pipeline.unet, fleet.lora, 1, fleet._model.precision) as stack:
        for cluster in clusters:
            [lesson] = fleet._lessons(cluster)
            draws = [[look(fleet._model, lesson, 3, fleet.seed, cluster.id)]]
            with torch.no_grad(), stack.of([0]):
                base = float(errors(fleet._model, draws, "plain"))  # nothing has begun: the base
                stack.values.data[0] = plain[cluster.id][1]
            with torch.no_grad(), stack.of([0]):
                shares.append(float(errors(fleet._model, draws, "plain")) / base)
            stack.values.data[0] = 0.0
    early, late = sorted(shares)[1:3]
    return EarlyStop(share=(early + late) / 2, every=2, levels=3)


def test_slots_are_refilled_when_an_expert_is_done(tiny_sd: Path, clusters: list[Cluster]) -> None:
    """Two slots for five experts of different lengths: each is the one it would have been with a slot for everybody."""
    fleet = made(tiny_sd, training=STEADY, stop=stopping(made(tiny_sd), clusters))
    wide, narrow, alone = (learnt(fleet, clusters, slots) for slots in (5, 2, 1))
    assert list(alone) == list("abcde")
    assert len({steps for steps, _ in wide.values()}) > 1
    for key in "abcde":
        for found in (narrow, alone):
            assert found[key][0] == wide[key][0]
            assert torch.cosine_similarity(found[key][1], wide[key][1], dim=0) > 0.999


def test_a_slot_is_nothing_to_an_expert(tiny_sd: Path, clusters: list[Cluster]) -> None:
    """Among equally many others it is the same to the last bit, whichever slot is its own and whoever they are."""
    fleet = made(tiny_sd)
    here, there = learnt(fleet, clusters[:3], 3), learnt(fleet, [clusters[3], clusters[4], clusters[0]], 3)
    assert torch.equal(here["a"][1], there["a"][1])


def test_early_stops_yield_in_order_and_the_same_again(tiny_sd: Path, clusters: list[Cluster]) -> None:
    stop = stopping(made(tiny_sd), clusters)
    teacher = made(tiny_sd, size=2, training=STEADY, stop=stop)
    triplets = list(teacher.teach(assigned(clusters)))
    assert [one.id for one in triplets] == [f"{key}/00/0" for key in "abcde"]
    assert {fate.cluster for fate in teacher.fates} == set("abcde")
    assert len({fate.steps for fate in teacher.fates}) > 1
    assert list(made(tiny_sd, size=2, training=STEADY, stop=stop).teach(assigned(clusters))) == triplets
    assert teacher.at_once > made(tiny_sd, size=2).at_once == 2


@pytest.mark.parametrize("base", ["tiny_sd", "tiny_sdxl"])
@pytest.mark.parametrize("lora", [Lora(rank=2), Lora(rank=3, convolutions=True)])
def test_kept_adapters_are_what_diffusers_loads(
    base: str, lora: Lora, request: pytest.FixtureRequest, clusters: list[Cluster], tmp_path: Path
) -> None:
    """A stock pipeline with the file says what the resident factors say."""
    folder = request.getfixturevalue(base)
    cluster = dataclasses.replace(clusters[0], id="pages.example/a")
    fleet = made(folder, lora=lora, keep=tmp_path / "kept")
    assert len(list(fleet.teach(assigned([cluster, clusters[1]])))) == 2
    pipeline: Any = DiffusionPipeline.from_pretrained(folder)
    torch.manual_seed(0)
    told = encode_text(pipeline, ["a bear toy"]).arguments((32, 32))
    given = {"sample": torch.randn(1, 4, 16, 16), "timestep": 500, **told}
    with torch.no_grad():
        plain = pipeline.unet(**given).sample
        pipeline.load_lora_weights(tmp_path / "kept" / "pages.example%2Fa")
        loaded = pipeline.unet(**given).sample
    row = learnt(fleet, [cluster, clusters[1]], 2)[cluster.id][1]
    with stacked(fleet._model.pipeline.unet, lora, 1) as stack, torch.no_grad():
        stack.begin(0, 0, "", row)
        with stack.of([0]):
            resident = fleet._model.pipeline.unet(**given).sample
    assert float((loaded - plain).abs().max()) > 1e-4
    torch.testing.assert_close(loaded, resident, rtol=1e-4, atol=1e-5)


def test_nothing_is_kept_unless_asked_for(tiny_sd: Path, clusters: list[Cluster], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="give another folder for adapters"):
        next(made(tiny_sd, keep=tmp_path / "file").teach(assigned(clusters[:1])))
    list(made(tiny_sd).teach(assigned(clusters[:1])))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_dreambooth_in_a_fleet(tiny_sd: Path, make_cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rare token, class word, and pictures of the class that are drawn once for all experts of a class."""
    from tutelage.teachers.prior import ClassLessons

    drawn: list[str] = []
    plain = ClassLessons._drawn
    monkeypatch.setattr(ClassLessons, "_drawn", lambda own, subject: drawn.append(subject) or plain(own, subject))
    clusters = [make_cluster(key, sizes=SIZES) for key in "ab"] + [make_cluster("c", sizes=SIZES, subject="blue hat")]
    tasks = [*assigned(clusters[:2]), *assigned(clusters[2:], "a blue hat on the beach")]
    options = {"rare_token": "sks", "prior": Prior(pictures=3, weight=0.5)}
    triplets = list(made(tiny_sd, size=2, **options).teach(tasks))
    assert sorted(drawn) == ["bear toy", "blue hat"]
    assert [one.text for one in triplets] == [one.text for one in tasks]
    without = list(made(tiny_sd, size=2, rare_token="sks").teach(tasks))
    assert all(one.target != other.target for one, other in zip(triplets, without, strict=True))
    with pytest.raises(BadInput, match="does not name its subject"):
        next(made(tiny_sd, **options).teach(assigned(clusters[:1], "a crown")))


def test_experts_with_a_prior_are_the_same_alone(tiny_sd: Path, clusters: list[Cluster]) -> None:
    """Pictures of the class share the pass with the subject's where sizes agree."""
    fleet = made(tiny_sd, prior=Prior(pictures=2))
    together, alone = learnt(fleet, clusters[:2], 2), learnt(fleet, clusters[1:2], 1)
    assert torch.cosine_similarity(together["b"][1], alone["b"][1], dim=0) > 0.999
    assert not torch.equal(alone["b"][1], learnt(made(tiny_sd), clusters[1:2], 1)["b"][1])


def test_passes_hold_equally_many_pictures_of_each(tiny_sd: Path, make_cluster: Any) -> None:
    fleet = made(tiny_sd)
    square, wide = (fleet._lessons(make_cluster("a", sizes=(size,)))[0] for size in ((32, 32), (64, 32)))

    def of(lesson: Any, count: int) -> Any:
        return look(fleet._model, lesson, count, 0, "a")

    found = list(by_shape({0: [of(square, 2)], 1: [of(wide, 2), of(square, 2)], 2: [of(square, 1), of(square, 1)]}))
    assert [slots for slots, _ in found] == [[0, 1, 2], [1]]
    assert [[sum(len(draw.t) for draw in own) for own in draws] for _, draws in found] == [[2, 2, 2], [2]]


def test_as_many_experts_as_memory_holds(tiny_sd: Path, clusters: list[Cluster], monkeypatch: Any) -> None:
    """Twice the memory, twice the experts; more pictures a step, fewer; never none."""
    fleet = made(tiny_sd)

    def fits(free: float, batch: int = 2) -> int:
        monkeypatch.setattr(fleet_size, "_free", lambda _: free)
        return largest_fleet(fleet._model, fleet.lora, dataclasses.replace(TRAINING, batch=batch), 64)

    assert fits(0.0) == 1
    free = 2.0**20
    while fits(free) < 4:
        free *= 2
    assert (fits(free), fits(2 * free), fits(2.0**50)) == (4, 8, 64)
    assert fits(free, batch=16) < 4
    auto = made(tiny_sd, size="auto")
    monkeypatch.setattr(fleet_size, "_free", lambda _: free)
    assert (auto.slots, auto.at_once) == (4, 64)
    assert [one.id for one in auto.teach(assigned(clusters))] == [f"{key}/00/0" for key in "abcde"]


def test_bfloat16_bases_have_float32_factors(tiny_sd: Path, clusters: list[Cluster]) -> None:
    fleet = made(tiny_sd, dtype="bf16")
    found = learnt(fleet, clusters[:2], 2)
    assert fleet._model.pipeline.unet.dtype == torch.bfloat16
    assert {row.dtype for _, row in found.values()} == {torch.float32}
    exact = learnt(made(tiny_sd), clusters[:2], 2)
    for key in "ab":
        assert torch.cosine_similarity(found[key][1], exact[key][1], dim=0) > 0.9
    assert len(list(fleet.teach(assigned(clusters[:2])))) == 2
