"""Features of triplets in a file, so that what was looked at once is not looked at again."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from tutelage.judges.distillation.features import Told


def save_told(path: Path, told: Told, ids: Sequence[str], made_by: Sequence[str]) -> None:
    """Write what is known of triplets, with what says whose and by whom: hashes of networks, and how they looked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {"consistency": told.consistency.contiguous(), "quality": told.quality.contiguous()}
    made = {"made_from": _made_from(ids, made_by), "faults": json.dumps(told.faults)}
    draft = path.with_suffix(".tmp")
    save_file(tensors, draft, metadata=made)
    draft.replace(path)


def load_told(path: Path, ids: Sequence[str], made_by: Sequence[str]) -> Told | None:
    """What is known of these triplets, or None if the file is absent, torn or about others."""
    try:
        with safe_open(path, framework="pt") as file:
            made = file.metadata()
            if made["made_from"] != _made_from(ids, made_by):
                return None
            tensors = {name: file.get_tensor(name) for name in ("consistency", "quality")}
            return Told(**tensors, faults=tuple(json.loads(made["faults"])))
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def _made_from(ids: Sequence[str], made_by: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([list(ids), list(made_by)]).encode()).hexdigest()
