"""What is taught at a level is what samplers of that kind take for granted."""

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    EDMEulerScheduler,
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
)

from tutelage.diffusion.levels import Edm, Flow, levels_of
from tutelage.errors import BadInput

RANDOM = torch.Generator().manual_seed(0)
CLEAN, NOISE = (torch.randn(5, 4, 8, 8, generator=RANDOM) for _ in range(2))
T = torch.tensor([0, 250, 500, 750, 999])


def test_discrete_steps_are_the_schedulers() -> None:
    scheduler = DDPMScheduler(prediction_type="v_prediction")
    levels = levels_of(DDIMScheduler(prediction_type="v_prediction"), "min-snr")
    assert torch.equal(levels.noisy(CLEAN, NOISE, T), scheduler.add_noise(CLEAN, NOISE, T))
    assert torch.equal(levels.target(CLEAN, NOISE, T), scheduler.get_velocity(CLEAN, NOISE, T))
    assert torch.equal(levels.told(T), T)
    assert levels.weight(T).unique().numel() > 1
    assert (levels.count, levels.share(500.0)) == (1000, 0.5)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_an_edm_sampler_finds_the_clean_picture_in_what_is_taught(prediction: str) -> None:
    scheduler = EDMEulerScheduler(sigma_data=0.7, sigma_max=120.0, prediction_type=prediction)
    levels = levels_of(scheduler)
    assert isinstance(levels, Edm)
    sigma = levels.sigma(T)
    noisy = CLEAN + sigma * NOISE
    torch.testing.assert_close(levels.noisy(CLEAN, NOISE, T), scheduler.precondition_inputs(noisy, sigma))
    torch.testing.assert_close(levels.told(T), scheduler.precondition_noise(sigma.flatten()))
    found = scheduler.precondition_outputs(noisy, levels.target(CLEAN, NOISE, T), sigma)
    torch.testing.assert_close(found, CLEAN, atol=1e-3, rtol=1e-3)
    assert sigma.min() >= 0.002 and sigma.max() == 120  # noqa: PT018
    assert levels.share(float(levels.told(T)[-1])) == pytest.approx(1)


def test_v_of_edm_is_the_v_of_a_discrete_schedule() -> None:
    """With data of spread 1: so that a base that says v need only learn what time it is."""
    levels = Edm(sigma_min=0.002, sigma_max=80, sigma_data=1.0, velocity=True)
    sigma = levels.sigma(T)
    signal, rest = 1 / (1 + sigma**2).sqrt(), sigma / (1 + sigma**2).sqrt()
    torch.testing.assert_close(levels.target(CLEAN, NOISE, T), signal * NOISE - rest * CLEAN, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_a_flow_sampler_finds_the_clean_picture_in_what_is_taught(shift: float) -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    levels = levels_of(scheduler)
    assert isinstance(levels, Flow)
    sigma = levels.sigma(T)
    noisy, said = levels.noisy(CLEAN, NOISE, T), levels.target(CLEAN, NOISE, T)
    torch.testing.assert_close(noisy - sigma * said, CLEAN)
    torch.testing.assert_close(levels.told(T), 1000 * sigma.flatten())
    middle = (levels.sigma(torch.tensor([499])) + levels.sigma(torch.tensor([500]))) / 2
    assert middle.item() == pytest.approx(shift / (1 + shift), abs=1e-3)
    assert levels.weight(T).tolist() == [1] * 5
    assert levels.share(250.0) == 0.25


def test_what_cannot_be_learnt_at_is_refused() -> None:
    with pytest.raises(BadInput, match="'min-snr' is not for EDMEulerScheduler"):
        levels_of(EDMEulerScheduler(), "min-snr")
    with pytest.raises(BadInput, match="no noise levels to train with"):
        levels_of(HeunDiscreteScheduler(prediction_type="other"))
