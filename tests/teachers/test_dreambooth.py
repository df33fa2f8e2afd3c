from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tutelage.diffusion.load import load_pipeline
from tutelage.errors import BadInput
from tutelage.teachers.base import by_rare_token
from tutelage.teachers.dreambooth import DreamBooth
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Lora, Prior, Sampling, Training
from tutelage.triplet import Assignment, Triplet

TRAINING = Training(steps=3, batch=2, lr=1e-2)
SAMPLING = Sampling(samples=1, steps=2)


@pytest.fixture
def assignment(make_cluster: Any) -> Assignment:
    return Assignment(id="a/00", cluster=make_cluster("a"), text="a Bear Toy on the beach", skill="recontextualisation")


def made(base: Path, **changes: Any) -> DreamBooth:
    return DreamBooth(**({"base": base, "training": TRAINING, "sampling": SAMPLING, "device": "cpu"} | changes))


def state(pipeline: Any) -> dict[str, Tensor]:
    parts = {name: part for name, part in pipeline.components.items() if isinstance(part, torch.nn.Module)}
    return {f"{name}.{key}": value.clone() for name, part in parts.items() for key, value in part.state_dict().items()}


def one(teacher: DreamBooth, assignment: Assignment) -> Triplet:
    [triplet] = teacher.teach([assignment])
    return triplet


WAYS = [{}, {"lora": Lora(rank=2)}, {"lora": Lora(rank=2, convolutions=True)}, {"prior": Prior(pictures=2)}]


@pytest.mark.parametrize("changes", WAYS)
@pytest.mark.parametrize("kind", ["tiny_sd", "tiny_sdxl"])
def test_the_base_comes_back_to_the_last_bit(
    request: pytest.FixtureRequest, kind: str, changes: dict[str, Any], assignment: Assignment
) -> None:
    """Also when nobody takes the rest of the triplets; and while they are taken, it is another network."""
    folder = request.getfixturevalue(kind)
    fresh = state(load_pipeline(folder, "cpu"))
    teacher = made(folder, sampling=Sampling(samples=2, steps=2), **changes)
    triplets = teacher.teach([assignment])
    next(triplets)
    taught = state(teacher._model.pipeline)
    assert taught.keys() != fresh.keys() or any(not torch.equal(taught[name], fresh[name]) for name in fresh)
    triplets.close()  # type: ignore[attr-defined]
    after = state(teacher._model.pipeline)
    assert after.keys() == fresh.keys()
    assert all(torch.equal(after[name], fresh[name]) for name in fresh)
    assert not any(p.requires_grad or p.grad is not None for p in teacher._model.pipeline.unet.parameters())


def test_every_option_makes_another_expert(tiny_sd: Path, assignment: Assignment) -> None:
    ways: list[dict[str, Any]] = [
        *WAYS,
        {"rare_token": "hat"},
        {"training": Training(steps=4, batch=2, lr=1e-2)},
        {"training": Training(steps=3, batch=2, lr=1e-2, optimiser="adamw")},
        {"training": Training(steps=3, batch=2, lr=1e-2, weighting="min-snr")},
        {"training": Training(steps=3, batch=1, lr=1e-2)},
        {"sampling": Sampling(samples=1, steps=2, guidance=1.0)},
        {"sampling": Sampling(samples=1, steps=2, scheduler="DDIMScheduler")},
        {"dtype": "bf16"},
    ]
    targets = [one(made(tiny_sd, **way), assignment).target for way in ways]
    assert len(set(targets)) == len(ways)


def test_checkpointing_changes_memory_and_nothing_else(tiny_sd: Path, assignment: Assignment) -> None:
    training = Training(steps=3, batch=2, lr=1e-2, gradient_checkpointing=True)
    assert one(made(tiny_sd, training=training), assignment) == one(made(tiny_sd), assignment)


@pytest.mark.parametrize("changes", [{}, {"lora": Lora(rank=4, convolutions=True)}])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_error_falls(tiny_sd: Path, make_cluster: Any, prediction: str, changes: dict[str, Any]) -> None:
    """Eq. 4, over noise that training has not seen."""
    from tutelage.diffusion.noise import keyed_generator
    from tutelage.teachers.training import denoising_error, train

    training = Training(steps=25, batch=4, lr=5e-3, optimiser="adamw")
    teacher, cluster = made(tiny_sd, training=training, **changes), make_cluster("a", sizes=((32, 32),) * 3)
    teacher._model.schedule.register_to_config(prediction_type=prediction)
    lessons = teacher._lessons(cluster)

    @torch.no_grad()
    def error() -> float:
        draws = [keyed_generator(n, "held out") for n in range(8)]
        return sum(float(denoising_error(teacher._model, lessons[0], training, draw)) for draw in draws)

    before = error()
    with teacher._tuned(cluster) as parameters:
        assert error() == before  # adapters begin at the base, too
        train(teacher._model, lessons, parameters, training, 0, "a")
        assert error() < 0.95 * before
    assert error() == before


def test_the_baseline_names_the_subject_by_its_rare_token(tiny_sd: Path, assignment: Assignment) -> None:
    """Its captions say nothing else, its prompts keep the rest."""
    teacher = made(tiny_sd, rare_token="sks")
    assert by_rare_token(assignment, "sks") == "a sks bear toy on the beach"
    assert one(teacher, assignment).text == assignment.text


def test_a_text_that_does_not_name_the_subject_has_no_place_for_a_token(tiny_sd: Path, make_cluster: Any) -> None:
    nameless = Assignment(id="a/01", cluster=make_cluster("a"), text="a bear toys shop", skill="view")
    with pytest.raises(BadInput, match=r"a/01: 'a bear toys shop' does not name its subject 'bear toy'"):
        next(made(tiny_sd, rare_token="sks").teach([nameless]))


def test_class_pictures_are_drawn_once_and_from_the_base(tiny_sd: Path, make_cluster: Any) -> None:
    """Whatever was taught before: they are the class's, not a cluster's."""
    teacher = made(tiny_sd, prior=Prior(pictures=2, weight=0.5))
    first, second = (teacher._lessons(make_cluster(key))[1] for key in "ab")
    assert first is second
    assert (len(first.latents), first.weight) == (2, 0.5)
    taught = made(tiny_sd, prior=Prior(pictures=2))
    list(taught.teach([Assignment(id="c/00", cluster=make_cluster("c", subject="hat"), text="a hat", skill="view")]))
    again = taught._lessons(make_cluster("a"))[1]
    assert all(torch.equal(one, other) for one, other in zip(first.latents, again.latents, strict=True))


def test_one_subject_at_a_time(tiny_sd: Path, assignment: Assignment) -> None:
    teacher = made(tiny_sd, sampling=Sampling(samples=2, steps=1))
    triplets = teacher.teach([assignment])
    next(triplets)
    with pytest.raises(RuntimeError, match="this teacher is teaching"):
        next(teacher.teach([assignment]))
    assert len(list(triplets)) == 1
    assert len(list(teacher.teach([assignment]))) == 2


def test_a_diverged_expert_is_told_and_the_base_comes_back(tiny_sd: Path, assignment: Assignment) -> None:
    teacher = made(tiny_sd, training=Training(steps=6, batch=2, lr=1e30))
    with pytest.raises(BadInput, match="the expert of cluster a diverged; give a lower lr"):
        next(teacher.teach([assignment]))
    fresh = state(load_pipeline(tiny_sd, "cpu"))
    after = state(teacher._model.pipeline)
    assert all(torch.equal(after[name], fresh[name]) for name in fresh)


def test_latents_are_not_clipped_while_sampling(tiny_sdxl: Path) -> None:
    """This base's scheduler says nothing of clipping, and DDPM's default is for pixels."""
    model = Model.load(tiny_sdxl, "cpu", "fp32", TRAINING, SAMPLING)
    assert model.pipeline.scheduler.config.clip_sample is False
    assert model.schedule.config.prediction_type == "epsilon"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dtype": "fp16"}, "fp16 cannot hold the gradients"),
        ({"sampling": Sampling(scheduler="DPMScheduler")}, "no scheduler 'DPMScheduler' in diffusers"),
        ({"sampling": Sampling(size=(32, 38))}, "multiples of 8"),
        ({"device": "tpu"}, "no device 'tpu'"),
    ],
)
def test_bad_settings_are_refused(tiny_sd: Path, assignment: Assignment, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        next(made(tiny_sd, **changes).teach([assignment]))


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        *((Training, field, 0) for field in ("steps", "batch", "lr", "clip")),
        (Training, "lr", float("nan")),
        *((Sampling, field, 0) for field in ("samples", "steps", "batch")),
        (Sampling, "guidance", -1.0),
        (Lora, "rank", 0),
        (Prior, "pictures", 0),
        (Prior, "weight", 0.0),
    ],
)
def test_numbers_out_of_range_are_refused(kind: Any, field: str, value: float) -> None:
    with pytest.raises(BadInput, match=field):
        kind(**{field: value})
