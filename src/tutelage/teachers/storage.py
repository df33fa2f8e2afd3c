"""How many numbers an expert is, counted without loading a weight."""

from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from transformers import AutoConfig

from tutelage.diffusion.load import LOADING_FAULTS, local_folder
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.vision import first_line
from tutelage.errors import BadInput
from tutelage.teachers.settings import Lora
from tutelage.teachers.tuning import tuned


def trained_numbers(base: str | Path, lora: Lora | None) -> int:
    """Numbers in the adapters of a base's UNet; without `lora`, in all of it.

    Raises:
        BadInput: the base is absent, or its UNet's config cannot be read.
    """
    unet = unet_shape(base)
    with tuned(unet, dict(unet.named_parameters()), lora, 0, "") as parameters:
        return sum(parameter.numel() for parameter in parameters)


def unet_shape(base: str | Path) -> Any:
    """A base's UNet without its weights.

    Raises:
        BadInput: as `trained_numbers`.
    """
    folder = local_folder(base)
    kind: Any = UNet2DConditionModel
    try:
        with quiet_libraries(), torch.device("meta"):
            return kind.from_config(kind.load_config(folder / "unet"))
    except LOADING_FAULTS as error:
        raise BadInput(f"{folder / 'unet'} is not a UNet of diffusers: {first_line(error)}") from error


def text_widths(base: str | Path) -> list[int]:
    """Width of a token's vector in each text encoder.

    Raises:
        BadInput: the base is absent.
    """
    return [int(config.hidden_size) for config in _text_configs(base)]


def told_numbers(base: str | Path) -> int:
    """Numbers that a text is encoded as: a vector a token, and with SDXL one for the whole text.

    Raises:
        BadInput: as `trained_numbers`.
    """
    first, *second = _text_configs(base)
    tokens = int(first.max_position_embeddings) * int(unet_shape(base).config.cross_attention_dim)
    return tokens + sum(int(config.projection_dim) for config in second)


def _text_configs(base: str | Path) -> list[Any]:
    folder = local_folder(base)
    names = [name for name in ("text_encoder", "text_encoder_2") if (folder / name).is_dir()]
    return [AutoConfig.from_pretrained(folder / name) for name in names]
