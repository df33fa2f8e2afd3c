"""BrushNet beside UNets in the shapes of Stable Diffusion and SDXL."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel

from tutelage.diffusion.brush_net import BrushNet, heard, layers, surroundings, widths
from tutelage.diffusion.load import load_pipeline
from tutelage.errors import BadInput


@pytest.fixture(scope="module", params=["tiny_sd", "tiny_sdxl", "toybox_sd"])
def unet(request: pytest.FixtureRequest) -> Any:
    return load_pipeline(request.getfixturevalue(request.param), "cpu", "fp32").unet


def told(unet: Any) -> dict[str, Any]:
    """Text, and what SDXL wants besides."""
    text = torch.randn(2, 5, unet.config.cross_attention_dim, generator=torch.Generator().manual_seed(2))
    if unet.config.addition_embed_type is None:
        return {"encoder_hidden_states": text}
    wide = unet.config.projection_class_embeddings_input_dim - 6 * unet.config.addition_time_embed_dim
    extra = {"text_embeds": torch.ones(2, wide), "time_ids": torch.ones(2, 6)}
    return {"encoder_hidden_states": text, "added_cond_kwargs": extra}


def seen(unet: Any, seed: int = 1) -> torch.Tensor:
    return torch.randn(2, unet.config.out_channels, 8, 12, generator=torch.Generator().manual_seed(seed))


def around(unet: Any, seed: int = 5) -> torch.Tensor:
    return surroundings(seen(unet, seed), torch.ones(2, 1, 8, 12))


@torch.no_grad()
def said(unet: Any, branch: BrushNet | None = None, source: torch.Tensor | None = None) -> torch.Tensor:
    noisy, given = seen(unet), told(unet)
    features = branch(noisy, torch.tensor(7), around(unet) if source is None else source, given) if branch else []
    if not features:
        plain: torch.Tensor = unet(noisy, 7, **given).sample
        return plain
    with heard(unet, features):
        answer: torch.Tensor = unet(noisy, 7, **given).sample
    return answer


def woken(branch: BrushNet) -> BrushNet:
    torch.manual_seed(3)
    for layer in branch.zeros:
        torch.nn.init.normal_(layer.weight, std=0.1)
    return branch


def test_it_begins_as_its_base_to_the_last_bit(unet: Any) -> None:
    branch = BrushNet.of(unet)
    for seed in (5, 6):
        assert torch.equal(said(unet, branch, around(unet, seed)), said(unet))


def test_every_layer_hears_it_and_forgets_it_after(unet: Any) -> None:
    """One layer at a time: what it adds there alone changes what the UNet says."""
    plain, branch = said(unet), BrushNet.of(unet)
    for number in range(len(layers(unet))):
        torch.nn.init.normal_(branch.zeros[number].bias)
        assert not torch.allclose(said(unet, branch), plain, atol=1e-4), number
        torch.nn.init.zeros_(branch.zeros[number].bias)
    assert torch.equal(said(unet), plain)


def test_it_sees_mask_and_masked_picture_but_no_text(unet: Any) -> None:
    branch = woken(BrushNet.of(unet))
    assert not any("attn2" in name for name, _ in branch.named_parameters())
    assert len(branch.zeros) == len(widths(unet)) == len(layers(unet))
    one, moved = around(unet), around(unet)
    torch.nn.init.normal_(branch.twin.conv_in.weight)
    moved[:, -1] = 0
    noisy, time = seen(unet), torch.tensor(7)
    with torch.no_grad():
        answers = [branch(noisy, time, shown, told(unet)) for shown in (one, moved, around(unet, 9))]
        other = told(unet)
        other["encoder_hidden_states"] = other["encoder_hidden_states"] + 1
        deaf = branch(noisy, time, one, other)
    for ours, theirs in ((answers[0], answers[1]), (answers[0], answers[2])):
        assert all(not torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(answers[0], deaf, strict=True))


def test_only_the_branch_takes_gradients_and_a_few_steps_help(unet: Any) -> None:
    branch = BrushNet.of(unet)
    unet.requires_grad_(False)
    optimiser = torch.optim.AdamW(branch.parameters(), lr=1e-3)
    wanted, losses = seen(unet, 8), []
    for _ in range(4):
        with heard(unet, branch(seen(unet), torch.tensor(7), around(unet), told(unet))):
            loss = (unet(seen(unet), 7, **told(unet)).sample - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert all(parameter.grad is not None for parameter in branch.parameters())
    assert min(losses) < losses[0]


def test_its_folder_names_it_and_gives_it_back(unet: Any, tmp_path: Path) -> None:
    branch = woken(BrushNet.of(unet))
    branch.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "diffusion_pytorch_model.safetensors"]
    assert json.loads((tmp_path / "config.json").read_text())["_class_name"] == "BrushNet"
    again = BrushNet.from_pretrained(tmp_path)
    assert torch.equal(said(unet, again), said(unet, branch))


def test_other_networks_are_refused(unet: Any) -> None:
    other = {**unet.config, "down_block_types": ("AttnDownBlock2D", "DownBlock2D")}
    with pytest.raises(BadInput, match="with blocks AttnDownBlock2D cannot have a BrushNet"):
        BrushNet.of(UNet2DConditionModel.from_config(other))
    narrow = UNet2DConditionModel.from_config({**unet.config, "out_channels": 3})
    with pytest.raises(BadInput, match="give the base that it was made for"):
        BrushNet.of(unet).check_fit(narrow)
