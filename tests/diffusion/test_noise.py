from pathlib import Path

import diffusers
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutelage.diffusion.noise import (
    PREDICTIONS,
    SNR_CEILING,
    denoising_target,
    error_weight,
    keyed_generator,
    keyed_seed,
    training_schedule,
)
from tutelage.errors import BadInput


@given(st.integers(0, 2**63 - 1), st.text(max_size=12), st.integers(0, 10**6))
def test_seeds_are_seeds_and_differ(seed: int, item: str, step: int) -> None:
    keys = {keyed_seed(seed, item, n) for n in (step, step + 1)} | {keyed_seed(seed + 1, item, step)}
    assert len(keys) == 3
    assert all(0 <= key < 2**63 for key in keys)


def test_seeds_never_change() -> None:
    """They are what makes an old run come back."""
    assert keyed_seed(0, 0, "noise") == 8555955568791778487


def test_a_key_gives_the_same_numbers() -> None:
    draws = [torch.randn(3, generator=keyed_generator(0, item, 5)) for item in ("a", "a", "b")]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def schedule(prediction: str) -> diffusers.DDPMScheduler:
    return training_schedule(diffusers.DDIMScheduler(prediction_type=prediction, rescale_betas_zero_snr=True))


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_target_leads_back_to_the_clean_picture(prediction: str) -> None:
    """By the scheduler's own arithmetic, at every noise level that leaves something of the picture."""
    noises = schedule(prediction)
    clean, noise = torch.randn(2, 1, 4, 8, 8, generator=keyed_generator(0))
    for level in (0, 400, 998):
        t = torch.tensor([level])
        target = denoising_target(noises, clean, noise, t)
        found = noises.step(target, level, noises.add_noise(clean, noise, t)).pred_original_sample
        torch.testing.assert_close(found, clean.clamp(-1, 1), atol=5e-2, rtol=0)


def test_min_snr_caps_what_the_error_of_the_clean_picture_weighs() -> None:
    """Hang et al. 2023: whatever is predicted, the error in terms of the clean picture weighs min(SNR, γ)."""
    t = torch.tensor([0, 100, 500, 998])
    signal = schedule("epsilon").alphas_cumprod[t]
    snr = signal / (1 - signal)
    in_clean = {"epsilon": snr, "v_prediction": snr + 1, "sample": torch.ones(4)}
    for prediction, factor in in_clean.items():
        weight = error_weight(schedule(prediction), t, "min-snr") * factor
        torch.testing.assert_close(weight, snr.clamp(max=SNR_CEILING))
        assert torch.isfinite(error_weight(schedule(prediction), torch.tensor([999]), "min-snr")).all()
        assert (error_weight(schedule(prediction), t, "plain") == 1).all()


@pytest.mark.parametrize("kind", ["FlowMatchEulerDiscreteScheduler", "EDMEulerScheduler"])
def test_other_families_are_refused(kind: str) -> None:
    with pytest.raises(BadInput, match=f"{kind} with prediction type .* has no noise levels"):
        training_schedule(getattr(diffusers, kind)())


def test_levels_are_those_of_the_base(tiny_sd: Path) -> None:
    base = diffusers.DDIMScheduler.from_pretrained(tiny_sd, subfolder="scheduler")
    assert torch.equal(training_schedule(base).alphas_cumprod, base.alphas_cumprod)
