"""A base of Stable Diffusion's or SDXL's shape with random weights: how fast it is does not depend on the weights.

    python benchmarks/random_base.py sd15 --out random/sd15     # 4 GB
    python benchmarks/random_base.py sdxl --out random/sdxl     # 13 GB

The networks have the sizes of stable-diffusion-v1-5 and stable-diffusion-xl-base-1.0. The tokenizer is toybox-sd's,
padded to 77 tokens: an encoder's time does not depend on which tokens it is given. Nothing is downloaded.
"""

from pathlib import Path
from typing import Any, Literal

import diffusers
import torch
import tyro
from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tutelage.toybox.checkpoints import checkpoint

LARGE: dict[str, Any] = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "use_linear_projection": True,
}
"""SDXL's UNet, where it differs from what diffusers takes for granted."""


def main(kind: Literal["sd15", "sdxl"], /, *, out: Path, seed: int = 0) -> None:
    """Write the folder.

    Args:
        kind: Whose sizes.
        out: Folder to write.
        seed: Of the weights.
    """
    torch.manual_seed(seed)
    schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}
    parts: dict[str, Any] = {"vae": codec(), "scheduler": diffusers.DDIMScheduler(**schedule)}
    parts |= {"tokenizer": tokenizer(), "text_encoder": encoder(CLIPTextModel, 768, 12, "quick_gelu")}
    if kind == "sd15":
        unet = diffusers.UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        extra = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        pipeline = diffusers.StableDiffusionPipeline(unet=unet, **parts, **extra)
    else:
        second = {"tokenizer_2": tokenizer(), "text_encoder_2": encoder(CLIPTextModelWithProjection, 1280, 32, "gelu")}
        unet = diffusers.UNet2DConditionModel(**LARGE)
        pipeline = diffusers.StableDiffusionXLPipeline(unet=unet, **parts, **second, add_watermarker=False)
    pipeline.save_pretrained(out, safe_serialization=True)


def codec() -> Any:
    """Stable Diffusion's autoencoder."""
    widths = (128, 256, 512, 512)
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    return diffusers.AutoencoderKL(block_out_channels=widths, layers_per_block=2, sample_size=512, **kinds)


def tokenizer() -> Any:
    """Of the toybox, for texts of CLIP's length."""
    folder = Path(checkpoint("toybox-sd")) / "tokenizer"
    return AutoTokenizer.from_pretrained(folder, model_max_length=77)


def encoder(kind: Any, width: int, layers: int, activation: str) -> Any:
    """A text encoder of CLIP's shape."""
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPTextConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        projection_dim=width,
        hidden_act=activation,
        **ends,
    )
    return kind(config).eval()


if __name__ == "__main__":
    tyro.cli(main)
