"""A student's folder: a pipeline folder of diffusers with the new layers in `reference_attention`."""

import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tutelage.diffusion.device import pick_device, pick_dtype
from tutelage.diffusion.load import INDEX, LOADING_FAULTS, WEIGHTS, absent_parts, check_folder
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.vision import first_line
from tutelage.errors import BadInput
from tutelage.students.reference_attention import ReferenceAttention
from tutelage.students.suti_pipeline import SutiPipeline


def load_parts(model: str | Path, device: str = "auto", dtype: str = "auto") -> tuple[Any, ReferenceAttention]:
    """The base's pipeline and the new layers of a student, from its folder or Hub id.

    Raises:
        BadInput: the device is absent, or the folder is missing, incomplete, corrupt or of another kind.
    """
    where = pick_device(device)
    number = pick_dtype(dtype, where)
    folder = student_folder(model)
    if not is_student(folder):
        raise BadInput(f"{folder} is no student: {INDEX} does not name {SutiPipeline.__name__}; train one from it")
    parts = load_folder(SutiPipeline, folder, where, number)
    base = parts.base()
    base.set_progress_bar_config(disable=True)
    return base, parts.reference_attention


def load_folder(kind: Any, folder: Path, device: torch.device, number: torch.dtype) -> Any:
    """The pipeline of a class of diffusers in a folder.

    Raises:
        BadInput: it is incomplete, corrupt or of another kind.
    """
    with quiet_libraries():
        try:
            parts = kind.from_pretrained(folder, dtype=number, use_safetensors=True, **absent_parts(folder))
            return parts.to(device)
        except LOADING_FAULTS as error:
            raise BadInput(f"{folder} cannot be loaded as a student: {first_line(error)}") from error


def pipeline_class(folder: Path) -> str:
    """The name of the class that a pipeline folder names.

    Raises:
        BadInput: it is no pipeline folder, or a broken one.
    """
    check_folder(folder)
    return str(json.loads((folder / INDEX).read_bytes())["_class_name"])


def is_student(folder: Path) -> bool:
    """Whether a pipeline folder is SuTI's.

    Raises:
        BadInput: it is no pipeline folder, or a broken one.
    """
    return bool(pipeline_class(folder) == SutiPipeline.__name__)


def student_folder(model: str | Path) -> Path:
    """The folder of a student; a Hub id (`owner/name`, when no such folder exists) is downloaded into the Hub's cache.

    Raises:
        BadInput: there is no such folder, or the Hub does not give it.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if isinstance(model, Path) or model.count("/") != 1 or model.startswith((".", "/", "~")):
        raise BadInput(f"{path} is not a folder; give that of a student, or a Hub id such as owner/name")
    try:
        return Path(SutiPipeline.download(model, use_safetensors=True))
    except LOADING_FAULTS as error:
        raise BadInput(f"no folder '{model}', and the Hub does not give it: {first_line(error)}") from error


def save_parts(base: Any, attention: ReferenceAttention, folder: Path, dtype: str = "fp32") -> None:
    """Write SuTI's folder; see `save_folder`."""
    save_folder(lambda: SutiPipeline.of(base, attention), folder, dtype)


def save_folder(pipeline: Callable[[], Any], folder: Path, dtype: str = "fp32") -> None:
    """Write a student's folder as its pipeline does, weights in the number format of that name; whole or not at all.

    Raises:
        BadInput: there is something at `folder`, or no number format of that name.
    """
    number = pick_dtype(dtype, torch.device("cpu"))
    if folder.exists():
        raise BadInput(f"{folder} is there already; remove it, or give another folder for the student")
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        with quiet_libraries():  # making some pipelines is not silent
            pipeline().save_pretrained(draft, safe_serialization=True)
        for file in draft.rglob(f"*{WEIGHTS}"):
            _convert(file, number)
        for file in [draft / INDEX, *draft.rglob("config.json")]:
            _tidy(file, number)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _convert(file: Path, number: torch.dtype) -> None:
    """Store a file's weights in another number format; nothing that is being trained is touched for it."""
    tensors = load_file(file)
    if all(tensor.dtype == number for tensor in tensors.values() if tensor.is_floating_point()):
        return
    changed = {name: value.to(number) if value.is_floating_point() else value for name, value in tensors.items()}
    save_file(changed, file, {"format": "pt"})


def _tidy(file: Path, number: torch.dtype) -> None:
    """Say which number format is stored, and not from which folder of the maker's machine a part came."""
    settings = json.loads(file.read_bytes())
    settings.pop("_name_or_path", None)
    if "dtype" in settings:
        settings["dtype"] = str(number).removeprefix("torch.")
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
