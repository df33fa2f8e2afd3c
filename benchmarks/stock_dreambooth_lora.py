"""The baseline of R1: what a user of diffusers does today for one subject, in a process of its own.

It does what diffusers' `examples/dreambooth/train_dreambooth_lora.py` does with its default settings, step by step:

* start Python, import the libraries, load tokenizer, text encoder, codec and UNet from disk;
* freeze them, put PEFT adapters on the UNet's attention (to_q, to_k, to_v, to_out.0), in float32;
* for every step, from a data loader in this process: open the picture file, resize and crop it, and then encode it with
  the codec, encode the prompt with the text encoder, add noise, predict, mean squared error, backward, clip to 1, AdamW
  with its decay of 0.01, a constant rate, and the loss into a progress bar;
* save the adapters with the pipeline's `save_lora_weights`.

Left out, to its favour: `accelerate launch`, which starts a second process; trackers; checkpoints on the way; the
validation pictures; prior preservation. With `--dtype bf16` it is the script with `--mixed_precision bf16`: frozen
networks in bfloat16, adapters in float32. Nothing of tutelage is imported here.

    python benchmarks/stock_dreambooth_lora.py --base FOLDER --instance PICTURES --out ADAPTERS --steps 80
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import diffusers
import numpy as np
import torch
import tyro
from accelerate import Accelerator
from diffusers.optimization import get_scheduler
from diffusers.training_utils import cast_training_params
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm
from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection

ATTENTION = ["to_k", "to_q", "to_v", "to_out.0"]
CONVOLUTIONS = ["conv1", "conv2", "conv_shortcut"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the script can be told, and its defaults where they are not the bench's to say."""

    base: Path
    instance: Path
    """Folder of the subject's pictures."""
    out: Path
    prompt: str = "a photo of sks toy"
    resolution: int = 512
    steps: int = 500
    batch: int = 4
    rank: int = 4
    lr: float = 5e-4
    convolutions: bool = False
    """Adapters on the residual blocks' convolutions too, as ours may have; the script has none."""
    dtype: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0


class Instances(Dataset):
    """The pictures, opened anew whenever they are asked for."""

    def __init__(self, folder: Path, resolution: int) -> None:
        self.files, self.resolution = sorted(folder.iterdir()), resolution

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> torch.Tensor:
        picture = Image.open(self.files[number]).convert("RGB")
        scale = self.resolution / min(picture.size)
        picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BILINEAR)
        left, top = ((side - self.resolution) // 2 for side in picture.size)
        picture = picture.crop((left, top, left + self.resolution, top + self.resolution))
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1


class Networks:
    """Tokenizers, text encoders, codec, UNet and noise levels of a Stable Diffusion or SDXL folder."""

    def __init__(self, base: Path, device: torch.device, dtype: torch.dtype) -> None:
        kind = diffusers.DiffusionPipeline.load_config(base)
        self.pipeline = getattr(diffusers, kind["_class_name"])
        codec = getattr(diffusers, kind["vae"][1])
        self.schedule = diffusers.DDPMScheduler.from_pretrained(base, subfolder="scheduler")
        self.vae = codec.from_pretrained(base, subfolder="vae").to(device, dtype)
        self.unet = diffusers.UNet2DConditionModel.from_pretrained(base, subfolder="unet").to(device, dtype)
        self.tokenizers = [AutoTokenizer.from_pretrained(base / "tokenizer", use_fast=False)]
        self.encoders = [CLIPTextModel.from_pretrained(base, subfolder="text_encoder").to(device, dtype)]
        if "text_encoder_2" in kind:
            second = CLIPTextModelWithProjection.from_pretrained(base, subfolder="text_encoder_2")
            self.tokenizers.append(AutoTokenizer.from_pretrained(base / "tokenizer_2", use_fast=False))
            self.encoders.append(second.to(device, dtype))
        for network in (self.vae, self.unet, *self.encoders):
            network.requires_grad_(False)

    @torch.no_grad()
    def latents(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] → scaled latents."""
        encoded = self.vae.encode(pixels.to(self.vae.device, self.vae.dtype))
        drawn = encoded.latent_dist.sample() if hasattr(encoded, "latent_dist") else encoded.latents
        return drawn * self.vae.config.scaling_factor

    @torch.no_grad()
    def told(self, prompts: list[str], side: int) -> dict:
        """The UNet's arguments for prompts and square pictures."""
        hidden, pooled = [], None
        for tokenizer, encoder in zip(self.tokenizers, self.encoders, strict=True):
            length = {"max_length": tokenizer.model_max_length, "padding": "max_length", "truncation": True}
            ids = tokenizer(prompts, return_tensors="pt", **length).input_ids.to(encoder.device)
            answer = encoder(ids, output_hidden_states=len(self.encoders) > 1)
            hidden.append(answer.hidden_states[-2] if len(self.encoders) > 1 else answer.last_hidden_state)
            pooled = getattr(answer, "text_embeds", None)
        told = {"encoder_hidden_states": torch.cat(hidden, -1)}
        if len(self.encoders) > 1:
            sizes = torch.tensor([[side, side, 0, 0, side, side]] * len(prompts), device=pooled.device)
            told["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": sizes.to(pooled.dtype)}
        return told


def main(settings: Settings) -> None:
    """Train one subject's adapters and save them."""
    accelerator = Accelerator(mixed_precision="bf16" if settings.dtype == "bf16" else "no")
    torch.manual_seed(settings.seed)
    dtype = torch.bfloat16 if settings.dtype == "bf16" else torch.float32
    networks = Networks(settings.base, accelerator.device, dtype)
    targets = ATTENTION + (CONVOLUTIONS if settings.convolutions else [])
    networks.unet.add_adapter(
        LoraConfig(r=settings.rank, lora_alpha=settings.rank, init_lora_weights="gaussian", target_modules=targets)
    )
    cast_training_params([networks.unet], dtype=torch.float32)
    parameters = [parameter for parameter in networks.unet.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=settings.lr, weight_decay=1e-2)
    loader = DataLoader(Instances(settings.instance, settings.resolution), settings.batch, shuffle=True)
    rates = get_scheduler("constant", optimizer=optimiser)
    networks.unet, optimiser, loader, rates = accelerator.prepare(networks.unet, optimiser, loader, rates)
    train(settings, accelerator, networks, parameters, loader, optimiser, rates)
    layers = get_peft_model_state_dict(accelerator.unwrap_model(networks.unet))
    networks.pipeline.save_lora_weights(settings.out, unet_lora_layers=layers)


def train(settings, accelerator, networks, parameters, loader, optimiser, rates) -> None:
    """The steps, epoch after epoch."""
    progress = tqdm(total=settings.steps)
    networks.unet.train()
    while progress.n < settings.steps:
        for pixels in loader:
            error = denoising_error(settings, networks, pixels, accelerator.device)
            accelerator.backward(error)
            accelerator.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            rates.step()
            optimiser.zero_grad()
            progress.update(1)
            progress.set_postfix(loss=error.detach().item())
            if progress.n >= settings.steps:
                break
    progress.close()


def denoising_error(settings, networks, pixels, device) -> torch.Tensor:
    """Of a batch of pictures."""
    clean = networks.latents(pixels)
    noise = torch.randn_like(clean)
    t = torch.randint(0, networks.schedule.config.num_train_timesteps, (len(clean),), device=device).long()
    noisy = networks.schedule.add_noise(clean, noise, t)
    said = networks.unet(noisy, t, **networks.told([settings.prompt] * len(clean), settings.resolution)).sample
    kind = networks.schedule.config.prediction_type
    target = noise if kind == "epsilon" else networks.schedule.get_velocity(clean, noise, t)
    return F.mse_loss(said.float(), target.float(), reduction="mean")


if __name__ == "__main__":
    main(tyro.cli(Settings))
