"""OmniEdit's columns (Wei et al. 2024) in Parquet: a file, or a folder of them.

Needed are omni_edit_id, task, src_img and edited_prompt_list; edited_img, the set's own edit, may be there. A row has
several wordings of its instruction: one is chosen by the seed and the id, and stands in the bench's questions.
"""

import math
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tutelage.benches.editing.questions import EditQuestion
from tutelage.diffusion.noise import keyed_seed
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.layouts.files import checked_id
from tutelage.layouts.omniedit import NEEDED, TRUTH, picture_bytes, read_rows, wordings_of

RATIOS: Final[Mapping[str, float]] = {
    name: int(width) / int(height)
    for name in ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9")
    for width, height in [name.split(":")]
}
"""The bench's seven aspect ratios."""


def read_omniedit(path: Path, seed: int = 0, items: int | None = None) -> list[EditQuestion]:
    """The questions of a file or folder, in its order.

    Args:
        path: as above.
        seed: of the wordings.
        items: how many to read at most.

    Raises:
        BadInput: there is none, a column is absent, or a row is not what it should be.
    """
    rows = islice(read_rows(path, (*NEEDED, TRUTH)), items)
    questions = [_question(row, where, seed) for where, row in rows]
    ids = [question.id for question in questions]
    if len(set(ids)) < len(ids):
        twice = next(name for at, name in enumerate(ids) if name in ids[:at])
        raise BadInput(f"{path}: two rows have the task and id '{twice}'; ids must differ")
    return questions


def nearest_ratio(width: int, height: int) -> str:
    """The name of the aspect ratio that a picture is closest to."""
    return min(RATIOS, key=lambda name: abs(math.log(width / height / RATIOS[name])))


def _question(row: Mapping[str, Any], where: str, seed: int) -> EditQuestion:
    wordings = wordings_of(row, where)
    source = picture_bytes(row["src_img"])
    if source is None:
        raise BadInput(f"{where}: src_img holds no picture; give its bytes, or {{bytes, path}}")
    task, key = str(row["task"]), str(row["omni_edit_id"])
    width, height = decode(source, f"{where}: src_img").size
    return EditQuestion(
        id=checked_id(f"{task}/{key}".replace(" ", "_"), where),
        groups=(task, f"ratio {nearest_ratio(width, height)}"),
        source=source,
        instruction=wordings[keyed_seed(seed, key) % len(wordings)],
        truth=picture_bytes(row.get(TRUTH)),
    )
