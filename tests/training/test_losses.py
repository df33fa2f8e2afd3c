import numpy as np
import pytest
import torch

from tutelage.toybox.anatomy import LABELS
from tutelage.toybox.scene import ATTRIBUTES, Scene
from tutelage.training.clip import attributes, contrast
from tutelage.training.dino import attract
from tutelage.training.reader import build_reader
from tutelage.training.sd import capped_snr, error_weights, noise_schedule
from tutelage.training.seg import build_seg
from tutelage.training.settings import Emphasis
from tutelage.training.vae import reconstruction, standardised


def test_contrast_is_least_for_matching_pairs():
    features = torch.eye(8)
    scale = torch.tensor(4.0)
    assert contrast(features, features, scale) < 1e-5
    assert contrast(features, features.roll(1, 0), scale) > 10


def test_attract_prefers_friends_together():
    same = torch.tensor([0, 0, 1, 1])
    together = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    apart = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    assert attract(together, same) < 1e-4
    assert attract(apart, same) > 5


def test_attributes_ignore_what_cannot_be_seen():
    logits = {name: torch.zeros(1, len(values)) for name, values in ATTRIBUTES.items() if name in ("kind", "scene")}
    nobody = Scene(subject=None, place="snow")
    with_kind = attributes({"scene": logits["scene"]}, [nobody])
    assert with_kind == pytest.approx(torch.log(torch.tensor(12.0)).item())


def test_standardised_is_zero_only_at_mean_zero_spread_one():
    torch.manual_seed(0)
    latents = torch.randn(64, 4, 32, 32)
    assert standardised(latents) < 1e-3
    assert standardised(latents * 2) > 0.5
    assert standardised(latents + 1) > 0.5


def test_reconstruction_counts_edges():
    flat, edge = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    edge[..., ::2] = 0.1
    assert reconstruction(edge, flat) > reconstruction(flat + 0.05, flat)
    assert reconstruction(flat, flat) == 0


def test_noise_levels_are_drawn_alike_until_the_picture_is_all_but_there():
    often = capped_snr(noise_schedule().alphas_cumprod)
    assert often.sum() == pytest.approx(1)
    assert often[500:] == pytest.approx(often[-1])
    assert (np.diff(often) >= 0).all()
    assert often[0] < often[-1] / 100


def test_errors_count_more_on_a_toy_and_most_on_its_head():
    labels = np.zeros((1, 128, 128), np.uint8)
    labels[0, :8, :4] = LABELS.index("body")
    labels[0, 8:16, :8] = LABELS.index("head")
    weights = error_weights(labels, 16, Emphasis(toy=3, head=6))
    assert weights.shape == (1, 1, 16, 16)
    assert weights[0, 0, :3, 0].tolist() == [2.5, 10, 1]


def test_the_segmenter_starts_from_the_reader(tmp_path):
    reader = build_reader()
    reader.save_pretrained(tmp_path)
    segmenter = build_seg(tmp_path)
    trunk = reader.resnet.state_dict()
    shared = {name: value for name, value in segmenter.backbone.state_dict().items() if name in trunk}
    assert len(shared) > 50
    assert all(torch.equal(value, trunk[name]) for name, value in shared.items())
    assert segmenter.eval()(pixel_values=torch.zeros(1, 3, 64, 64)).logits.shape[1] == len(segmenter.config.id2label)
