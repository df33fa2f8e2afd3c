import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from apprentices import EVERY_LEVEL, noisy, shown, told

from tutelage.errors import BadInput
from tutelage.students.reference_attention import find_sites
from tutelage.students.reference_unet import ReferenceUNet, join
from tutelage.students.suti import Suti

Students = Callable[..., Suti]
NAMES = sorted(EVERY_LEVEL)
STEPS = torch.tensor([981, 500])
COUNTS = [[1, 1, 1], [0, 1, 0]]


def base_says(suti: Suti, rows: int = 2) -> torch.Tensor:
    size = (16 * suti.network.cell,) * 2
    with torch.no_grad():
        return suti.pipeline.unet(noisy(suti, rows), STEPS[:rows], **told(suti, rows).arguments(size)).sample


@torch.no_grad()
def says(suti: Suti, references: Any) -> torch.Tensor:
    rows = len(references.present)
    return suti.network(noisy(suti, rows), STEPS[:rows], told(suti, rows), references)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("every_level", [False, True])
def test_a_fresh_student_is_its_base(students: Students, name: str, every_level: bool) -> None:
    suti = students(name, awake=False, levels=EVERY_LEVEL[name] if every_level else None)
    for present in (COUNTS, [[1], [1]], [[0, 0], [0, 0]]):
        assert torch.equal(says(suti, shown(suti, present)), base_says(suti))


@pytest.mark.parametrize("name", NAMES)
def test_demonstrations_are_seen_on_every_level(students: Students, name: str) -> None:
    for levels in [None, *((level,) for level in EVERY_LEVEL[name])]:
        suti = students(name, levels=levels)
        said = says(suti, shown(suti, COUNTS))
        assert not torch.allclose(said, base_says(suti), atol=1e-3)
        other = says(suti, shown(suti, COUNTS, seed=7))
        assert not torch.allclose(said, other, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_without_demonstrations_it_is_the_base(students: Students, name: str) -> None:
    suti = students(name, levels=EVERY_LEVEL[name])
    assert torch.equal(says(suti, shown(suti, [[0, 0], [0, 0]])), base_says(suti))
    assert torch.equal(says(suti, shown(suti, [[0, 0], [1, 0]]))[0], base_says(suti)[0])


@pytest.mark.parametrize("name", NAMES)
def test_keys_and_values_hold_for_every_step(students: Students, name: str) -> None:
    """Equal to the last bit, for demonstrations never see the noisy picture."""
    suti = students(name, levels=EVERY_LEVEL[name])
    references, size = shown(suti, COUNTS), (16 * suti.network.cell,) * 2
    with torch.no_grad():
        memory = suti.network.remember(references)
        for step in (999, 640, 20):
            latents, t = noisy(suti, 2, seed=step), torch.tensor([step, step])
            anew = suti.network(latents, t, told(suti, 2, step), references)
            assert torch.equal(suti.network.denoise(latents, t, told(suti, 2, step).arguments(size), memory), anew)


@pytest.mark.parametrize("name", NAMES)
def test_their_order_does_not_matter(students: Students, name: str) -> None:
    suti = students(name, levels=EVERY_LEVEL[name])
    references, order = shown(suti, [[1, 1, 1]]), [2, 0, 1]
    turned = replace(references, latents=references.latents[:, order], captions=references.captions.take(order))
    torch.testing.assert_close(says(suti, turned), says(suti, references), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_each_item_has_as_many_as_it_has(students: Students, name: str) -> None:
    """Item 0 has two of three places filled, item 1 one; both get what they get alone, whatever the rest holds."""
    suti = students(name, levels=EVERY_LEVEL[name])
    present = [[1, 0, 1], [0, 1, 0]]
    references = shown(suti, present)
    together = says(suti, references)
    lone = replace(
        references,
        latents=references.latents[:1, [0, 2]],
        captions=references.captions.take([0, 2]),
        present=torch.tensor([[True, True]]),
    )
    torch.testing.assert_close(together[:1], says(suti, lone), atol=2e-5, rtol=1e-4)
    latents = references.latents.clone()
    latents[~references.present] = 1e4
    assert torch.equal(says(suti, replace(references, latents=latents)), together)


def test_memories_join_to_a_batch(students: Students) -> None:
    suti = students("sd15", levels=(0, 2))
    size = (16 * suti.network.cell,) * 2
    parts = [shown(suti, [[1, 1, 1]], seed=5), shown(suti, [[1]], seed=6)]
    with torch.no_grad():
        first, second = (suti.network.remember(part) for part in parts)
        t, texts, latents = torch.tensor([3, 500, 900, 40]), told(suti, 4), noisy(suti, 4)
        said = suti.network.denoise(latents, t, texts.arguments(size), join([first, None, second, first]))
        for row, memory in enumerate([first, None, second, first]):
            alone = texts.take([row]).arguments(size)
            lone = suti.network.denoise(latents[row : row + 1], t[row : row + 1], alone, memory)
            torch.testing.assert_close(said[row : row + 1], lone, atol=2e-5, rtol=1e-4)
    assert join([None, None]) is None


def test_demonstrations_may_have_another_size(students: Students) -> None:
    suti = students("sd")
    references = shown(suti, [[1, 1], [1, 1]])
    small = replace(references, latents=references.latents[..., :8, :12])
    assert says(suti, small).shape == (2, 4, 16, 16)


@pytest.mark.parametrize("name", NAMES)
def test_recomputed_activations_give_the_same_gradients(students: Students, name: str) -> None:
    """On all levels, so that layers are both inside and outside of what diffusers recomputes."""
    plain, saving = (students(name, levels=EVERY_LEVEL[name], checkpointing=on) for on in (False, True))
    for suti in (plain, saving):
        suti.network.train()
        suti.network(noisy(suti, 2), STEPS, told(suti, 2), shown(suti, COUNTS)).square().mean().backward()
    reached = 0
    for (path, one), (_, other) in zip(
        plain.network.named_parameters(), saving.network.named_parameters(), strict=True
    ):
        torch.testing.assert_close(one.grad, other.grad, msg=path)
        reached += one.grad is not None and bool(one.grad.abs().sum() > 0)
    assert reached > len(list(plain.network.attention.parameters()))


def test_a_copy_has_hooks_of_its_own(students: Students) -> None:
    """As averaged weights are kept: a copy that asked the original would draw with the original's layers."""
    suti = students("sd15")
    references = shown(suti, COUNTS)
    before = says(suti, references)
    averaged = copy.deepcopy(suti.network)
    with torch.no_grad():
        for parameter in averaged.attention.parameters():
            parameter.zero_()
        said = averaged(noisy(suti, 2), STEPS, told(suti, 2), references)
    assert torch.equal(said, base_says(suti))
    assert torch.equal(says(suti, references), before)


def test_another_way_through_the_modules_is_an_error(students: Students) -> None:
    """Modules that were exchanged stand for a version of diffusers that calls others."""
    suti = students("sd")
    unet = suti.pipeline.unet
    unet.mid_block.attentions[0] = copy.copy(unet.mid_block.attentions[0])
    unet.mid_block.attentions[0]._forward_hooks = type(unet._forward_hooks)()
    with pytest.raises(RuntimeError, match=r"passes by mid_block.attentions.0"):
        says(suti, shown(suti, COUNTS))
    suti = students("sd")
    suti.pipeline.unet.down_blocks[1].attentions[0]._forward_hooks.clear()
    with pytest.raises(RuntimeError, match=r"passes by down_blocks.1.attentions.0"):
        suti.network.remember(shown(suti, COUNTS))


def test_encoding_leaves_the_network_whole(students: Students) -> None:
    suti = students("sd")
    before = {name: id(module) for name, module in suti.network.named_modules()}
    suti.network.remember(shown(suti, COUNTS))
    assert {name: id(module) for name, module in suti.network.named_modules()} == before


def test_sites_of_stable_diffusion(students: Students) -> None:
    unet = students("sd15").pipeline.unet
    sites = find_sites(unet, None)
    assert [site.module.split(".")[0] for site in sites].count("down_blocks") == 6
    assert [site.module.split(".")[0] for site in sites].count("up_blocks") == 9
    [middle] = [site for site in sites if site.module.startswith("mid")]
    assert (middle.source, middle.source_channels) == ("down_blocks.3.resnets.1", 48)
    assert {site.source for site in sites if site.channels == 16} == {"down_blocks.0.attentions.1"}


def test_levels_choose_sites_with_and_without_base_attention(students: Students) -> None:
    """The toybox's base has attention on its coarse level alone; fine patterns need the other."""
    unet = students("toybox").pipeline.unet
    fine, coarse, both = (find_sites(unet, levels) for levels in ((0,), (1,), (0, 1)))
    assert coarse == find_sites(unet, None)
    assert {site.module.split(".")[-2] for site in fine} == {"resnets"}
    assert {site.module.split(".")[-2] for site in coarse} == {"attentions"}
    assert sorted(fine + coarse) == sorted(both)
    assert [site.module for site in both if site.module.startswith("mid")] == ["mid_block.attentions.0"]


@pytest.mark.parametrize("levels", [(2,), (-1,), (0, 5)])
def test_levels_have_to_exist(students: Students, levels: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="give levels from 0, the finest, to 1"):
        students("sd", levels=levels)


def test_a_base_without_attention_needs_levels(students: Students) -> None:
    unet = students("sd").pipeline.unet
    kinds = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    plain = type(unet).from_config(unet.config, **kinds, mid_block_type=None)
    with pytest.raises(BadInput, match="give levels"):
        find_sites(plain, None)
    assert len(find_sites(plain, (0, 1))) == 6


def test_unknown_blocks_are_refused(students: Students) -> None:
    unet = students("sd").pipeline.unet
    kinds = {"down_block_types": ("KDownBlock2D",) * 2, "up_block_types": ("KUpBlock2D",) * 2}
    other = type(unet).from_config(unet.config, **kinds, mid_block_type=None, norm_num_groups=None)
    with pytest.raises(BadInput, match="is a ResnetBlockCondNorm2D"):
        find_sites(other, (0,))


def test_layers_know_their_unet(students: Students) -> None:
    unet, layers = students("sd").pipeline.unet, students("sd15").network.attention
    with pytest.raises(BadInput, match=r"the UNet has no down_blocks.0.attentions.0, which"):
        ReferenceUNet(unet, layers, 2)
    wide = type(unet).from_config(unet.config, block_out_channels=(32, 64))
    with pytest.raises(BadInput, match="of the UNet has 64 channels; its reference attention is made for 32"):
        ReferenceUNet(wide, students("sd").network.attention, 2)
