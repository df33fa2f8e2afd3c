"""Noise levels: the formulas against what schedulers do, and where a stated level begins."""

import math
from typing import Any

import diffusers
import pytest
import torch

from tutelage.diffusion.schedule import edm_levels, log_snr, sampling_schedule, schedule_from
from tutelage.errors import BadInput

KINDS = (
    "DDIMScheduler",
    "DDPMScheduler",
    "EulerDiscreteScheduler",
    "DPMSolverMultistepScheduler",
    "EDMEulerScheduler",
    "EDMDPMSolverMultistepScheduler",
    "FlowMatchEulerDiscreteScheduler",
)
SDXL = diffusers.EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


@pytest.mark.parametrize("name", KINDS)
def test_log_snr_is_that_of_the_noise_that_schedulers_add(name: str) -> None:
    """The power of what is left of a picture of ones over the power of ones of noise."""
    scheduler: Any = getattr(diffusers, name)()
    scheduler.set_timesteps(7)
    add = getattr(scheduler, "add_noise", None) or (lambda x, noise, t: scheduler.scale_noise(x, t, noise))
    told = log_snr(scheduler)
    assert told.shape == (7,)
    for t, ratio in zip(scheduler.timesteps, told, strict=True):
        one, nothing = torch.ones(1, 1, 1, 1, dtype=torch.float64), torch.zeros(1, 1, 1, 1, dtype=torch.float64)
        signal, noise = (add(*pair, t.reshape(1)).item() for pair in ((one, nothing), (nothing, one)))
        seen = math.inf if noise == 0 else 2 * math.log(signal / noise) if signal else -math.inf
        assert ratio.item() == pytest.approx(seen, rel=2e-3, abs=2e-3)


def test_a_schedule_begins_at_the_stated_log_snr() -> None:
    """SDXL's levels, and the numbers of Generative Data Refinement."""
    made = schedule_from(SDXL, -4.649, 33, "cpu")
    told = log_snr(made)
    assert len(made.timesteps) == 33
    assert told[0].item() == pytest.approx(-4.649, abs=0.01)
    assert (told.diff() > 0).all()
    wanted = torch.from_numpy(edm_levels(math.exp(4.649 / 2), math.exp(-told[-1].item() / 2), 33))
    assert torch.allclose(-told / 2, wanted.log(), atol=0.15)


def test_a_schedule_of_edm_begins_there_exactly() -> None:
    trained = diffusers.EDMEulerScheduler(sigma_max=120.0, sigma_data=1.0, prediction_type="v_prediction")
    told = log_snr(schedule_from(trained, -4.649, 9, "cpu"))
    assert told[0].item() == pytest.approx(-4.649, abs=1e-4)
    assert len(told) == 9


def test_few_levels_give_few_steps() -> None:
    made = schedule_from(diffusers.DDPMScheduler(num_train_timesteps=10), 3.0, 50, "cpu")
    steps = made.timesteps.tolist()
    assert steps == sorted(set(steps), reverse=True)
    assert 1 < len(steps) <= 10


@pytest.mark.parametrize("start", [-6.0, 9.0])
def test_noise_that_was_never_trained_is_refused(start: float) -> None:
    with pytest.raises(BadInput, match=rf"log-SNR {start:g} is not among the model's levels; give one from -5\.3"):
        schedule_from(SDXL, start, 5, "cpu")


def test_schedulers_of_another_name_or_kind_are_refused() -> None:
    with pytest.raises(BadInput, match=r"no scheduler 'DDIMSheduler' in diffusers\. Did you mean 'DDIMScheduler'\?"):
        sampling_schedule("DDIMSheduler", SDXL)
    for name, trained in (
        ("DDIMScheduler", diffusers.EDMEulerScheduler()),
        ("EulerDiscreteScheduler", diffusers.FlowMatchEulerDiscreteScheduler()),
        ("EDMEulerScheduler", SDXL),
    ):
        with pytest.raises(BadInput, match=f"{name} has no noise levels like those of {type(trained).__name__}"):
            sampling_schedule(name, trained)
    with pytest.raises(BadInput, match="has no noise levels to train with"):
        schedule_from(diffusers.FlowMatchEulerDiscreteScheduler(), -1.0, 5, "cpu")
