"""InstructPix2Pix's layout of pairs (Brooks et al. 2023).

seeds.json                  a list of (folder, seeds)
0000123/prompt.json         input, edit, output: a caption, an instruction, a caption
0000123/<seed>_0.jpg        the source, and beside it <seed>_1.jpg, the edit

The list is split by order: 90 % to train on, 5 % to choose by, 5 % to test on. Of a folder's pairs one is chosen by the
bench's seed, and which folders come first is decided by it too.
"""

import math
from pathlib import Path
from typing import Any, Final, Literal

from tutelage.benches.editing.questions import EditQuestion, checked_id, read_bytes, read_json
from tutelage.diffusion.noise import keyed_seed
from tutelage.errors import BadInput

Split = Literal["train", "val", "test"]
SPLITS: Final[dict[Split, tuple[float, float]]] = {"train": (0.0, 0.9), "val": (0.9, 0.95), "test": (0.95, 1.0)}
SEEDS: Final = "seeds.json"
PROMPTS: Final = ("input", "edit", "output")


def read_pairs(folder: Path, split: Split = "test", seed: int = 0, items: int | None = None) -> list[EditQuestion]:
    """The questions of a split.

    Args:
        folder: as above.
        split: which part of the list.
        seed: chooses pairs, and which come first.
        items: how many to read at most.

    Raises:
        BadInput: a file is absent or is not what it should be.
    """
    entries = read_json(folder / SEEDS, "a list of (folder, seeds)")
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise BadInput(f"{folder / SEEDS} is no list of (folder, seeds); give InstructPix2Pix's")
    first, last = (math.floor(round(share * len(entries), 6)) for share in SPLITS[split])
    chosen = sorted(entries[first:last], key=lambda entry: keyed_seed(seed, "order", entry[0]))[:items]
    if not chosen:
        raise BadInput(f"{folder / SEEDS}: none of its {len(entries)} entries are in the split '{split}'")
    return [_question(folder, name, seeds, seed) for name, seeds in chosen]


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], list) and bool(entry[1])


def _question(folder: Path, name: str, seeds: list[Any], seed: int) -> EditQuestion:
    inside = folder / checked_id(str(name), str(folder / SEEDS))
    words = read_json(inside / "prompt.json", "an object with input, edit and output")
    if not isinstance(words, dict) or not all(isinstance(words.get(key), str) for key in PROMPTS):
        raise BadInput(f"{inside / 'prompt.json'} is no object with the texts {', '.join(PROMPTS)}")
    pair = checked_id(str(seeds[keyed_seed(seed, str(name)) % len(seeds)]), str(folder / SEEDS))
    return EditQuestion(
        id=f"{name}/{pair}",
        groups=(),
        source=read_bytes(inside / f"{pair}_0.jpg", "a picture before an edit"),
        instruction=words["edit"],
        before=words["input"],
        after=words["output"],
        truth=read_bytes(inside / f"{pair}_1.jpg", "a picture after an edit"),
    )
