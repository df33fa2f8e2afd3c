import dataclasses
from collections.abc import Callable
from itertools import chain
from typing import Any

import diffusers
import pytest
import torch
from apprentices import EVERY_LEVEL, demonstrations, noisy, shown, told

from tutelage.diffusion.sample import image_seed, sample
from tutelage.errors import BadInput
from tutelage.students import drawing
from tutelage.students.base import Batch, Request
from tutelage.students.guidance import Interleaved, TwoWeights
from tutelage.students.suti import Suti

Students = Callable[..., Suti]
PROMPTS = ["a red bear toy", "a bear toy in the snow", "a toy on the beach"]
WEIGHTS = TwoWeights(text=3.0, references=2.0)


def batch(suti: Suti, *, drop_text: bool = False, drop_references: bool = False) -> Batch:
    return Batch(
        latents=noisy(suti, 2, seed=1),
        text=told(suti, 2, seed=2),
        references=shown(suti, [[1, 1], [0, 1]], seed=3),
        drop_text=torch.tensor([drop_text, False]),
        drop_references=torch.tensor([drop_references] * 2),
        timesteps=torch.tensor([700, 40]),
        noise=noisy(suti, 2, seed=4),
    )


def pictures(suti: Suti, requests: list[Request], **changes: Any) -> list[bytes]:
    options: dict[str, Any] = {"steps": 3, "guidance": WEIGHTS, "batch": 8} | changes
    return [image.tobytes() for image in chain.from_iterable(suti.generate(requests, **options))]


def requests(count: int = 3) -> list[Request]:
    """The first has two demonstrations, the second none, the third one of another subject."""
    shows = [demonstrations(2), (), demonstrations(1, first=5)]
    return [Request(text=PROMPTS[i], references=shows[i], seed=image_seed(0, i)) for i in range(count)]


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_loss_is_the_error_in_what_the_base_predicts(students: Students, prediction: str) -> None:
    """Of a fresh student, it is the base's own; targets by their definitions (Salimans & Ho 2022)."""
    suti = students("sd", awake=False)
    suti.pipeline.scheduler.register_to_config(prediction_type=prediction)
    one = batch(suti)
    signal = suti.pipeline.scheduler.alphas_cumprod[one.timesteps].sqrt().view(-1, 1, 1, 1)
    spread = (1 - signal**2).sqrt()
    mixed = signal * one.latents + spread * one.noise
    targets = {"epsilon": one.noise, "v_prediction": signal * one.noise - spread * one.latents, "sample": one.latents}
    with torch.no_grad():
        said = suti.pipeline.unet(mixed, one.timesteps, one.text.hidden).sample
        assert suti.loss(one).item() == pytest.approx((said - targets[prediction]).square().mean().item(), rel=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_what_is_dropped_is_not_seen(students: Students, name: str) -> None:
    suti = students(name)
    whole, no_text, no_references = batch(suti), batch(suti, drop_text=True), batch(suti, drop_references=True)
    losses = [suti.loss(one).item() for one in (whole, no_text, no_references)]
    assert len(set(losses)) == 3
    texts = told(suti, 2, seed=9).take([0]), whole.text.take([1])
    other = type(whole.text)(*(torch.cat(pair) if pair[0] is not None else None for pair in _fields(texts)))
    assert suti.loss(dataclasses.replace(no_text, text=other)).item() == losses[1]
    elsewhere = dataclasses.replace(no_references, references=shown(suti, [[1, 0], [1, 1]], seed=8))
    assert suti.loss(elsewhere).item() == losses[2]


def _fields(texts: Any) -> Any:
    return [[getattr(text, field) for text in texts] for field in ("hidden", "pooled")]


def test_min_snr_weighs_little_noise_less(students: Students) -> None:
    suti = students("sd", weighting="min-snr")
    late = dataclasses.replace(batch(suti), timesteps=torch.tensor([2, 2]))
    with torch.no_grad():
        assert suti.loss(late) < 0.1 * students("sd").loss(late)


@pytest.mark.parametrize("name", sorted(EVERY_LEVEL))
def test_everything_learns_or_the_new_layers_alone(students: Students, name: str) -> None:
    for learns in ("everything", "new-layers"):
        suti = students(name, learns=learns)
        suti.loss(batch(suti)).backward()
        taught = {path.split(".")[0] for path, part in suti.network.named_parameters() if part.grad is not None}
        assert taught == ({"unet", "attention"} if learns == "everything" else {"attention"})
        assert all(part.grad is not None for part in suti.network.attention.parameters())


def test_a_batch_without_demonstrations_has_gradients_of_zero(students: Students) -> None:
    suti = students("sd", learns="new-layers")
    one = batch(suti, drop_references=True)
    loss = suti.loss(one)
    loss.backward()
    assert all(part.grad is not None and not part.grad.any() for part in suti.network.attention.parameters())
    with torch.no_grad():
        assert suti.loss(one) == loss


def test_the_encoding_of_demonstrations_may_be_left_alone(students: Students) -> None:
    """Both give the same loss; the gradient of a layer that only demonstrations pass through differs."""
    losses, slopes = [], []
    for through in (True, False):
        suti = students("sd", through_references=through)
        loss = suti.loss(batch(suti))
        loss.backward()
        losses.append(loss.item())
        slopes.append(suti.pipeline.unet.conv_in.weight.grad)
    assert losses[0] == losses[1]
    assert not torch.allclose(*slopes)


def test_a_few_steps_lower_the_loss(students: Students) -> None:
    suti = students("sd", awake=False, levels=(0, 1), learns="new-layers")
    one = batch(suti)
    optimiser = torch.optim.AdamW(suti.network.attention.parameters(), lr=5e-3)
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = suti.loss(one)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_bf16_learns_and_draws(students: Students, name: str) -> None:
    """Learning under autocast with weights in float32, drawing with weights in bf16."""
    suti = students(name, levels=(0, 1), checkpointing=True)
    suti.network.train()
    one = batch(suti)
    with torch.autocast("cpu", torch.bfloat16):
        loss = suti.loss(one)
    loss.backward()
    assert loss.dtype == torch.float32
    with torch.no_grad():
        assert loss.item() == pytest.approx(suti.loss(one).item(), rel=0.02)
    assert all(torch.isfinite(part.grad).all() for part in suti.network.attention.parameters())
    assert len(pictures(_half(suti), requests())) == 3


def _half(suti: Suti) -> Suti:
    suti.pipeline.to(torch.bfloat16)
    suti.network.to(torch.bfloat16)
    return suti


@pytest.mark.parametrize("name", ["sd", "sdxl", "toybox"])
def test_without_demonstrations_it_draws_what_its_base_draws(students: Students, name: str) -> None:
    """To the last bit: the new layers are awake, but there is nothing to look at."""
    suti = students(name)
    asked = [Request(text=text, seed=image_seed(1, i)) for i, text in enumerate(PROMPTS[:2])]
    drawn = pictures(suti, asked, guidance=TwoWeights(text=5.0, references=2.0), steps=2)
    seeds = [request.seed for request in asked]
    base = chain.from_iterable(sample(suti.pipeline, PROMPTS[:2], seeds, steps=2, guidance=5.0))
    assert drawn == [image.tobytes() for image in base]


@pytest.mark.parametrize("guidance", [WEIGHTS, Interleaved(text=3, references=2), TwoWeights(text=1, references=1)])
@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_pictures_are_the_same_cached_or_not_alone_or_together(students: Students, name: str, guidance: Any) -> None:
    suti = students(name, levels=(0, 1))
    every = pictures(suti, requests(), guidance=guidance)
    assert len(set(every)) == 3
    assert pictures(suti, requests(), guidance=guidance, cached=False, batch=2) == every
    assert pictures(suti, [requests()[2]], guidance=guidance) == [every[2]]


def test_pictures_depend_on_what_was_asked(students: Students) -> None:
    suti = students("sd")
    [first] = requests(1)
    changed = [dataclasses.replace(first, **change) for change in (
        {"text": "a toy"}, {"seed": 5}, {"references": first.references[:1]}, {"references": ()},
    )]  # fmt: skip
    options: list[dict[str, Any]] = [{"steps": 2}, {"guidance": TwoWeights(text=3, references=6)}, {"negative": "red"}]
    drawn = pictures(suti, [first, *changed]) + [pictures(suti, [first], **option)[0] for option in options]
    assert len(set(drawn)) == len(drawn) == 8


def test_lanes_of_accelerators_agree_up_to_rounding(students: Students, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several pictures at once, each with its own demonstrations or none."""
    suti = students("sdxl", levels=(0, 1))
    alone = pictures(suti, requests(), guidance=Interleaved(text=3, references=2))
    monkeypatch.setattr(drawing, "lane_width", lambda _, batch: batch)
    monkeypatch.setattr("tutelage.diffusion.sample.lane_width", lambda _, batch: batch)
    together = pictures(suti, requests(), guidance=Interleaved(text=3, references=2))
    for one, other in zip(alone, together, strict=True):
        differences = [abs(a - b) for a, b in zip(one, other, strict=True)]
        assert max(differences) <= 2


@pytest.mark.parametrize("kind", [
    "DDPMScheduler", "DDIMScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler",
    "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "HeunDiscreteScheduler",
])  # fmt: skip
def test_any_scheduler_draws(students: Students, kind: str) -> None:
    suti = students("sd")
    suti.pipeline.scheduler = getattr(diffusers, kind).from_config(suti.pipeline.scheduler.config)
    with_some, without = requests(1), [dataclasses.replace(requests(1)[0], references=())]
    assert pictures(suti, with_some) == pictures(suti, with_some)
    assert pictures(suti, with_some) != pictures(suti, without)


def test_sizes_are_height_and_width(students: Students) -> None:
    [[picture]] = students("sd").generate(requests(1), steps=1, guidance=WEIGHTS, size=(32, 48))
    assert picture.size == (48, 32)


def test_drawing_leaves_the_student_as_it_was(students: Students) -> None:
    suti = students("sd")
    suti.network.train()
    before, unet = {name: value.clone() for name, value in suti.network.state_dict().items()}, suti.pipeline.unet
    pictures(suti, requests(1))
    assert suti.network.training
    assert suti.pipeline.unet is unet
    assert all(torch.equal(value, before[name]) for name, value in suti.network.state_dict().items())


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"steps": 0}, "steps is 0"), ({"batch": 0}, "batch is 0"), ({"size": (32, 38)}, "multiples of 8")],
)
def test_bad_numbers_are_refused(students: Students, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        pictures(students("sd"), requests(1), **changes)


def test_other_pipelines_are_refused(students: Students) -> None:
    pipeline = students("sd").pipeline
    unet = pipeline.unet
    distilled = type(unet).from_config(unet.config, time_cond_proj_dim=8)
    pipeline.unet = distilled
    with pytest.raises(BadInput, match="more than texts and sizes"):
        Suti(pipeline, students("sd").network.attention)
    with pytest.raises(BadInput, match="neither Stable Diffusion nor SDXL"):
        Suti(object(), students("sd").network.attention)
