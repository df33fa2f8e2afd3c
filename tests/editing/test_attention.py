"""Attention taken from the source."""

from typing import Any

import pytest
import torch

from tutelage.editing.align import Alignment
from tutelage.editing.attention import Control, controlled
from tutelage.editing.region import attended, kept_outside, mask_of
from tutelage.editing.settings import Blend, PromptToPrompt
from tutelage.errors import BadInput

SWAP = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
HELD = torch.tensor([1.0, 1, 0])


def control(*settings: PromptToPrompt, weights: tuple[float, ...] = (1.0, 1.0, 1.0), share: float = 0.0) -> Control:
    made = Control.of(
        settings, [Alignment(SWAP, HELD)] * len(settings), torch.tensor([weights] * len(settings)), 16, False
    )
    made.share = share
    return made


def attention(pairs: int) -> torch.Tensor:
    """(2B, heads, positions, L)."""
    drawn = torch.rand(2 * pairs, 2, 16, 3, generator=torch.Generator().manual_seed(0))
    return drawn / drawn.sum(-1, keepdim=True)


def test_held_tokens_take_the_sources_attention_and_others_keep_theirs() -> None:
    seen = attention(1)
    made = control(PromptToPrompt(cross=0.5)).cross(seen)
    assert torch.equal(made[0], seen[0])
    assert torch.equal(made[1, ..., 0], seen[0, ..., 0])
    assert torch.equal(made[1, ..., 1], seen[0, ..., 2]), "token 1 of the target answers to token 2 of the source"
    assert torch.equal(made[1, ..., 2], seen[1, ..., 2])


def test_nothing_is_held_after_its_share_of_the_steps() -> None:
    seen = attention(2)
    made = control(PromptToPrompt(cross=0.5), PromptToPrompt(cross=0.6), share=0.5).cross(seen)
    assert torch.equal(made[:3], seen[:3])
    assert not torch.equal(made[3], seen[3])
    assert not control(PromptToPrompt(cross=0.5, self_attention=0.5), share=0.5).crossing()


def test_weights_are_factors_of_the_targets_tokens_at_every_step() -> None:
    seen = attention(1)
    made = control(PromptToPrompt(cross=0), weights=(1.0, -2.0, 0.0), share=0.9).cross(seen)
    assert torch.equal(made[0], seen[0])
    assert torch.equal(made[1], seen[1] * torch.tensor([1.0, -2.0, 0.0]))


def test_self_attention_is_shared_in_coarse_layers_only() -> None:
    made = control(
        PromptToPrompt(self_attention=0.4, coarse=0.5), PromptToPrompt(self_attention=0.2, coarse=1), share=0.3
    )
    assert made.sharing(4).tolist() == [True, False]
    made.share = 0.1
    assert made.sharing(4).tolist() == [True, True]
    assert made.sharing(5).tolist() == [False, True]


def test_with_the_sources_queries_and_keys_an_edit_has_its_attention(pipeline: Any) -> None:
    """A layer asked for rows source, edit: the edit's come to the source's attention over the edit's own values."""
    unet = pipeline.unet
    name, layer = next((name, one) for name, one in unet.named_modules() if name.endswith("attn1"))
    hidden = torch.randn(2, 16, layer.to_q.in_features, generator=torch.Generator().manual_seed(1))
    plain = layer(hidden)
    with controlled(unet, control(PromptToPrompt(coarse=1, cross=0))):
        held = layer(hidden)
    assert torch.allclose(held[0], plain[0], atol=1e-5)
    query, key, value = (part(hidden) for part in (layer.to_q, layer.to_k, layer.to_v))
    scores = layer.get_attention_scores(layer.head_to_batch_dim(query[:1]), layer.head_to_batch_dim(key[:1]))
    mixed = layer.batch_to_head_dim(scores @ layer.head_to_batch_dim(value[1:]))
    assert torch.allclose(held[1], layer.to_out[0](mixed)[0], atol=1e-5), name


def test_a_unet_is_left_as_it_was_even_by_an_error(pipeline: Any) -> None:
    before = dict(pipeline.unet.attn_processors)
    with pytest.raises((RuntimeError, TypeError)), controlled(pipeline.unet, control(PromptToPrompt())):
        pipeline.unet(torch.zeros(2, 4, 16, 16), 0, torch.zeros(2, 3, 7))
    assert all(pipeline.unet.attn_processors[name] is one for name, one in before.items())


def test_attention_of_another_kind_is_refused(tiny_sd: Any) -> None:
    from tutelage.diffusion.load import load_pipeline

    unet = load_pipeline(tiny_sd, "cpu", "fp32").unet
    layer = next(one for name, one in unet.named_modules() if name.endswith("attn2"))
    layer.norm_cross = torch.nn.LayerNorm(8)
    with (
        pytest.raises(BadInput, match="is not of the kind of Stable Diffusion and SDXL"),
        controlled(unet, control(PromptToPrompt())),
    ):
        pass


def test_the_region_is_where_words_are_looked_at() -> None:
    """The maps of the coarsest layers, where either word has more than a share of its largest attention."""
    maps = {16: torch.zeros(1, 2, 16, 3), 64: torch.ones(1, 2, 64, 3)}
    maps[16][0, 0, 0, 1] = 5.0  # the upper left place, looked at by a word of the source
    maps[16][0, 1, 15, 2] = 1.0  # the lower right, less, by one of the target
    words = torch.tensor([[[0.0, 1, 0], [0, 0, 1]]])
    found = attended(maps, words, (8, 8), [0.5])
    assert found.shape == (1, 1, 8, 8)
    assert found[0, 0, :4, :4].all(), "with the places beside it"
    assert found[0, 0, 4:, 4:].all()
    assert found.sum() == 32
    source = attended(maps, words * torch.tensor([1.0, 0])[None, :, None], (8, 8), [0.5])
    assert source.sum() == 16


def test_outside_the_region_an_edit_is_its_source() -> None:
    latents, region = torch.randn(4, 2, 4, 4), torch.zeros(2, 1, 4, 4)
    region[1, :, :2] = 1
    made = kept_outside(latents, region)
    assert torch.equal(made[[0, 2]], latents[[0, 2]])
    assert torch.equal(made[1], latents[0])
    assert torch.equal(made[3, :, :2], latents[3, :, :2])
    assert torch.equal(made[3, :, 2:], latents[2, :, 2:])


def test_masks_are_read_by_half_cells() -> None:
    from PIL import Image

    picture = Image.new("L", (8, 8), 0)
    picture.paste(255, (0, 0, 3, 8))
    assert mask_of(picture, (2, 4)).tolist() == [[[1, 1, 0, 0]] * 2]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Blend(source=(), target=()), "a local blend without words"),
        (lambda: Blend(source=("bear",), target=(), threshold=2), "threshold of a local blend is 2"),
        (lambda: PromptToPrompt(cross=1.5), "cross of Prompt-to-Prompt is 1.5"),
        (lambda: PromptToPrompt(weights=(("bear", float("nan")),)), "weight of 'bear' is nan"),
    ],
)
def test_settings_out_of_range_are_refused(make: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        make()
