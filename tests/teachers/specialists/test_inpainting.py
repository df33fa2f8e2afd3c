"""Inpainting by blended latents, by a UNet with more channels, and with a branch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from PIL import Image

from tutelage.diffusion.load import load_pipeline
from tutelage.errors import BadInput
from tutelage.teachers.specialists import inpainting
from tutelage.teachers.specialists.inpainting import Fill, Painter, inpaint, latent_mask, load_branch
from tutelage.teachers.specialists.settings import Drawing

DRAWING = Drawing(steps=3, guidance=3.0)
HALF = np.arange(32)[None].repeat(32, 0) < 16


def fill(seed: int = 0, mask: Any = HALF, prompt: str = "a bear") -> Fill:
    picture = Image.fromarray(np.random.default_rng(7).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    return Fill(picture, mask, prompt, seed)


@pytest.fixture(scope="module")
def pipeline(tiny_sd: Path) -> Any:
    return load_pipeline(tiny_sd, "cpu", "fp32")


@pytest.fixture
def nine(pipeline: Any) -> Iterator[Any]:
    """The same with a UNet that sees mask and masked latents: random weights."""
    torch.manual_seed(3)
    plain = pipeline.unet
    pipeline.unet = UNet2DConditionModel.from_config({**plain.config, "in_channels": 9}).eval()
    yield pipeline
    pipeline.unet = plain


def test_any_masked_pixel_masks_its_cell() -> None:
    mask = np.zeros((8, 8), bool)
    mask[3, 4] = True
    assert latent_mask([mask, ~mask], (4, 4))[0, 0].tolist()[1] == [0, 0, 1, 0]
    assert latent_mask([mask, ~mask], (4, 4))[1].all()


def test_cells_outside_end_as_the_sources(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(Painter, "decode", lambda self, latents: seen.append(latents))
    inpaint(pipeline, [fill()], DRAWING)
    clean = inpainting.encode_pictures(pipeline.vae, [fill().picture])
    [made] = seen
    assert torch.equal(made[..., 8:], clean[..., 8:])
    assert not torch.isclose(made[..., :8], clean[..., :8]).all()


def test_each_picture_depends_on_its_own_fill(pipeline: Any) -> None:
    [one], [other], [moved] = (inpaint(pipeline, [some], DRAWING) for some in (fill(), fill(1), fill(mask=~HALF)))
    assert len({one.tobytes(), other.tobytes(), moved.tobytes()}) == 3
    assert inpaint(pipeline, [fill()], DRAWING)[0].tobytes() == one.tobytes()


def test_an_inpainting_unet_is_told_mask_and_surroundings(nine: Any) -> None:
    """What lies inside the mask is not shown to it: other pixels there give the same answer."""
    painted = np.asarray(fill().picture).copy()
    painted[HALF] = 9
    blind = Fill(Image.fromarray(painted), HALF, "a bear", 0)
    beside = [
        inpainting._around(nine, [some], latent_mask([HALF], (16, 16)), None)["beside"] for some in (fill(), blind)
    ]
    assert beside[0].shape == (1, 5, 16, 16)
    assert torch.equal(beside[0], beside[1])
    assert inpaint(nine, [fill()], DRAWING)[0].size == (32, 32)


def test_a_branch_is_shown_the_masked_source_and_changes_the_picture(pipeline: Any, tmp_path: Path) -> None:
    torch.manual_seed(4)
    branch = ControlNetModel.from_unet(pipeline.unet, conditioning_embedding_out_channels=(8, 16))
    for layer in (*branch.controlnet_down_blocks, branch.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight)  # they are zero at first, and do nothing
    branch.save_pretrained(tmp_path / "branch")
    loaded = load_branch(str(tmp_path / "branch"), torch.device("cpu"), torch.float32)
    around = inpainting._around(pipeline, [fill()], latent_mask([HALF], (16, 16)), loaded)
    assert (around["shown"][0, :, HALF] == -1).all()
    assert (around["shown"][0, :, ~HALF] >= 0).all()
    [with_branch], [without] = inpaint(pipeline, [fill()], DRAWING, loaded), inpaint(pipeline, [fill()], DRAWING)
    assert with_branch.tobytes() != without.tobytes()


def test_other_channels_are_answered(pipeline: Any) -> None:
    plain = pipeline.unet
    pipeline.unet = UNet2DConditionModel.from_config({**plain.config, "in_channels": 8})
    try:
        with pytest.raises(BadInput, match="a UNet of 8 channels cannot inpaint latents of 4; it must have 4 or 9"):
            inpaint(pipeline, [fill()], DRAWING)
    finally:
        pipeline.unet = plain


def test_a_folder_that_is_no_branch_is_answered(tiny_clip: Path) -> None:
    with pytest.raises(BadInput, match="cannot be loaded as a ControlNet"):
        load_branch(str(tiny_clip), torch.device("cpu"), torch.float32)
