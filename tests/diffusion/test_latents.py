import math
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tutelage.diffusion.latents import encode_pictures, fitted_size, resized, signed
from tutelage.diffusion.load import load_pipeline

SIDES = st.integers(16, 6000)


@settings(deadline=None)
@given(SIDES, SIDES, st.sampled_from([(512, 64), (1024, 32), (128, 16), (64, 8), (40, 8), (24, 8)]))
def test_sizes_fit_the_model(height: int, width: int, shape: tuple[int, int]) -> None:
    side, cell = shape
    h, w = fitted_size((height, width), (side, side), cell)
    assert h % cell == w % cell == 0
    assert side**2 / 2 <= h * w <= side**2


@settings(deadline=None)
@given(SIDES, st.floats(0.5, 2.0))
def test_usual_pictures_are_hardly_stretched(height: int, aspect: float) -> None:
    width = max(1, round(height * aspect))
    h, w = fitted_size((height, width), (512, 512), 64)
    assert abs(math.log(h / w * width / height)) < math.log(1.11)


@pytest.mark.parametrize(
    ("size", "fitted"),
    [((512, 512), (512, 512)), ((90, 90), (512, 512)), ((600, 400), (576, 384)), ((1080, 1920), (320, 576))],
)
def test_known_sizes(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert fitted_size(size, (512, 512), 64) == fitted


def test_nothing_is_cut_off() -> None:
    """The corners are still there."""
    picture = Image.new("RGB", (64, 32))
    for number, corner in enumerate([(0, 0), (56, 0), (0, 24), (56, 24)]):
        picture.paste((60 * number + 60, 0, 0), (*corner, corner[0] + 8, corner[1] + 8))
    small = signed([resized(picture, (16, 32))])
    assert small.shape == (1, 3, 16, 32)
    reds = [(float(small[0, 0, y, x]) + 1) * 127.5 for y, x in ((1, 1), (1, 30), (14, 1), (14, 30))]
    assert reds == pytest.approx([60, 120, 180, 240], abs=8)


def picture(seed: int = 0) -> Image.Image:
    pixels = torch.randint(256, (32, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return Image.fromarray(pixels.numpy())


def test_the_codec_is_told_pixels_from_minus_one_to_one() -> None:
    both = signed([Image.new("RGB", (2, 3), "white"), Image.new("RGB", (2, 3), "black")])
    assert (both.shape, both.dtype) == ((2, 3, 3, 2), torch.float32)
    assert both[0].min() == 1
    assert both[1].max() == -1


def test_kl_codes_are_the_mode_scaled(tiny_sd: Path) -> None:
    vae = load_pipeline(tiny_sd, "cpu").vae
    latents = encode_pictures(vae, [picture(0), picture(1)])
    mode = vae.encode(signed([picture(0), picture(1)])).latent_dist.mode() * vae.config.scaling_factor
    torch.testing.assert_close(latents, mode)
    assert latents.shape == (2, 4, 16, 8)
    assert not latents.requires_grad


@pytest.mark.parametrize(
    ("config", "undone"),
    [
        ({"shift_factor": 0.5, "scaling_factor": 2.0}, lambda z: z / 2.0 + 0.5),
        ({"latents_mean": [1.0] * 4, "latents_std": [3.0] * 4, "scaling_factor": 2.0}, lambda z: z / 2.0 * 3.0 + 1.0),
    ],
)
def test_configs_shift_and_scale(config: dict[str, Any], undone: Any) -> None:
    torch.manual_seed(0)
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    vae = AutoencoderKL(block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4, **kinds, **config)
    with torch.no_grad():
        mode = vae.encode(signed([picture()])).latent_dist.mode()
    torch.testing.assert_close(undone(encode_pictures(vae, [picture()])), mode)


def test_a_tiny_codec_is_scaled_alone() -> None:
    torch.manual_seed(0)
    shape = {"encoder_block_out_channels": (8, 8), "decoder_block_out_channels": (8, 8), "latent_channels": 4}
    blocks = {"num_encoder_blocks": (1, 1), "num_decoder_blocks": (1, 1)}
    vae = AutoencoderTiny(**shape, **blocks, scaling_factor=0.5)
    with torch.no_grad():
        latents = vae.encode(signed([picture()])).latents
    torch.testing.assert_close(encode_pictures(vae, [picture()]), latents * 0.5)
