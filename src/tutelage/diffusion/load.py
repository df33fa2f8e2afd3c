"""A folder or Hub id in diffusers' layout → a text-to-image pipeline. The one way generators are loaded.

Only safetensors are read and no code that comes with a checkpoint is run. Everything that can be wrong with a folder is
looked for before the networks are built, so that the answer is one line and comes at once.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import diffusers
from huggingface_hub.errors import EntryNotFoundError
from safetensors import SafetensorError, safe_open

from tutelage.diffusion.device import pick_device, pick_dtype
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.vision import first_line
from tutelage.errors import BadInput

INDEX: Final = "model_index.json"
TEXT_TO_IMAGE: Final = "AutoPipelineForText2Image"
WEIGHTS: Final = ".safetensors"
PICKLES: Final = (".bin", ".ckpt", ".pt", ".pth")

LOADING_FAULTS: Final = (
    OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, ImportError, EntryNotFoundError
)  # fmt: skip
"""What diffusers, transformers and the Hub client raise for files they cannot use."""


def load_pipeline(
    model: str | Path, device: str = "auto", dtype: str = "auto", kind: str = TEXT_TO_IMAGE
) -> diffusers.DiffusionPipeline:
    """Load a pipeline from a local folder or a Hub id onto `device`, in `dtype` however it is stored.

    `kind` is a class of diffusers: by default one that makes a text-to-image pipeline of any; `DiffusionPipeline` loads
    what the folder says it is.

    Names of shipped checkpoints are turned into folders by `tutelage.toybox.checkpoints.checkpoint`.

    Raises:
        BadInput: the device is absent, or the folder is missing, incomplete, corrupt or of another kind.
    """
    where = pick_device(device)
    number = pick_dtype(dtype, where)
    folder = local_folder(model)
    check_folder(folder)
    with quiet_libraries():
        auto: Any = getattr(diffusers, kind)  # inside: importing it is not silent either
        try:
            pipeline = auto.from_pretrained(folder, dtype=number, use_safetensors=True, **absent_parts(folder))
        except LOADING_FAULTS as error:
            what = "text-to-image pipeline" if kind == TEXT_TO_IMAGE else "pipeline"
            raise BadInput(f"{folder} cannot be loaded as a {what}: {first_line(error)}") from error
    pipeline.set_progress_bar_config(disable=True)
    loaded: diffusers.DiffusionPipeline = pipeline.to(where)
    return loaded


def local_folder(model: str | Path) -> Path:
    """The folder of a model; a Hub id (`owner/name`, when no such folder exists) is downloaded into the Hub's cache.

    Raises:
        BadInput: there is no such folder, or the Hub does not give it.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if isinstance(model, Path) or model.count("/") != 1 or model.startswith((".", "/", "~")):
        raise BadInput(f"{path} is not a folder; give that of a diffusers pipeline, or a Hub id such as owner/name")
    hub: Any = diffusers.DiffusionPipeline
    try:
        return Path(hub.download(model, use_safetensors=True))
    except LOADING_FAULTS as error:
        raise BadInput(f"no folder '{model}', and the Hub does not give it: {first_line(error)}") from error


def check_folder(folder: Path) -> None:
    """Look at the index, every component's folder and the header of every weight file; cheap, nothing is loaded.

    Raises:
        BadInput: the first fault found, and what to do about it.
    """
    for component in sorted(_components(folder)):
        path = folder / component
        if not path.is_dir():
            raise BadInput(f"{path} is missing, though {folder / INDEX} names it; copy the folder again")
        weights = sorted(path.glob(f"*{WEIGHTS}"))
        pickles = [file.name for file in path.iterdir() if file.suffix in PICKLES]
        if pickles and not weights:
            raise BadInput(f"{path / pickles[0]}: weights are read from safetensors only; convert them with diffusers")
        for file in weights:
            _check_weights(file)


def absent_parts(folder: Path) -> dict[str, None]:
    """The parts that a checked folder declares to be without, such as SD3's T5: diffusers wants to be told of them."""
    index = json.loads((folder / INDEX).read_bytes())
    return {name: None for name, value in index.items() if value == [None, None]}


def weights_hash(folder: Path) -> str:
    """First 16 hex digits of the SHA-256 over the names and bytes of a pipeline's index, configs and weights."""
    total = hashlib.sha256()
    for path in sorted(file for file in folder.rglob("*") if file.suffix in (".json", ".txt", WEIGHTS)):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return total.hexdigest()[:16]


def _components(folder: Path) -> list[str]:
    """Names of the sub-folders that the index declares."""
    path = folder / INDEX
    if not path.is_file():
        raise BadInput(f"{folder} is not a diffusers pipeline (no {INDEX}); give a folder written by save_pretrained")
    try:
        index = json.loads(path.read_bytes())
    except ValueError as error:
        raise BadInput(f"{path} is not JSON ({error}); copy the folder again") from error
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        raise BadInput(f"{path} names no pipeline class of diffusers; give a folder written by save_pretrained")
    pairs = {name: value for name, value in index.items() if isinstance(value, list) and len(value) == 2}
    return [name for name, (library, _) in pairs.items() if isinstance(library, str)]


def _check_weights(file: Path) -> None:
    try:
        with safe_open(file, "pt"):
            pass
    except (SafetensorError, OSError) as error:
        with file.open("rb") as opened:
            pointer = opened.read(32).startswith(b"version https://git-lfs")
        if pointer:
            raise BadInput(f"{file} is a Git LFS pointer, not the weights; run `git lfs pull`") from error
        raise BadInput(f"{file} is truncated or corrupt ({first_line(error)}); copy or download it again") from error
