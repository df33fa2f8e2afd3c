"""Pictures and their edits, with a Stable Diffusion and an SDXL."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tutelage.benches.metrics.pixels import planes
from tutelage.benches.metrics.structure import structure_distance
from tutelage.diffusion.features import picture_features
from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.sample import sample
from tutelage.diffusion.schedule import sampling_schedule
from tutelage.editing.denoise import Denoiser
from tutelage.editing.inversion import ddim
from tutelage.editing.prompt_to_prompt import Edit, draw_edits, edit_latents
from tutelage.editing.settings import Blend, Drawing, PromptToPrompt
from tutelage.errors import BadInput
from tutelage.toybox.checkpoints import checkpoint

FREE = PromptToPrompt(cross=0, self_attention=0)
EDIT = Edit(source="a red bear in the snow", target="a blue bunny in the snow", seed=5, guidance=3.0)
DRAWING = Drawing(steps=4)


def changed(control: PromptToPrompt = FREE, **changes: Any) -> Edit:
    return dataclasses.replace(EDIT, control=control, **changes)


def latents(pipeline: Any, *edits: Edit) -> torch.Tensor:
    """(2B, C, h, w), source, edit, …"""
    denoiser = Denoiser.of(pipeline)
    scheduler = ddim(pipeline.scheduler, 4, "cpu")
    return edit_latents(denoiser, scheduler, denoiser.noise([edit.seed for edit in edits]), edits)


def test_without_control_both_are_what_the_model_draws(pipeline: Any, apart: Any) -> None:
    """But for rounding: in a batch of another shape sums are added in another order."""
    [(source, target)] = draw_edits(pipeline, [changed()], DRAWING)
    pipeline = type(pipeline)(**pipeline.components)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = sampling_schedule(DRAWING.scheduler, pipeline.scheduler)
    [drawn] = sample(pipeline, [EDIT.source, EDIT.target], [5, 5], steps=4, guidance=3.0, batch=2, progress=False)
    for here, there in zip((source, target), drawn, strict=True):
        assert apart(here, there) < 0.1
    assert apart(source, target) > 0.1


def test_a_pair_depends_on_its_own_settings_alone(pipeline: Any) -> None:
    edits = [changed(PromptToPrompt()), changed(seed=6), changed(guidance=1.0)]
    together = list(draw_edits(pipeline, edits, DRAWING))
    for edit, pair in zip(edits, together, strict=True):
        [alone] = draw_edits(pipeline, [edit], dataclasses.replace(DRAWING, batch=1))
        assert [one.tobytes() for one in alone] == [one.tobytes() for one in pair]
    assert len({one.tobytes() for pair in together for one in pair}) == 6


def test_rows_of_a_batch_do_not_mix(pipeline: Any) -> None:
    """As an accelerator has it: several pairs at once, each with its own control, but for rounding."""
    mask = Image.new("L", (32, 32), 255)
    mask.paste(0, (0, 0, 16, 32))
    blend = Blend(source=("bear",), target=("bunny",), start=0.5)
    edits = [
        changed(PromptToPrompt(blend=blend, weights=(("blue", 2.0),))),
        changed(seed=6, mask=mask),
        changed(guidance=1.0, source="a bear in the snow", control=PromptToPrompt(words="refine", cross=0.5)),
    ]
    together = latents(pipeline, *edits)
    for n, edit in enumerate(edits):
        assert torch.allclose(together[2 * n : 2 * n + 2], latents(pipeline, edit), atol=1e-3)


def test_an_edit_to_the_same_words_is_its_source(pipeline: Any) -> None:
    source, edit = latents(pipeline, changed(PromptToPrompt(), target=EDIT.source))
    assert torch.allclose(source, edit, atol=1e-4)


def test_control_changes_the_edit_and_never_the_source(pipeline: Any) -> None:
    controls = [
        FREE,
        PromptToPrompt(cross=1, self_attention=0),
        PromptToPrompt(cross=0, self_attention=1, coarse=1),
        PromptToPrompt(words="refine", cross=1, self_attention=0),
        PromptToPrompt(cross=0, self_attention=0, weights=(("blue", -2.0),)),
    ]
    made = [latents(pipeline, changed(control)) for control in controls]
    for one in made[1:]:
        assert torch.allclose(one[0], made[0][0], atol=1e-4)
    for n, one in enumerate(made):
        assert all((one[1] - other[1]).abs().max() > 1e-3 for other in made[:n])


def test_outside_a_mask_an_edit_is_its_source(pipeline: Any) -> None:
    mask = Image.new("L", (32, 32), 0)
    mask.paste(255, (16, 0, 32, 32))
    source, edit = latents(pipeline, changed(mask=mask))
    assert torch.equal(source[..., :8], edit[..., :8])
    assert not torch.equal(source[..., 8:], edit[..., 8:])


@pytest.mark.parametrize(("threshold", "kept"), [(1.0, 1.0), (0.0, 0.0)])
def test_a_local_blend_keeps_what_no_word_looks_at(pipeline: Any, threshold: float, kept: float) -> None:
    """Nothing is above the largest attention, everything above none."""
    blend = Blend(source=("bear",), target=("bunny",), threshold=threshold)
    source, edit = latents(pipeline, changed(PromptToPrompt(blend=blend)))
    assert ((source == edit).all(0).float().mean().item() == 1.0) == bool(kept)
    if not kept:
        assert torch.allclose(edit, latents(pipeline, changed(PromptToPrompt()))[1], atol=1e-4)


@pytest.mark.parametrize("scheduler", ["EulerAncestralDiscreteScheduler", "DDPMScheduler"])
def test_schedulers_that_draw_noise_draw_one_for_both(tiny_sd: Path, scheduler: str) -> None:
    pipeline = load_pipeline(tiny_sd, "cpu", "fp32")
    drawing = dataclasses.replace(DRAWING, scheduler=scheduler)
    same = changed(PromptToPrompt(), target=EDIT.source)
    [(source, edit)], [(again, _)] = (list(draw_edits(pipeline, [same], drawing)) for _ in range(2))
    assert source.tobytes() == edit.tobytes() == again.tobytes()
    [(other, _)] = draw_edits(pipeline, [dataclasses.replace(same, seed=6)], drawing)
    assert other.tobytes() != source.tobytes()


def test_any_size_the_model_can_draw(pipeline: Any) -> None:
    blend = Blend(source=("bear",), target=("bunny",))
    sized = dataclasses.replace(DRAWING, size=(16, 48), steps=2)
    [(source, edit)] = draw_edits(pipeline, [changed(PromptToPrompt(blend=blend))], sized)
    assert source.size == edit.size == (48, 16)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (changed(PromptToPrompt(blend=Blend(source=("cat",), target=()))), "'cat' is not in the prompt 'a red bear"),
        (changed(PromptToPrompt(weights=(("bear", 2.0),))), "'bear' is not in the prompt 'a blue bunny"),
    ],
)
def test_words_that_are_in_no_prompt_are_refused(pipeline: Any, edit: Edit, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        list(draw_edits(pipeline, [edit], DRAWING))


def test_models_of_another_kind_are_refused(tiny_sd: Path) -> None:
    pipeline = load_pipeline(tiny_sd, "cpu", "fp32")
    pipeline.unet.register_to_config(in_channels=9)
    with pytest.raises(BadInput, match="is not Stable Diffusion or SDXL for text to image"):
        Denoiser.of(pipeline)


@pytest.fixture(scope="module")
def toys(toybox_sd: Path) -> Any:
    """A model that was trained."""
    pipeline = load_pipeline(toybox_sd, "cpu", "fp32")
    if pipeline.vae.config.latent_channels == 4:
        pytest.skip("the shipped checkpoint is not here")
    return pipeline


def test_what_is_decoded_is_what_was_encoded_but_for_the_codec(toys: Any, apart: Any) -> None:
    ramp = np.linspace(60, 190, 128)
    grey = Image.fromarray(np.stack([np.add.outer(ramp, ramp) / 2] * 3, axis=-1).astype(np.uint8))
    denoiser = Denoiser.of(toys)
    [made] = denoiser.decode(denoiser.encode([grey]))
    assert apart(made, grey) < 12


def test_control_keeps_the_layout(toys: Any) -> None:
    """The paper's claim, as structure distance: held attention is nearer to the source, and a local blend nearest."""
    look = picture_features(checkpoint("toybox-dino"), "cpu")
    asked = Edit(source="a green bunny toy on the beach", target="a green robot toy on the beach", seed=1, guidance=4.0)
    blend = Blend(source=("bunny",), target=("robot",))
    edits = [
        dataclasses.replace(asked, control=control) for control in (FREE, PromptToPrompt(), PromptToPrompt(blend=blend))
    ]
    drawn = [[planes(one) for one in pair] for pair in draw_edits(toys, edits, Drawing(steps=12))]
    free, held, blended = (structure_distance(look, *pair) for pair in drawn)
    assert 0 < blended < held < free
