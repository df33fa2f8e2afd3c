"""Questions from InstructPix2Pix's layout of pairs (`layouts.instruct_pix2pix`).

The list is split by order: 90 % to train on, 5 % to choose by, 5 % to test on. Of a folder's pairs one is chosen by the
bench's seed, and which folders come first is decided by it too.
"""

import math
from pathlib import Path
from typing import Final, Literal

from tutelage.benches.editing.questions import EditQuestion
from tutelage.diffusion.noise import keyed_seed
from tutelage.errors import BadInput
from tutelage.layouts.instruct_pix2pix import SEEDS, read_entries, read_pair, read_prompt

Split = Literal["train", "val", "test"]
SPLITS: Final[dict[Split, tuple[float, float]]] = {"train": (0.0, 0.9), "val": (0.9, 0.95), "test": (0.95, 1.0)}


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
    entries = read_entries(folder)
    first, last = (math.floor(round(share * len(entries), 6)) for share in SPLITS[split])
    chosen = sorted(entries[first:last], key=lambda entry: keyed_seed(seed, "order", entry[0]))[:items]
    if not chosen:
        raise BadInput(f"{folder / SEEDS}: none of its {len(entries)} entries are in the split '{split}'")
    return [_question(folder, name, seeds, seed) for name, seeds in chosen]


def _question(folder: Path, name: str, seeds: list[str], seed: int) -> EditQuestion:
    words = read_prompt(folder, name)
    pair = seeds[keyed_seed(seed, name) % len(seeds)]
    source, truth = read_pair(folder, name, pair)
    return EditQuestion(
        id=f"{name}/{pair}",
        groups=(),
        source=source,
        instruction=words["edit"],
        before=words["input"],
        after=words["output"],
        truth=truth,
    )
