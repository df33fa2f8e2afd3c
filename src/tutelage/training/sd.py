"""Trains the UNet of `toybox-sd` on cached latents: v-prediction, cosine schedule, text dropped now and then.

Noise levels at which noise prevails are drawn alike, for there the words decide what is drawn; others less often, as
their signal-to-noise ratio rises (the weights of min-SNR, Hang et al. 2023, for the error of v, Salimans & Ho 2022).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextModel, CLIPTokenizer

from tutelage.diffusion.device import pick_device
from tutelage.toybox.anatomy import LABELS
from tutelage.toybox.captions import varied_caption
from tutelage.training.clip import pixels, tokenize
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.settings import Emphasis, Schedule, UNetShape


def build_unet(shape: UNetShape, latents: int, text_width: int) -> UNet2DConditionModel:
    """A fresh UNet for latents (B, latents, 16, 16)."""
    down = ["CrossAttnDownBlock2D" if here else "DownBlock2D" for here in shape.attention]
    up = ["CrossAttnUpBlock2D" if here else "UpBlock2D" for here in reversed(shape.attention)]
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=latents,
        out_channels=latents,
        block_out_channels=shape.channels,
        layers_per_block=shape.layers,
        down_block_types=down,
        up_block_types=up,
        cross_attention_dim=text_width,
        attention_head_dim=shape.heads,  # diffusers' name for the number of heads
    )


@dataclass(frozen=True)
class Base:
    """What the UNet is trained between: the frozen codec and the text side."""

    vae: AutoencoderTiny
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer

    @staticmethod
    def load(vae: Path, clip: Path) -> "Base":
        """From a trained codec and a trained CLIP, whose text tower becomes the text encoder."""
        return Base(
            AutoencoderTiny.from_pretrained(vae, dtype=torch.float32),
            CLIPTextModel.from_pretrained(clip, attn_implementation="eager", dtype=torch.float32),
            CLIPTokenizer.from_pretrained(clip),
        )


def noise_schedule() -> DDIMScheduler:
    """A cosine schedule that ends in pure noise, sampled from its very end."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        steps_offset=1,
        clip_sample=False,
        set_alpha_to_one=True,
    )


def train_sd(
    renders: Renders,
    schedule: Schedule,
    shape: UNetShape,
    base: Base,
    out: Path,
    device: str,
    bf16: bool,
    tune_text: bool,
    emphasis: Emphasis,
) -> StableDiffusionPipeline:
    """Train (or finish training) a UNet in `out`; `tune_text` trains the text encoder along at the same rate."""
    where = pick_device(device)
    latents = encode_all(renders, base.vae, out, where)
    unet = build_unet(shape, base.vae.config.latent_channels, base.text_encoder.config.hidden_size)
    unet = unet.to(where, memory_format=torch.channels_last)
    if where.type == "cpu":
        unet.set_attn_processor(AttnProcessor())  # faster than the fused one on a CPU for so few positions
    text = base.text_encoder.to(where).requires_grad_(tune_text)
    noises = noise_schedule()
    often = capped_snr(noises.alphas_cumprod)

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        picks = rng.integers(len(renders), size=schedule.batch)
        captions = ["" if rng.random() < 0.1 else varied_caption(renders.scenes[i], rng) for i in picks]
        clean = torch.from_numpy(latents[picks]).float().to(where)
        t = torch.from_numpy(rng.choice(len(often), size=schedule.batch, p=often)).to(where)
        noise = torch.randn_like(clean)
        noisy = noises.add_noise(clean, noise, t).to(memory_format=torch.channels_last)
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            words = text(input_ids=tokenize(base.tokenizer, captions).to(where)).last_hidden_state
            drawn = unet(noisy, t, words).sample
        error = (drawn.float() - noises.get_velocity(clean, noise, t)).square()
        weight = error_weights(renders.labels[picks], clean.shape[-1], emphasis).to(where)
        value: Tensor = (error * weight).mean()
        return value

    fit(
        nn.ModuleDict({"unet": unet, "text": text}) if tune_text else nn.ModuleDict({"unet": unet}), loss, schedule, out
    )
    base.tokenizer.backend_tokenizer.no_padding()  # what the trainer asked of it is nobody else's setting
    base.tokenizer.backend_tokenizer.no_truncation()
    return StableDiffusionPipeline(
        base.vae,
        text,
        base.tokenizer,
        unet,
        noises,
        None,
        None,
        requires_safety_checker=False,
    )


def capped_snr(signal: Tensor, ceiling: float = 2.0) -> NDArray[np.float64]:
    """How often each noise level is drawn, summing to 1: as min(1, ceiling / SNR) of its cumulated alpha `signal`."""
    weights = (ceiling * (1 - signal) / signal).clamp(max=1.0).double()
    return np.asarray((weights / weights.sum()).numpy())


def error_weights(labels: NDArray[np.uint8], cells: int, emphasis: Emphasis) -> Tensor:
    """How much an error counts in each cell (B, 1, cells, cells), by what covers it; labels are (B, H, W)."""
    toy, head = torch.from_numpy(labels > 0), torch.from_numpy(labels == LABELS.index("head"))
    weights = 1 + emphasis.toy * toy.float() + emphasis.head * head.float()
    return F.adaptive_avg_pool2d(weights[:, None], cells)


def encode_all(renders: Renders, vae: AutoencoderTiny, out: Path, device: torch.device) -> NDArray[np.float16]:
    """Latents of every training picture (N, C, 16, 16), computed once into `out/latents.npy`."""
    path = out / "latents.npy"
    if not path.exists():
        vae.to(device).eval()
        with torch.no_grad():
            starts = track(range(0, len(renders), 64), "encoding pictures")
            parts = [_encode(renders, vae, np.arange(i, min(i + 64, len(renders))), device) for i in starts]
        fresh = path.with_suffix(".tmp.npy")
        np.save(fresh, np.concatenate(parts))
        fresh.replace(path)
    return np.asarray(np.load(path, mmap_mode="r"))


def _encode(
    renders: Renders, vae: AutoencoderTiny, picks: np.ndarray[tuple[int], np.dtype[np.int64]], device: torch.device
) -> NDArray[np.float16]:
    with torch.autocast(device.type, torch.bfloat16):
        latents = vae.encode(pixels(renders, picks).to(device, memory_format=torch.channels_last)).latents
    return np.asarray(latents.float().cpu().numpy(), np.float16)
