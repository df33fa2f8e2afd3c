"""PIE-Bench's layout (Ju et al. 2024): 700 pictures, ten kinds of edit, masks of what may change.

mapping_file.json                       key → image_path, original_prompt, editing_prompt, editing_instruction,
                                        editing_type_id, mask
annotation_images/0_random_140/….jpg    the pictures

Brackets in prompts mark what differs and are stripped. A mask is run lengths, (start, length) pairs over the rows of
the picture; its outermost pixels are set, as its makers do.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.editing.questions import EditQuestion
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.layouts.files import checked_id, read_bytes, read_json

MAPPING: Final = "mapping_file.json"
PICTURES: Final = "annotation_images"
TYPES: Final = (
    "random",
    "change object",
    "add object",
    "delete object",
    "change content",
    "change pose",
    "change colour",
    "change material",
    "change background",
    "change style",
)
"""Kinds of edit by their number."""
FIELDS: Final = ("image_path", "original_prompt", "editing_prompt", "editing_instruction", "editing_type_id", "mask")


def read_pie(folder: Path, types: Sequence[int] = (), items: int | None = None) -> list[EditQuestion]:
    """The questions of a PIE-Bench folder, in its order.

    Args:
        folder: as above.
        types: kinds of edit by number; all if none is named.
        items: how many to read at most.

    Raises:
        BadInput: a file is absent or is not what it should be.
    """
    path = folder / MAPPING
    mapping = read_json(path, "PIE-Bench's mapping file")
    if not isinstance(mapping, dict):
        raise BadInput(f"{path} holds no entries by name; give PIE-Bench's mapping file")
    chosen = (question for question in _questions(folder, path, mapping, set(types)))
    return [question for question, _ in zip(chosen, range(len(mapping) if items is None else items), strict=False)]


def decode_mask(runs: Sequence[int], height: int, width: int) -> NDArray[np.bool_]:
    """The mask (H, W) of run lengths: starts and lengths in turn; the outermost pixels are set.

    Raises:
        BadInput: a number is missing, or is not within the picture.
    """
    if len(runs) % 2 or any(not isinstance(run, int) or run < 0 for run in runs):
        raise BadInput("run lengths come in pairs of start and length, whole numbers from 0")
    flat = np.zeros(height * width, np.bool_)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        if start >= len(flat):
            raise BadInput(f"a run starts at {start}, beyond a picture of {width} x {height}")
        flat[start : start + length] = True
    mask = flat.reshape(height, width)
    mask[[0, -1]] = True
    mask[:, [0, -1]] = True
    return mask


def encode_mask(mask: NDArray[np.bool_]) -> list[int]:
    """Run lengths of a mask (H, W)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask.ravel(), [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    return [int(number) for pair in zip(starts, ends - starts, strict=True) for number in pair]


def _questions(folder: Path, path: Path, mapping: Mapping[str, Any], types: set[int]) -> Iterator[EditQuestion]:
    for key, entry in mapping.items():
        where = f"{path}, '{key}'"
        if not isinstance(entry, dict) or (lacking := [name for name in FIELDS if name not in entry]):
            raise BadInput(f"{where}: not an entry with {lacking[0] if isinstance(entry, dict) else 'fields'}")
        number = str(entry["editing_type_id"])
        if not number.isdigit() or int(number) >= len(TYPES):
            raise BadInput(f"{where}: no kind of edit '{number}'; they are 0 to {len(TYPES) - 1}")
        if not types or int(number) in types:
            yield _question(folder, entry, int(number), where)


def _question(folder: Path, entry: Mapping[str, Any], number: int, where: str) -> EditQuestion:
    name = checked_id(str(entry["image_path"]), where)
    inner = folder / PICTURES / name
    source = read_bytes(inner if inner.is_file() else folder / name, "a picture that the mapping file names")
    width, height = decode(source, name).size
    try:
        mask = decode_mask(entry["mask"], height, width)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error
    return EditQuestion(
        id=name.rpartition(".")[0] or name,
        groups=(f"{number} {TYPES[number]}",),
        source=source,
        instruction=str(entry["editing_instruction"]),
        before=_plain(entry["original_prompt"]),
        after=_plain(entry["editing_prompt"]),
        mask=mask,
    )


def _plain(prompt: Any) -> str:
    return str(prompt).replace("[", "").replace("]", "")
