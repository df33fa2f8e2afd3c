"""Metrics beside the packages people publish figures with, on the same pictures and the same random weights."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torchmetrics.functional.image as reference
from safetensors.torch import save_file
from torchmetrics.functional.image import lpips as reference_lpips

from tutelage.benches.metrics import backbones
from tutelage.benches.metrics.backbones import BUILT, FILES, NETS, Net
from tutelage.benches.metrics.lpips import load_lpips
from tutelage.benches.metrics.pixels import mse, planes, psnr, ssim
from tutelage.benches.metrics.preservation import distances, masked, published
from tutelage.errors import BadInput


def two(height: int = 64, width: int = 72, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A picture of coarse blocks and a noisy copy."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(256, size=(height // 8, width // 8, 3))
    first = coarse.repeat(8, 0).repeat(8, 1)
    second = (first + rng.normal(0, 30, first.shape)).clip(0, 255)
    return planes(first.astype(np.uint8)), planes(second.astype(np.uint8))


def test_pixels_are_as_torchmetrics_measures_them() -> None:
    left, right = two()
    batch = left[None], right[None]
    assert mse(left, right) == pytest.approx(float(((left - right) ** 2).mean()))
    assert psnr(left, right) == pytest.approx(
        float(reference.peak_signal_noise_ratio(*batch, data_range=1.0)), abs=1e-4
    )
    wanted = reference.structural_similarity_index_measure(*batch, data_range=1.0)
    assert ssim(left, right) == pytest.approx(float(wanted), abs=1e-6)
    assert (mse(left, left), psnr(left, left)) == (0, math.inf)
    assert ssim(left, left) == pytest.approx(1, abs=1e-4)
    with pytest.raises(BadInput, match="at least 11"):
        ssim(left[:, :8], right[:, :8])


def test_a_region_is_measured_alone() -> None:
    left, right = two()
    inside = torch.zeros(64, 72, dtype=torch.bool)
    inside[:, :40] = True
    assert mse(left, right, inside) == pytest.approx(mse(left[:, :, :40], right[:, :, :40]))
    assert psnr(left, right, ~inside) == pytest.approx(psnr(left[:, :, 40:], right[:, :, 40:]))
    half = right.where(inside, left)
    assert mse(left, half, ~inside) == 0
    assert ssim(left, half, inside) < ssim(left, half) < 1
    assert math.isnan(mse(left, right, torch.zeros(64, 72, dtype=torch.bool)))


def random_weights(net: Net, file: Path) -> Path:
    torch.manual_seed(1)
    network = BUILT[net]()
    save_file({f"features.{name}": value for name, value in network.state_dict().items()}, file)
    return file


@pytest.mark.parametrize("net", NETS)
def test_lpips_is_torchmetrics(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = load_lpips(net, random_weights(net, tmp_path / "w.safetensors"), "cpu")
    monkeypatch.setattr(reference_lpips, "_get_tv_model_features", lambda *_: ours.backbone)
    theirs = reference_lpips._NoTrainLpips(net=net)
    left, right = two()
    with torch.inference_mode():
        wanted = float(theirs(left[None], right[None], normalize=True))
    assert ours(left, right) == pytest.approx(wanted, rel=1e-4)
    assert wanted > 1e-4
    assert ours(left, left) == 0
    assert ours(left, right, torch.ones(64, 72, dtype=torch.bool)) == pytest.approx(wanted, rel=1e-4)


def test_lpips_of_a_region_sees_what_is_in_it(tmp_path: Path) -> None:
    lpips = load_lpips("squeeze", random_weights("squeeze", tmp_path / "w.safetensors"), "cpu")
    left, right = two(128, 128)
    inside = torch.zeros(128, 128, dtype=torch.bool)
    inside[:, :48] = True
    changed = right.where(inside, left)
    assert lpips(left, changed, inside) > lpips(left, changed) > lpips(left, changed, ~inside)
    assert math.isnan(lpips(left, right, torch.zeros(128, 128, dtype=torch.bool)))


def test_lpips_finds_its_weights_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(BadInput, match="is not there"):
        load_lpips("alex", device="cpu")
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.manual_seed(1)
    weights = {f"features.{name}": value for name, value in BUILT["alex"]().state_dict().items()}
    torch.save(weights, folder / "draft")
    digest = hashlib.sha256((folder / "draft").read_bytes()).hexdigest()
    monkeypatch.setitem(FILES, "alex", f"alexnet-owt-{digest[:8]}.pth")
    (folder / "draft").rename(folder / FILES["alex"])
    found = load_lpips("alex", device="cpu")
    assert found.weights == digest[:16]
    assert torch.equal(found.backbone[0].weight, weights["features.0.weight"])
    with (folder / FILES["alex"]).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BadInput, match="is damaged"):
        load_lpips("alex", device="cpu")


def test_what_is_wrong_with_lpips_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no LPIPS network 'vgg19'"):
        load_lpips("vgg19")
    with pytest.raises(BadInput, match="does not hold the features of alex"):
        load_lpips("alex", random_weights("squeeze", tmp_path / "w.safetensors"), "cpu")
    (tmp_path / "w.pth").write_bytes(b"no weights")
    with pytest.raises(BadInput, match="no safetensors file"):
        load_lpips("alex", tmp_path / "w.pth", "cpu")


def test_the_layers_are_torchvisions() -> None:
    """By the shapes of its published files, which name the layers."""
    shapes = {net: {name: tuple(v.shape) for name, v in BUILT[net]().state_dict().items()} for net in NETS}
    assert len(backbones.squeezenet()) == 13
    assert shapes["squeeze"]["12.expand3x3.weight"] == (256, 64, 3, 3)
    assert shapes["squeeze"]["9.squeeze.weight"] == (48, 256, 1, 1)
    assert [name for name in shapes["alex"] if name.endswith("weight")] == [f"{n}.weight" for n in (0, 3, 6, 8, 10)]
    assert shapes["alex"]["10.weight"] == (256, 256, 3, 3)
    convolutions = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    assert [name for name in shapes["vgg"] if name.endswith("weight")] == [f"{n}.weight" for n in convolutions]


def test_published_figures_flatter_and_masked_ones_do_not() -> None:
    left, right = two()
    mask = torch.zeros(64, 72, dtype=torch.bool)
    mask[:, :54] = True
    measures = distances(None)
    flattering, correct = published(left, right, mask, measures), masked(left, right, mask, measures)
    assert flattering["MSE"] == pytest.approx(correct["MSE"] / 4)
    assert correct["MSE"] == pytest.approx(mse(left[:, :, 54:], right[:, :, 54:]))
    assert flattering["PSNR"] > correct["PSNR"]
    assert flattering["SSIM"] > correct["SSIM"]
    anything = torch.rand(3, 64, 72).where(mask, right)
    assert masked(left, anything, mask, measures) == correct
    assert published(left, anything, mask, measures) == flattering
