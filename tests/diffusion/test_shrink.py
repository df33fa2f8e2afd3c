"""A model in eight bits: half the size, loaded as before, and nearly the same."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tutelage.cli import main
from tutelage.diffusion.load import load_pipeline
from tutelage.toybox.checkpoints import checkpoint


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """toybox-sd in sixteen bits, its UNet's weights a little larger, so that eight bits do not hold them."""
    out = tmp_path_factory.mktemp("whole") / "large"
    pipeline: Any = load_pipeline(checkpoint("toybox-sd"), "cpu", "fp32")
    with torch.no_grad():
        for weights in pipeline.unet.parameters():
            weights *= 1.03
    pipeline.to(torch.float16).save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def shrunk(whole: Path) -> Path:
    out = whole.with_name("small")
    assert main(["shrink", str(whole), "--out", str(out)]) == 0
    return out


def test_all_but_the_codec_is_stored_in_eight_bits(whole: Path, shrunk: Path) -> None:
    for file in shrunk.rglob("*.safetensors"):
        kinds = {value.dtype for value in load_file(file).values()}
        assert kinds == ({torch.float16} if file.parent.name == "vae" else {torch.float8_e4m3fn, torch.float16})
    unet = "unet/diffusion_pytorch_model.safetensors"
    assert (shrunk / unet).stat().st_size < 0.55 * (whole / unet).stat().st_size


def test_it_loads_as_any_other_and_says_nearly_the_same(whole: Path, shrunk: Path) -> None:
    seen = torch.randn(2, 16, 16, 16, generator=torch.manual_seed(0))
    said = []
    for folder in (whole, shrunk):
        pipeline: Any = load_pipeline(folder, "cpu", "fp32")
        assert {weights.dtype for weights in pipeline.unet.parameters()} == {torch.float32}
        words = pipeline.encode_prompt("a dog toy", "cpu", 1, False)[0].expand(2, -1, -1)
        with torch.no_grad():
            said.append(pipeline.unet(seen, torch.tensor([300, 800]), words).sample)
    error = (said[0] - said[1]).norm() / said[0].norm()
    assert 0 < error < 0.1


def test_what_is_in_eight_bits_stays_as_it_is(shrunk: Path, tmp_path: Path) -> None:
    assert main(["shrink", str(shrunk), "--out", str(tmp_path / "again")]) == 0
    unet = "unet/diffusion_pytorch_model.safetensors"
    assert (tmp_path / "again" / unet).read_bytes() == (shrunk / unet).read_bytes()


def test_what_cannot_be_shrunk_is_refused(shrunk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codec = Path(checkpoint("toybox-sd")) / "vae"
    assert main(["shrink", str(codec), "--out", str(tmp_path / "codec")]) == 2
    assert "no weights but maybe a codec's" in capsys.readouterr().err
    assert main(["shrink", str(checkpoint("toybox-sd")), "--out", str(shrunk)]) == 2
    assert "there already" in capsys.readouterr().err
