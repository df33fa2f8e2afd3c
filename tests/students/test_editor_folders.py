"""Folders of editors are diffusers' own: stock pipelines open them and edit the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from apprentices import photo
from diffusers import (
    SD3ControlNetModel,
    SD3Transformer2DModel,
    StableDiffusion3ControlNetPipeline,
    StableDiffusion3Pipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
)
from editors import batch, editor, request, source
from torch import Tensor

from tutelage.diffusion.load import load_pipeline
from tutelage.errors import BadInput
from tutelage.students import student
from tutelage.students.concat_transformer import ConcatStudent, StableDiffusion3InstructPix2PixPipeline
from tutelage.students.edit_net import EditTransformer
from tutelage.students.editnet import EditNetPipeline
from tutelage.students.guidance import ImageFirst
from tutelage.students.settings import EditShape

STOCK: dict[str, Any] = {
    "tiny_sd": StableDiffusionInstructPix2PixPipeline,
    "tiny_sdxl": StableDiffusionXLInstructPix2PixPipeline,
}
NO_T5 = {"text_encoder_3": None, "tokenizer_3": None}
"""Diffusers wants to be told."""


@pytest.mark.parametrize("schedule", ["base", "edm"])
@pytest.mark.parametrize("base", sorted(STOCK))
def test_stock_instruct_pix2pix_edits_the_same(
    request: pytest.FixtureRequest, base: str, schedule: Any, tmp_path: Path
) -> None:
    """Same noise, same weights of guidance, same picture but for rounding; CosXL's folders say that they are."""
    begun = editor("instruct-pix2pix", request.getfixturevalue(base), awake=True, shape=EditShape(schedule=schedule))
    begun.save(tmp_path / "student")
    stock = STOCK[base].from_pretrained(tmp_path / "student", use_safetensors=True)
    stock.set_progress_bar_config(disable=True)
    assert getattr(stock, "is_cosxl_edit", False) == (schedule == "edm" and base == "tiny_sdxl")
    assert type(stock.scheduler).__name__ == type(begun.pipeline.scheduler).__name__
    told = {"num_inference_steps": 3, "guidance_scale": 3.0, "image_guidance_scale": 1.5, "output_type": "np"}
    theirs = stock("a blue hat", image=photo(1), generator=torch.Generator().manual_seed(3), **told).images[0]
    guidance = ImageFirst(text=3.0, image=1.5)
    [[ours]] = begun.generate([asked()], steps=3, guidance=guidance)
    difference = np.abs(theirs * 255 - np.asarray(ours, np.float32))
    assert difference.mean() < 0.7
    assert difference.max() < 8


def asked() -> Any:
    return request(picture=source(1))


def test_a_widened_unet_is_no_base(tiny_sd: Path) -> None:
    begun = editor("instruct-pix2pix", tiny_sd)
    assert begun.network.unet.config.in_channels == 8
    assert begun.guided().config.in_channels == 4
    with pytest.raises(BadInput, match="this UNet sees 8 channels; give one that sees 4"):
        student("instruct-pix2pix").from_base(begun.pipeline, EditShape())


def test_a_stock_controlnet_pipeline_has_the_branch(tiny_sd3: Path, tmp_path: Path) -> None:
    begun = editor("controlnet", tiny_sd3, awake=True)
    begun.save(tmp_path / "student")
    stock = StableDiffusion3ControlNetPipeline.from_pretrained(tmp_path / "student", use_safetensors=True, **NO_T5)
    assert isinstance(stock.controlnet, SD3ControlNetModel)
    assert isinstance(stock.transformer, SD3Transformer2DModel)
    ours = dict(begun.network.controlnet.named_parameters())
    assert all(torch.equal(value, ours[name]) for name, value in stock.controlnet.named_parameters())
    assert stock.controlnet.config.force_zeros_for_pooled_projection is False


def test_a_widened_transformer_is_a_pipeline_and_no_base(tiny_sd3: Path, tmp_path: Path) -> None:
    begun = editor("concat-transformer", tiny_sd3, awake=True)
    assert begun.guided().config.in_channels == 4
    begun.save(tmp_path / "student")
    pipeline = StableDiffusion3InstructPix2PixPipeline.from_pretrained(
        tmp_path / "student", use_safetensors=True, **NO_T5
    )
    assert type(pipeline.transformer) is SD3Transformer2DModel
    assert (pipeline.transformer.config.in_channels, pipeline.transformer.config.out_channels) == (8, 4)
    told: dict[str, Any] = {"num_inference_steps": 2, "guidance": ImageFirst(text=3, image=1.5)}
    one, other = pipeline(["a blue hat", "a red toy"], photo(1), **told).images
    assert one.tobytes() != other.tobytes()
    assert pipeline("a blue hat", photo(1), **told).images[0].tobytes() == one.tobytes()
    assert pipeline("a blue hat", photo(9), **told).images[0].tobytes() != one.tobytes()
    with pytest.raises(BadInput, match="this transformer sees 8 channels; give one that sees 4"):
        student("concat-transformer").from_base(begun.pipeline, EditShape())
    with pytest.raises(BadInput, match="this transformer sees 4 channels, not 8"):
        ConcatStudent(load_pipeline(tiny_sd3, "cpu"))
    with pytest.raises(BadInput, match="cannot be loaded as a text-to-image pipeline"):
        load_pipeline(tmp_path / "student", "cpu")


def test_a_transformer_that_says_as_much_as_it_sees_goes_on_doing_so(tiny_sd3: Path) -> None:
    """Some folders leave the channels of the output to those of the input."""
    base = load_pipeline(tiny_sd3, "cpu")
    base.transformer.register_to_config(out_channels=None)
    begun = student("concat-transformer").from_base(base, EditShape())
    again = SD3Transformer2DModel.from_config(begun.network.transformer.config)
    assert again.out_channels == base.transformer.out_channels == 4


@pytest.mark.parametrize("layers", [0, 3])
def test_no_block_of_a_branch_is_unheard(tiny_sd3: Path, layers: int) -> None:
    with pytest.raises(BadInput, match="copies 1 to 2 blocks"):
        editor("controlnet", tiny_sd3, shape=EditShape(layers=layers))


def test_an_editnet_is_a_pipeline_and_without_tutelage_its_base(tiny_sd3: Path, tmp_path: Path) -> None:
    begun = editor("editnet", tiny_sd3, awake=True)
    begun.save(tmp_path / "student")
    index = json.loads((tmp_path / "student/model_index.json").read_bytes())
    assert index["edit_net"] == ["tutelage.students.edit_net", "EditNet"]
    pipeline = EditNetPipeline.from_pretrained(tmp_path / "student", use_safetensors=True)
    told: dict[str, Any] = {"num_inference_steps": 2, "guidance": ImageFirst(text=3, image=1.5)}
    one, other = pipeline(["a blue hat", "a red toy"], photo(1), **told).images
    assert one.tobytes() != other.tobytes()
    assert pipeline("a blue hat", photo(1), **told).images[0].tobytes() == one.tobytes()
    plain = StableDiffusion3Pipeline.from_pretrained(tmp_path / "student", use_safetensors=True, **NO_T5)
    weights = dict(load_pipeline(tiny_sd3, "cpu").transformer.named_parameters())
    assert all(torch.equal(value, weights[name]) for name, value in plain.transformer.named_parameters())


def test_an_editnet_copies_every_block(tiny_sd3: Path) -> None:
    begun = editor("editnet", tiny_sd3)
    base, branch = begun.network.transformer.transformer_blocks, begun.network.edit_net.blocks
    assert len(base) == len(branch) == 4
    for block, copied in zip(base, branch, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(block.parameters(), copied.parameters(), strict=True))


def test_an_editnet_updates_text_and_picture_and_sees_both(tiny_sd3: Path) -> None:
    """Each of the four ways between branch and base matters, and so does each layer's."""
    begun = editor("editnet", tiny_sd3, awake=True)
    whole = said(begun)
    for name in ("from_picture", "from_text", "to_picture", "to_text"):
        for number, layer in enumerate(getattr(begun.network.edit_net, name)):
            kept = layer.weight.detach().clone()
            with torch.no_grad():
                layer.weight.zero_()
                assert not torch.equal(said(begun), whole), (name, number)
                layer.weight.copy_(kept)
    assert torch.equal(said(begun), whole)


def said(begun: Any) -> Tensor:
    one = batch(begun)
    with torch.no_grad():
        spoken: Tensor = begun.network(one.noise, torch.tensor([100.0, 700.0]), one.text, one.references.latents[:, 0])
    return spoken


def test_an_editnet_of_another_base_is_refused(tiny_sd3: Path) -> None:
    begun = editor("editnet", tiny_sd3)
    smaller = SD3Transformer2DModel.from_config({**begun.pipeline.transformer.config, "num_layers": 2})
    with pytest.raises(BadInput, match="a base with num_layers 4, not 2"):
        EditTransformer(smaller, begun.network.edit_net)


def test_blocks_that_are_left_out_are_noticed(tiny_sd3: Path) -> None:
    begun = editor("editnet", tiny_sd3)
    one = batch(begun)
    told = {"encoder_hidden_states": one.text.hidden, "pooled_projections": one.text.pooled, "skip_layers": [2]}
    with pytest.raises(RuntimeError, match="not each once in order"):
        begun.network.denoise(one.noise, torch.tensor(5.0), told, one.noise)
