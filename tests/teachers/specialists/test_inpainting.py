"""Inpainting by blended latents, by a UNet with more channels, and with a branch."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from PIL import Image

from tutelage.diffusion.brush_net import BrushNet
from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.regions import latent_mask
from tutelage.errors import BadInput
from tutelage.segmentation.masks import Masks
from tutelage.teachers.specialists import inpainting
from tutelage.teachers.specialists.branches import BrushBranch, ControlBranch, branch_hash, load_branch
from tutelage.teachers.specialists.inpainting import Fill, Painter, inpaint
from tutelage.teachers.specialists.settings import Drawing
from tutelage.teachers.specialists.swap import Swap
from tutelage.triplet import Assignment, Order

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


def painted(pipeline: Any, branch: Any = None, mask: Any = HALF) -> bytes:
    return inpaint(pipeline, [fill(mask=mask)], DRAWING, branch)[0].tobytes()


@pytest.fixture(scope="module")
def awake(pipeline: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a BrushNet whose zeros are none."""
    branch, folder = BrushNet.of(pipeline.unet), tmp_path_factory.mktemp("brush") / "net"
    torch.manual_seed(4)
    for layer in branch.zeros:
        torch.nn.init.normal_(layer.weight, std=0.1)
    branch.save_pretrained(folder)
    return folder


def test_a_pair_says_with_which_branch_it_was_made(tiny_sd: Path, awake: Path) -> None:
    alone = Swap(base=tiny_sd)
    beside = replace(alone, branch=awake)
    assert beside.weights.split("+") == [alone.weights, branch_hash(str(awake))]


def test_a_fresh_brush_net_changes_nothing(pipeline: Any) -> None:
    """However often it was beside its base."""
    fresh = BrushBranch(BrushNet.of(pipeline.unet))
    assert painted(pipeline, fresh) == painted(pipeline) == painted(pipeline, fresh)


def test_nor_does_it_beside_an_inpainting_unet(nine: Any) -> None:
    assert painted(nine, BrushBranch(BrushNet.of(nine.unet))) == painted(nine)


def test_a_brush_net_is_taken_by_its_folders_class(pipeline: Any, awake: Path) -> None:
    loaded = load_branch(str(awake), torch.device("cpu"), torch.float32)
    assert painted(pipeline, loaded) == painted(pipeline, loaded) != painted(pipeline)
    assert painted(pipeline, loaded, ~HALF) != painted(pipeline, None, ~HALF)


def test_a_specialist_paints_with_the_branch_it_is_given(
    tiny_sd: Path, awake: Path, make_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Masks, "of", lambda *_: HALF)
    order = Order(phrase="the hat", caption="a blue bear", fill="a blue hat")
    one = Assignment(id="a/00", cluster=make_cluster("a"), text="swap it", skill="swap", order=order)
    told: dict[str, Any] = {"base": tiny_sd, "drawing": DRAWING, "device": "cpu"}
    [plain], [other] = (list(Swap(**told, branch=branch).teach([one])) for branch in ("", awake))
    assert plain.target != other.target


def test_a_brush_net_does_not_see_inside_the_mask(pipeline: Any, awake: Path) -> None:
    loaded = load_branch(str(awake), torch.device("cpu"), torch.float32)
    pixels = np.asarray(fill().picture).copy()
    pixels[HALF] = 9
    blind = Fill(Image.fromarray(pixels), HALF, "a bear", 0)
    mask = latent_mask([HALF], (16, 16))
    shown = [inpainting._around(pipeline, [some], mask, loaded)["shown"] for some in (fill(), blind)]
    assert shown[0].shape == (1, 5, 16, 16)
    assert torch.equal(shown[0], shown[1])
    assert torch.equal(shown[0][:, 4:], mask)


def test_a_branch_of_another_base_is_answered(pipeline: Any) -> None:
    other = UNet2DConditionModel.from_config({**pipeline.unet.config, "block_out_channels": (16, 32)})
    control = ControlNetModel.from_unet(other, conditioning_embedding_out_channels=(8, 16))
    with pytest.raises(BadInput, match="for a UNet of other layers"):
        inpaint(pipeline, [fill()], DRAWING, BrushBranch(BrushNet.of(other)))
    with pytest.raises(BadInput, match=r"with channels \[16, 32\], not \[32, 32\]"):
        inpaint(pipeline, [fill()], DRAWING, ControlBranch(control))


def test_other_channels_are_answered(pipeline: Any) -> None:
    plain = pipeline.unet
    pipeline.unet = UNet2DConditionModel.from_config({**plain.config, "in_channels": 8})
    try:
        with pytest.raises(BadInput, match="a UNet of 8 channels cannot inpaint latents of 4; it must have 4 or 9"):
            inpaint(pipeline, [fill()], DRAWING)
    finally:
        pipeline.unet = plain


def test_a_folder_that_is_no_branch_is_answered(tiny_clip: Path) -> None:
    with pytest.raises(BadInput, match="a branch is a ControlNetModel or a BrushNet"):
        load_branch(str(tiny_clip), torch.device("cpu"), torch.float32)


def test_a_broken_branch_is_answered(awake: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((awake / "config.json").read_bytes())
    with pytest.raises(BadInput, match="cannot be loaded as a BrushNet"):
        load_branch(str(tmp_path), torch.device("cpu"), torch.float32)
