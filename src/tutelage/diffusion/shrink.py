"""`tutelage shrink`: a model to hand on, its denoisers' weights in eight bits; diffusers loads it like any other.

Matrices and kernels are stored as float8 (e4m3, Micikevicius et al. 2022), vectors as float16. Codecs stay as they are,
and so does all that is not of diffusers, such as text encoders: they are small, and every picture goes through them.
"""

import json
import shutil
from pathlib import Path
from typing import Annotated, Final

import tyro

from tutelage.errors import BadInput

CONFIG: Final = "config.json"
CODEC: Final = "Autoencoder"
"""How the names of codecs' classes begin."""
GREATEST: Final = 448.0
"""Of e4m3."""


def shrink_command(model: Annotated[Path, tyro.conf.Positional], *, out: Path) -> None:
    """Copy a model's folder with the weights of its UNet, transformer or branch in eight bits: half of float16's size.

    What is lost is about 2.5 % of each matrix by norm. Measure the copy before it stands in for the model.

    Args:
        model: Folder in the Hub's layout.
        out: Folder for the copy.

    Raises:
        BadInput: there is nothing to shrink, or something at `out`.
    """
    if out.exists():
        raise BadInput(f"{out} is there already; remove it, or give another folder with --out")
    files = denoisers(model)
    if not files:
        raise BadInput(f"{model} holds no weights of a UNet, transformer or branch of diffusers; give such a folder")
    draft = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(model, draft)
    for file in files:
        shrink(draft / file.relative_to(model))
    draft.replace(out)
    sizes = [sum(file.stat().st_size for file in folder.rglob("*.safetensors")) / 1e6 for folder in (model, out)]
    print(f"{out}: {sizes[1]:.1f} MB of weights instead of {sizes[0]:.1f}")


def denoisers(folder: Path) -> list[Path]:
    """The files of weights under a folder that belong to a model of diffusers and no codec."""
    return [
        file
        for config in sorted(folder.rglob(CONFIG))
        if not _class(config).startswith(CODEC) and _class(config)
        for file in sorted(config.parent.glob("*.safetensors"))
    ]


def shrink(file: Path) -> None:
    """Store the weights of one file in eight bits, and its vectors in sixteen."""
    import torch
    from safetensors.torch import load_file, save_file

    def small(value: torch.Tensor) -> torch.Tensor:
        if not value.is_floating_point():
            return value
        return value.clamp(-GREATEST, GREATEST).to(torch.float8_e4m3fn) if value.ndim > 1 else value.to(torch.float16)

    save_file({name: small(value) for name, value in load_file(file).items()}, file, {"format": "pt"})


def _class(config: Path) -> str:
    """The name of the class of diffusers that a config is of; empty: of none."""
    told = json.loads(config.read_bytes())
    return str(told.get("_class_name", "")) if "_diffusers_version" in told else ""
