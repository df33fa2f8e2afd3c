"""OmniEdit's columns (Wei et al. 2024) in Parquet: a file, or a folder of them.

Needed are omni_edit_id, task, src_img and edited_prompt_list; edited_img, the set's own edit, may be there. A row has
several wordings of its instruction: one is chosen by the seed and the id, and stands in the bench's questions.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tutelage.benches.editing.questions import EditQuestion, checked_id
from tutelage.diffusion.noise import keyed_seed
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput

NEEDED: Final = ("omni_edit_id", "task", "src_img", "edited_prompt_list")
TRUTH: Final = "edited_img"
RATIOS: Final[Mapping[str, float]] = {
    name: int(width) / int(height)
    for name in ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9")
    for width, height in [name.split(":")]
}
"""The bench's seven aspect ratios."""
BATCH: Final = 64


def read_omniedit(path: Path, seed: int = 0, items: int | None = None) -> list[EditQuestion]:
    """The questions of a file or folder, in its order.

    Args:
        path: as above.
        seed: of the wordings.
        items: how many to read at most.

    Raises:
        BadInput: there is none, a column is absent, or a row is not what it should be.
    """
    files = sorted(path.glob("**/*.parquet")) if path.is_dir() else [path]
    if not files:
        raise BadInput(f"{path} holds no .parquet files; give OmniEdit's, or one with {', '.join(NEEDED)}")
    rows = ((file, number, row) for file in files for number, row in _rows(file))
    questions = [_question(row, f"{file}, row {number}", seed) for file, number, row in islice(rows, items)]
    ids = [question.id for question in questions]
    if len(set(ids)) < len(ids):
        twice = next(name for at, name in enumerate(ids) if name in ids[:at])
        raise BadInput(f"{path}: two rows have the task and id '{twice}'; ids must differ")
    return questions


def nearest_ratio(width: int, height: int) -> str:
    """The name of the aspect ratio that a picture is closest to."""
    return min(RATIOS, key=lambda name: abs(math.log(width / height / RATIOS[name])))


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            names = opened.schema_arrow.names
            if lacking := [name for name in NEEDED if name not in names]:
                raise BadInput(f"{file}: no column '{lacking[0]}'; OmniEdit's are {', '.join(NEEDED)}")
            columns = [*NEEDED, *([TRUTH] if TRUTH in names else [])]
            batches = opened.iter_batches(batch_size=BATCH, columns=columns)
            yield from enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{file} cannot be read as Parquet ({error}); give a whole file") from error


def _question(row: Mapping[str, Any], where: str, seed: int) -> EditQuestion:
    wordings = row["edited_prompt_list"]
    source = _bytes(row["src_img"])
    if not isinstance(wordings, list) or not wordings or not isinstance(wordings[0], str):
        raise BadInput(f"{where}: edited_prompt_list is no list of instructions; give at least one")
    if source is None:
        raise BadInput(f"{where}: src_img holds no picture; give its bytes, or {{bytes, path}}")
    task, key = str(row["task"]), str(row["omni_edit_id"])
    width, height = decode(source, f"{where}: src_img").size
    return EditQuestion(
        id=checked_id(f"{task}/{key}".replace(" ", "_"), where),
        groups=(task, f"ratio {nearest_ratio(width, height)}"),
        source=source,
        instruction=wordings[keyed_seed(seed, key) % len(wordings)],
        truth=_bytes(row.get(TRUTH)),
    )


def _bytes(cell: Any) -> bytes | None:
    inner = cell.get("bytes") if isinstance(cell, dict) else cell
    return inner if isinstance(inner, bytes) else None
