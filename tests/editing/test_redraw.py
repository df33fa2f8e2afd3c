"""SDEdit as a part; what it makes of subjects is tested with the teacher."""

import dataclasses
from typing import Any

import pytest
import torch
from PIL import Image

from tutelage.diffusion.schedule import log_snr, sampling_schedule
from tutelage.editing.denoise import Denoiser
from tutelage.editing.sdedit import Redraw, covered, last_steps, redraw
from tutelage.editing.settings import Drawing

DRAWING = Drawing(steps=6)


@pytest.mark.parametrize("name", ["DDIMScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler"])
def test_a_picture_is_covered_to_the_level_of_its_first_step(pipeline: Any, picture: Image.Image, name: str) -> None:
    """The same seed is the same noise, whatever is beside it."""
    denoiser = Denoiser.of(pipeline)
    scheduler = sampling_schedule(name, pipeline.scheduler)
    scheduler.set_timesteps(6)
    steps = last_steps(scheduler, 0.5, 6)
    assert len(steps) == (3 if scheduler.order == 1 else 5)
    clean = denoiser.encode([picture] * 2)
    noisy = covered(denoiser, scheduler, clean, [1, 2], steps.start)
    nothing = covered(denoiser, scheduler, torch.zeros_like(clean), [1, 2], steps.start)
    signal = (noisy - nothing).std() / clean.std()
    told = log_snr(scheduler)[steps.start].item()
    assert 2 * torch.log(signal / nothing.std()).item() == pytest.approx(told, abs=0.15)
    assert torch.equal(covered(denoiser, scheduler, clean[:1], [2], steps.start)[0], noisy[1])


def test_a_picture_depends_on_its_own_settings_alone(pipeline: Any, picture: Image.Image) -> None:
    asked = [
        Redraw(picture=picture, prompt="a bear", seed=1),
        Redraw(picture=picture, prompt="a bear", seed=2),
        Redraw(picture=picture, prompt="a red hat", seed=1),
        Redraw(picture=picture.rotate(90), prompt="a bear", seed=1),
    ]
    together = list(redraw(pipeline, asked, DRAWING, strength=0.5))
    assert len({one.tobytes() for one in together}) == 4
    for one, made in zip(asked, together, strict=True):
        [alone] = redraw(pipeline, [one], dataclasses.replace(DRAWING, batch=1), strength=0.5)
        assert alone.tobytes() == made.tobytes()


def test_without_guidance_half_the_work_is_done(pipeline: Any, picture: Image.Image) -> None:
    asked, rows = [Redraw(picture=picture, prompt="a bear", seed=1)], []
    hook = pipeline.unet.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    try:
        for guidance in (1.0, 2.0):
            list(redraw(pipeline, asked, DRAWING, strength=0.5, guidance=guidance))
    finally:
        hook.remove()
    assert rows == [1] * 3 + [2] * 3
