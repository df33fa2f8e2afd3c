"""Trains the transformer of `toybox-dit` on cached latents: flow matching, text dropped now and then.

The pipeline is diffusers' of SD3. Of its text encoders the first is that of a trained Stable Diffusion and stays as it
is; the second, a single layer, is little more than a list of words and is trained along; there is no T5. In the place
of T5's tokens editors have nothing and diffusers' pipeline zeros, so that a step in sixteen is trained with those.

Where noise prevails the transformer learns what that Stable Diffusion expects, below that from the pictures.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import (
    AutoencoderTiny,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

from tutelage.diffusion.device import pick_device, plain_attention
from tutelage.diffusion.levels import Flow
from tutelage.toybox.captions import varied_caption
from tutelage.training.clip import tokenize
from tutelage.training.expectation import NOISY, Expectation
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.sd import encode_all, error_weights
from tutelage.training.settings import DitShape, Emphasis, Schedule

CELLS: Final = 16
"""Side of the latents."""
POSITIONS: Final = 24
"""Patches along the longest side of a picture that positions are known for."""
ZEROS: Final = 256
"""Tokens of zeros that diffusers puts in the place of T5's."""
ZEROS_EVERY: Final = 16
"""Steps."""


@dataclass(frozen=True)
class DitBase:
    """What the transformer is trained between: the frozen codec and the text side."""

    expectation: Expectation
    text_encoder: CLIPTextModelWithProjection
    tokenizer: CLIPTokenizer

    @staticmethod
    def load(sd: str | Path, clip: str | Path, device: str) -> "DitBase":
        """All of a trained Stable Diffusion; its text encoder gets the projection of the CLIP that it came from.

        Raises:
            BadInput: see `Expectation.load`.
        """
        expectation = Expectation.load(sd, device)
        text = CLIPTextModelWithProjection.from_pretrained(clip, dtype=torch.float32)
        text.text_model.load_state_dict(expectation.text_encoder.state_dict())
        return DitBase(expectation, text, CLIPTokenizer.from_pretrained(clip))

    @property
    def vae(self) -> AutoencoderTiny:
        """The codec."""
        return self.expectation.vae


def build_dit(shape: DitShape, latents: int, text_width: int) -> SD3Transformer2DModel:
    """A fresh transformer for latents (B, latents, 16, 16); each block begins as doing nothing (Peebles & Xie 2023)."""
    width = shape.heads * shape.head_width
    dit: Any = SD3Transformer2DModel(
        sample_size=CELLS,
        patch_size=shape.patch,
        in_channels=latents,
        out_channels=latents,
        num_layers=shape.layers,
        attention_head_dim=shape.head_width,
        num_attention_heads=shape.heads,
        joint_attention_dim=text_width,
        caption_projection_dim=width,
        pooled_projection_dim=text_width,
        pos_embed_max_size=POSITIONS,
        qk_norm="rms_norm",
    )
    gates = [norm.linear for block in dit.transformer_blocks for norm in (block.norm1, block.norm1_context)]
    for layer in (*gates, dit.norm_out.linear, dit.proj_out):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    return dit


def build_words(width: int, first: CLIPTextModelWithProjection) -> CLIPTextModelWithProjection:
    """A fresh second text encoder of one layer, for the tokens of the first."""
    known = {name: getattr(first.config, name) for name in ("vocab_size", "max_position_embeddings")}
    known |= {name: getattr(first.config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    sizes = {"hidden_size": width, "intermediate_size": 2 * width, "projection_dim": width}
    config = CLIPTextConfig(**known, **sizes, num_hidden_layers=1, num_attention_heads=4)
    return CLIPTextModelWithProjection(config)


def fresh(shape: DitShape, base: DitBase) -> tuple[Any, Any]:
    """A transformer and a second text encoder that know nothing."""
    words = build_words(shape.words, base.text_encoder)
    width = base.text_encoder.config.projection_dim + shape.words
    return build_dit(shape, base.vae.config.latent_channels, width), words


def begun(folder: Path) -> tuple[Any, Any]:
    """Those of a pipeline's folder, in float32."""
    dit = SD3Transformer2DModel.from_pretrained(folder / "transformer", torch_dtype=torch.float32)
    words = CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2", dtype=torch.float32)
    return dit, words


def train_dit(
    renders: Renders,
    schedule: Schedule,
    shape: DitShape,
    base: DitBase,
    out: Path,
    device: str,
    bf16: bool,
    emphasis: Emphasis,
    start: Path | None = None,
) -> StableDiffusion3Pipeline:
    """Train (or finish training) a transformer and its second text encoder in `out`, fresh ones or those of `start`."""
    where = pick_device(device)
    torch.manual_seed(schedule.seed)
    latents = encode_all(renders, base.vae, out, where)
    first = base.text_encoder.to(where).requires_grad_(False).eval()
    dit, words = (part.to(where) for part in (begun(start) if start else fresh(shape, base)))
    levels = Flow(shift=1.0)

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        picks = rng.integers(len(renders), size=schedule.batch)
        captions = ["" if rng.random() < 0.1 else varied_caption(renders.scenes[i], rng) for i in picks]
        clean = torch.from_numpy(latents[picks]).float().to(where)
        t = torch.from_numpy(rng.integers(levels.count, size=schedule.batch)).to(where)
        noise = torch.randn_like(clean)
        ids = tokenize(base.tokenizer, captions).to(where)
        zeros = 0 if step % ZEROS_EVERY else ZEROS
        attention = nullcontext() if zeros else plain_attention(where)
        seen = levels.noisy(clean, noise, t)
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16), attention:
            target = expected(base.expectation, seen, levels.sigma(t), ids, levels.target(clean, noise, t))
            hidden, pooled = read((first, words), ids, zeros)
            drawn = dit(seen, hidden, pooled, levels.told(t)).sample
        error = (drawn.float() - target).square()
        weight = error_weights(renders.labels[picks], clean.shape[-1], emphasis).to(where)
        value: Tensor = (error * weight).mean()
        return value

    fit(nn.ModuleDict({"transformer": dit, "words": words}), loss, schedule, out)
    base.tokenizer.backend_tokenizer.no_padding()  # what the trainer asked of it is nobody else's setting
    base.tokenizer.backend_tokenizer.no_truncation()
    return StableDiffusion3Pipeline(
        transformer=dit,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=levels.shift),
        vae=base.vae,
        text_encoder=first,
        tokenizer=base.tokenizer,
        text_encoder_2=words,
        tokenizer_2=base.tokenizer,
        text_encoder_3=None,
        tokenizer_3=None,
    )


def expected(expectation: Expectation, seen: Tensor, sigma: Tensor, ids: Tensor, target: Tensor) -> Tensor:
    """What the transformer should say (B, C, h, w): `target`, but where noise prevails what is expected."""
    noisy = (sigma > NOISY).flatten()
    said = target.clone()
    said[noisy] = expectation.velocity(seen[noisy], sigma[noisy], ids[noisy])
    return said


def read(encoders: tuple[Any, ...], ids: Tensor, zeros: int) -> tuple[Tensor, Tensor]:
    """Hidden states (B, L + zeros, D) and pooled vectors (B, P) as SD3's pipeline makes them of token ids (B, L)."""
    told = [encoder(ids, output_hidden_states=True) for encoder in encoders]
    hidden = torch.cat([one.hidden_states[-2] for one in told], dim=-1)
    nothing = hidden.new_zeros(len(hidden), zeros, hidden.shape[-1])
    return torch.cat([hidden, nothing], dim=1), torch.cat([one.text_embeds for one in told], dim=-1)
