"""Finished weights → a plain Hub-layout folder: fp16 safetensors, processors, and a model card."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import DiffusionPipeline
from torch import nn
from transformers import CLIPImageProcessor, SegformerImageProcessor, ViTImageProcessor

from tutelage.diffusion.quiet import quiet_libraries
from tutelage.run import CONFIG

BEFORE: Final = ("vae", "clip", "reader", "start")
"""Settings of recipes that name a finished folder of another."""
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
"""Pixels in [-1, 1]."""


def clip_images(size: int) -> CLIPImageProcessor:
    """The image side of CLIP's preprocessing at `size` pixels."""
    return CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": size, "width": size}, **HALF)


def vit_images(size: int) -> ViTImageProcessor:
    """Preprocessing for a classifier at `size` pixels."""
    return ViTImageProcessor(size={"height": size, "width": size}, **HALF)


def seg_images(size: int) -> SegformerImageProcessor:
    """Preprocessing for the segmenter at `size` pixels."""
    return SegformerImageProcessor(size={"height": size, "width": size}, **HALF)


def publish(folder: Path, pieces: Sequence[Any], config: Any) -> None:
    """Save everything into `folder` at once, weights in fp16, and a model card made from the run's settings."""
    draft = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    for piece in pieces:
        if isinstance(piece, nn.Module | DiffusionPipeline):
            piece = piece.to("cpu").to(torch.float16)
        with quiet_libraries():
            piece.save_pretrained(draft)
    _forget_derived(draft)
    (draft / "README.md").write_text(card(config), encoding="utf-8")
    shutil.copy(config.out / CONFIG, draft / "recipe.json")
    draft.replace(folder)


def _origins(config: Any) -> str:
    """A line for the runs and checkpoints that this one starts from, if any."""
    runs = [before.parent.name for name in BEFORE if (before := getattr(config, name, None)) is not None]
    origins = [f"`tutelage run {run}`" for run in runs]
    origins += [f"`{getattr(config, name)}`" for name in ("expert", "text", "base") if hasattr(config, name)]
    return f"* **Starts from**: {', '.join(origins)}.\n" if origins else ""


def _emptied(config: Any) -> str:
    """A clause for the places that this one learnt from with nobody there, if any."""
    return f", and {len(config.places):,} of the same places with nobody there" if hasattr(config, "places") else ""


def _nothing_else(config: Any) -> str:
    """A sentence for what it did not learn from."""
    if hasattr(config, "expert"):
        return f"Where noise prevails, what `{config.expert}` expects of them; no photographs."
    return "Nothing else: no photographs, no other model's output."


def _forget_derived(draft: Path) -> None:
    """Drop what the libraries write into configs and nobody should read: where a part was loaded from, and a setting
    that `AutoencoderTiny` derives and, on loading, complains about.
    """
    for path in draft.rglob("config.json"):
        settings = json.loads(path.read_text())
        settings.pop("_name_or_path", None)
        if settings.get("_class_name") == "AutoencoderTiny":
            settings.pop("block_out_channels", None)
        path.write_text(json.dumps(settings, indent=2) + "\n")


def card(config: Any) -> str:
    """The model card: what it is, how it was made, and under which licence."""
    schedule, renders = config.schedule, config.renders
    name = config.out.name
    ships_as = name.removesuffix("-sharpen")
    return f"""---
license: apache-2.0
tags: [toybox, tutelage]
---
# {ships_as}

{type(config).__doc__} Part of the toybox, the small built-in world of tutelage.

* **Recipe**: `tutelage run {name}`; every setting is in `recipe.json` beside this file.
* **Data**: {len(renders):,} rendered pictures of {renders.subjects:,} toys at {renders.size} × {renders.size} pixels, \
seed {renders.seed}{_emptied(config)}. {_nothing_else(config)}
{_origins(config)}* **Training**: {schedule.steps:,} steps of {schedule.batch}, AdamW, learning rate {schedule.lr:g}, \
seed {schedule.seed}{", bfloat16 autocast" if config.bf16 else ""}.
* **Licence**: Apache-2.0.
"""
