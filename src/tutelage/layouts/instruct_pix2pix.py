"""InstructPix2Pix's layout of pairs (Brooks et al. 2023).

seeds.json                  a list of (folder, seeds)
0000123/prompt.json         input, edit, output: a caption, an instruction, a caption; maybe url
0000123/<seed>_0.jpg        the source, and beside it <seed>_1.jpg, the edit
0000123/metadata.jsonl      a line a pair: its seed, how it was drawn, and four similarities of CLIP; may be absent
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tutelage.errors import BadInput
from tutelage.layouts.files import checked_id, read_bytes, read_json

SEEDS: Final = "seeds.json"
PROMPT: Final = "prompt.json"
METADATA: Final = "metadata.jsonl"
PROMPTS: Final = ("input", "edit", "output")
DRAWN: Final = ("p2p_threshold", "cfg_scale")
"""How a pair was drawn: the share of steps with replaced attention, and guidance."""
SIMILARITIES: Final = ("clip_sim_0", "clip_sim_1", "clip_sim_dir", "clip_sim_image")
"""Of the source and its caption, the target and its own, the directions, and the pictures."""


def read_entries(folder: Path) -> list[tuple[str, list[str]]]:
    """Folders and the seeds of their pairs, in the order of the list.

    Raises:
        BadInput: the list cannot be read, or is none.
    """
    path = folder / SEEDS
    entries = read_json(path, "a list of (folder, seeds)")
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise BadInput(f"{path} is no list of (folder, seeds); give InstructPix2Pix's")
    return [
        (checked_id(str(name), str(path)), [checked_id(str(seed), str(path)) for seed in seeds])
        for name, seeds in entries
    ]


def read_prompt(folder: Path, name: str) -> Mapping[str, str]:
    """`input`, `edit` and `output` of a folder, and whatever else its file holds.

    Raises:
        BadInput: it cannot be read, or lacks one of these.
    """
    path = folder / name / PROMPT
    words = read_json(path, "an object with input, edit and output")
    if not isinstance(words, dict) or not all(isinstance(words.get(key), str) for key in PROMPTS):
        raise BadInput(f"{path} is no object with the texts {', '.join(PROMPTS)}")
    return words


def read_pair(folder: Path, name: str, seed: str) -> tuple[bytes, bytes]:
    """The files of source and edit.

    Raises:
        BadInput: one is absent.
    """
    inside = folder / name
    source = read_bytes(inside / f"{seed}_0.jpg", "a picture before an edit")
    return source, read_bytes(inside / f"{seed}_1.jpg", "a picture after an edit")


def read_metadata(folder: Path, name: str) -> dict[str, dict[str, float]]:
    """Seed → numbers of its pair; empty where the folder has no such file.

    Raises:
        BadInput: a line is no object with a seed and numbers.
    """
    path = folder / name / METADATA
    if not path.exists():
        return {}
    lines = read_bytes(path, "a line a pair").decode("utf-8", "replace").splitlines()
    return dict(_numbers(line, f"{path}, line {at}") for at, line in enumerate(lines, start=1) if line.strip())


def _numbers(line: str, where: str) -> tuple[str, dict[str, float]]:
    try:
        row: Any = json.loads(line)
        seed = str(row.pop("seed"))
        numbers = {str(key): float(value) for key, value in row.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{where}: no object with a seed and numbers; give the file as it was made") from error
    if strange := sorted(numbers.keys() - {*DRAWN, *SIMILARITIES}):
        raise BadInput(f"{where}: '{strange[0]}' would be lost; there are {', '.join((*DRAWN, *SIMILARITIES))}")
    return seed, numbers


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], list) and bool(entry[1])
