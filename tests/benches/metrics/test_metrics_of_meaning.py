"""CLIP's figures and the structure distance beside other computations of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics.functional.multimodal import clip_score as reference_clip_score
from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel, CLIPProcessor, ViTModel

from tutelage.benches.metrics.pixels import planes
from tutelage.benches.metrics.structure import FULL_SCALE, structure, structure_distance
from tutelage.benches.metrics.words import clip_score, cosines, direction_similarity
from tutelage.diffusion.features import clip_features, picture_features
from tutelage.errors import BadInput

TEXTS = ["a bear toy", "a red bunny toy on the snow wearing a hat"]


def pictures(count: int = 2, height: int = 40, width: int = 40) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(256, size=(height, width, 3), dtype=np.uint8)) for _ in range(count)]


def test_clip_score_is_torchmetrics(tiny_clip: Path) -> None:
    clip = clip_features(tiny_clip, "cpu")
    processor = CLIPProcessor(
        image_processor=AutoImageProcessor.from_pretrained(tiny_clip),
        tokenizer=AutoTokenizer.from_pretrained(tiny_clip),
    )
    network = CLIPModel.from_pretrained(tiny_clip).eval()

    class Projected(torch.nn.Module):
        """The interface of torchmetrics, whose features transformers wraps differently from version to version."""

        config = network.config

        def get_image_features(self, seen: torch.Tensor) -> torch.Tensor:
            return network.visual_projection(network.vision_model(seen).pooler_output)

        def get_text_features(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return network.text_projection(network.text_model(ids, attention_mask=mask).pooler_output)

    scores = clip_score(clip.pictures(pictures()), clip.texts(TEXTS))
    for picture, text, score in zip(pictures(), TEXTS, scores, strict=True):
        seen = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
        with torch.inference_mode():
            wanted = reference_clip_score(seen, text, lambda: (Projected(), processor))
        assert float(score) == pytest.approx(max(float(wanted), 0), abs=1e-3)


def test_direction_similarity_is_of_changes() -> None:
    rng = torch.Generator().manual_seed(0)
    before, words = (torch.nn.functional.normalize(torch.randn(3, 8, generator=rng), dim=-1) for _ in range(2))
    change = torch.randn(3, 8, generator=rng)
    found = direction_similarity(before, before + change, words, words + 2 * change)
    torch.testing.assert_close(found, torch.ones(3))
    torch.testing.assert_close(direction_similarity(before, before - change, words, words + change), -torch.ones(3))
    assert direction_similarity(before, before, words, words + change).abs().max() == 0
    torch.testing.assert_close(cosines(before, before), torch.ones(3))


def by_hand(folder: Path, picture: Image.Image, scale: float) -> np.ndarray:
    """The structure from the layers themselves: attention's input, the key's weights, cosines in NumPy."""
    network = ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
    half = (torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255 * scale - 0.5) / 0.5
    with torch.inference_mode():
        states = network(pixel_values=half[None], output_hidden_states=True).hidden_states[-2]
    last = {name: value for name, value in network.state_dict().items() if ".1." in name}
    find = lambda end: next(value.numpy() for name, value in last.items() if name.endswith(end))  # noqa: E731
    x = states[0].numpy()
    normed = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + network.config.layer_norm_eps)
    normed = normed * find("layernorm_before.weight") + find("layernorm_before.bias")
    weight, bias = (
        next(v.numpy() for n, v in last.items() if n.endswith((f"key.{part}", f"k_proj.{part}")))
        for part in ("weight", "bias")
    )
    keys = normed @ weight.T + bias
    norms = np.linalg.norm(keys, axis=1)
    return keys @ keys.T / np.outer(norms, norms)


@pytest.mark.parametrize("scale", [1.0, FULL_SCALE])
def test_structure_distance_is_of_the_last_layers_keys(tiny_vit: Path, scale: float) -> None:
    network = picture_features(tiny_vit, "cpu")
    one, other = pictures(2, 32, 32)
    found = structure(network, planes(one), scale).numpy()
    np.testing.assert_allclose(found, by_hand(tiny_vit, one, scale), atol=2e-4)
    wanted = ((by_hand(tiny_vit, one, scale) - by_hand(tiny_vit, other, scale)) ** 2).mean()
    assert structure_distance(network, planes(one), planes(other), scale) == pytest.approx(wanted, rel=1e-2, abs=1e-7)
    assert structure_distance(network, planes(one), planes(one), scale) == 0


def test_pictures_that_are_not_square_are_not_squashed(tiny_vit: Path) -> None:
    network = picture_features(tiny_vit, "cpu")
    wide = structure(network, planes(pictures(1, 64, 96)[0]))
    assert wide.shape == (1 + 4 * 6, 1 + 4 * 6)


def test_only_a_vit_has_a_structure(tiny_clip: Path) -> None:
    with pytest.raises(BadInput, match="needs a ViT"):
        structure(picture_features(tiny_clip, "cpu"), planes(pictures(1)[0]))
