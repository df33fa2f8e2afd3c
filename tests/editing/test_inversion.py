"""Pictures → noise and back."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from tutelage.benches.metrics.pixels import planes, psnr
from tutelage.diffusion.load import load_pipeline
from tutelage.editing.denoise import Denoiser, denoise
from tutelage.editing.diffedit import diff_edit, disputed
from tutelage.editing.inversion import ddim, draw_inverted, inverse_path, invert, null_text
from tutelage.editing.prompt_to_prompt import Edit, edit_latents
from tutelage.editing.settings import DiffEdit, NullText, PromptToPrompt
from tutelage.errors import BadInput
from tutelage.toybox.captions import caption
from tutelage.toybox.render import render
from tutelage.toybox.sampling import scene_at, subject_at

PROMPT = "a red bear in the snow"


class Constant(Denoiser):
    """A model that sees the same noise in everything."""

    def predict(self, latents: Tensor, *_: Any) -> Tensor:
        return torch.full_like(latents, 0.3)


def again(denoiser: Denoiser, path: Tensor, text: str = PROMPT, guidance: float = 1.0, untold: Any = None) -> Tensor:
    """The latents that are drawn from the noise of an inversion."""
    scheduler = ddim(denoiser.pipeline.scheduler, len(path) - 1, "cpu")
    edit = Edit(source=text, target=text, seed=0, guidance=guidance)
    return edit_latents(denoiser, scheduler, path[:1], [edit], untold)[:1]


def error(path: Tensor, drawn: Tensor) -> float:
    return float(((drawn - path[-1:]) ** 2).mean() / (path[-1:] ** 2).mean())


@pytest.mark.parametrize("steps", [5, 8])
def test_ddim_backwards_is_ddim_forwards(
    pipeline: Any, picture: Image.Image, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly, where what the model says does not depend on where it looks."""
    scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, prediction_type="epsilon")
    monkeypatch.setattr(pipeline, "scheduler", scheduler)
    constant = Constant(pipeline, Denoiser.of(pipeline).size)
    path = inverse_path(constant, constant.encode([picture]), PROMPT, steps, steps)
    scheduler, at = ddim(pipeline.scheduler, steps, "cpu"), []
    told = constant.told([PROMPT])

    def seen(_: int, latents: Tensor) -> Tensor:
        at.append(latents)
        return latents

    denoise(constant, scheduler, path[:1], told, lambda _: None, torch.ones(1), after=seen)
    assert path.shape == (steps + 1, *constant.encode([picture]).shape[1:])
    assert torch.allclose(torch.cat(at), path[1:], atol=1e-3)


def test_what_is_drawn_from_the_noise_is_the_picture(toybox_sd: Path) -> None:
    """Nearly as well as the codec has it, of a model that was trained."""
    pipeline = load_pipeline(toybox_sd, "cpu", "fp32")
    if pipeline.vae.config.latent_channels == 4:
        pytest.skip("the shipped checkpoint is not here")
    scene = scene_at(subject_at(0, split=1), 0, 0, split=1)
    denoiser, text = Denoiser.of(pipeline), caption(scene)
    seen = Image.fromarray(render(scene)[0])
    path = invert(denoiser, seen, text, 20).path
    drawn, coded = denoiser.decode(torch.cat([again(denoiser, path, text), path[-1:]]))
    assert psnr(planes(seen), planes(drawn)) > psnr(planes(seen), planes(coded)) - 2


def test_null_text_leads_guidance_back(pipeline: Any, picture: Image.Image) -> None:
    denoiser = Denoiser.of(pipeline)
    inverted = invert(denoiser, picture, PROMPT, 4)
    learnt = null_text(denoiser, inverted, NullText(guidance=6.0, tries=5, lr=0.05, enough=0.0))
    assert len(learnt.untold) == 4
    assert torch.equal(learnt.path, inverted.path)
    plain = error(inverted.path, again(denoiser, inverted.path, guidance=6.0))
    with_it = error(inverted.path, again(denoiser, learnt.path, guidance=6.0, untold=learnt.untold.__getitem__))
    assert with_it < plain
    assert all(parameter.grad is None for parameter in pipeline.unet.parameters())


def test_what_is_near_enough_is_not_moved(pipeline: Any, picture: Image.Image) -> None:
    denoiser = Denoiser.of(pipeline)
    learnt = null_text(denoiser, invert(denoiser, picture, PROMPT, 2), NullText(enough=1e9))
    assert all(torch.equal(one.hidden, denoiser.untold(1).hidden) for one in learnt.untold)


def test_an_inverted_picture_can_be_edited(pipeline: Any, picture: Image.Image, apart: Any) -> None:
    denoiser = Denoiser.of(pipeline)
    inverted = null_text(denoiser, invert(denoiser, picture, PROMPT, 4), NullText(guidance=3.0, tries=1))
    edit = Edit(source=PROMPT, target="a blue bunny in the snow", seed=0, guidance=3.0, control=PromptToPrompt())
    source, target = draw_inverted(denoiser, inverted, edit)
    assert apart(source, target) > 0.05
    assert draw_inverted(denoiser, inverted, edit)[1].tobytes() == target.tobytes()


def test_what_cannot_be_inverted_is_refused(tiny_sd: Path) -> None:
    scheduler = load_pipeline(tiny_sd, "cpu", "fp32").scheduler
    with pytest.raises(BadInput, match="steps of an inversion is 0; give 1 to 1000"):
        ddim(scheduler, 0, "cpu")
    pictures = type(scheduler).from_config(scheduler.config, prediction_type="sample")
    with pytest.raises(BadInput, match="predicts pictures cannot be inverted"):
        ddim(pictures, 5, "cpu")
    with pytest.raises(BadInput, match="give guidance above 1"):
        NullText(guidance=1.0)


SETTINGS = DiffEdit(steps=5, noises=2, guidance=2.0)


def test_prompts_that_agree_edit_nothing(pipeline: Any, picture: Image.Image) -> None:
    """All is then the picture, as the codec has it."""
    denoiser = Denoiser.of(pipeline)
    made = diff_edit(denoiser, picture, PROMPT, PROMPT, 0, SETTINGS)
    assert made.region.sum() == 0
    assert made.picture.tobytes() == denoiser.decode(denoiser.encode([picture]))[0].tobytes()


def test_what_is_edited_is_where_prompts_disagree(pipeline: Any, picture: Image.Image) -> None:
    denoiser = Denoiser.of(pipeline)
    prompts = PROMPT, "a blue bunny in the snow"
    clean = denoiser.encode([picture])
    regions = [disputed(denoiser, clean, prompts, 0, dataclasses.replace(SETTINGS, threshold=t)) for t in (0, 0.5, 1)]
    sizes = [int(region.sum()) for region in regions]
    assert regions[1].shape == (1, 16, 16)
    assert sizes[0] == 256 >= sizes[1] >= sizes[2] >= 1
    assert sizes[0] > sizes[2]
    together = disputed(denoiser, clean, prompts, 0, SETTINGS, batch=2)
    assert torch.equal(together, regions[1])
    made = diff_edit(denoiser, picture, *prompts, 0, SETTINGS)
    assert torch.equal(made.region, regions[1])
    assert made.picture.tobytes() != denoiser.decode(clean)[0].tobytes()
    same = diff_edit(denoiser, picture, *prompts, 0, SETTINGS)
    assert same.picture.tobytes() == made.picture.tobytes()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strength": 0.0}, "strength of DiffEdit is 0"),
        ({"noise": 2.0}, "noise of DiffEdit is 2"),
        ({"noises": 0}, "noises of DiffEdit is 0"),
        ({"guidance": -1.0}, "guidance is -1"),
    ],
)
def test_numbers_out_of_range_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        DiffEdit(**changes)
