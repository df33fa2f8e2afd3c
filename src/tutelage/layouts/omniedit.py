"""OmniEdit's columns (Wei et al. 2024) in Parquet: a file, or a folder of them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tutelage.errors import BadInput

NEEDED: Final = ("omni_edit_id", "task", "src_img", "edited_prompt_list")
TRUTH: Final = "edited_img"
IMAGE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA: Final = pa.schema(
    [
        ("omni_edit_id", pa.string()),
        ("task", pa.string()),
        ("src_img", IMAGE),
        (TRUTH, IMAGE),
        ("edited_prompt_list", pa.list_(pa.string())),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("sc_score_1", pa.int64()),
        ("sc_score_2", pa.int64()),
        ("sc_reasoning", pa.string()),
        ("pq_score", pa.int64()),
        ("pq_reasoning", pa.string()),
        ("o_score", pa.float64()),
    ]
)
"""All of its columns: pictures, wordings of the instruction, the size, and what the judge of the set said."""
BATCH: Final = 64


def read_rows(path: Path, columns: Sequence[str] = ()) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (where it is, the row) of every row, in the order of files and rows; columns that are absent are left out.

    Args:
        path: a file or a folder.
        columns: which to read; all if none is named.

    Raises:
        BadInput: there is no file, a needed column is absent, or a file cannot be read.
    """
    files = sorted(path.glob("**/*.parquet")) if path.is_dir() else [path]
    if not files:
        raise BadInput(f"{path} holds no .parquet files; give OmniEdit's, or one with {', '.join(NEEDED)}")
    for file in files:
        for number, row in enumerate(_rows(file, columns), start=1):
            yield f"{file}, row {number}", row


def picture_bytes(cell: Any) -> bytes | None:
    """The file in a picture's cell: its bytes, or {bytes, path}; None if there is none."""
    inner = cell.get("bytes") if isinstance(cell, dict) else cell
    return inner if isinstance(inner, bytes) else None


def wordings_of(row: Mapping[str, Any], where: str) -> list[str]:
    """The ways in which a row says its instruction, one at least.

    Raises:
        BadInput: there is none.
    """
    said = row["edited_prompt_list"]
    if not isinstance(said, list) or not said or not all(isinstance(one, str) for one in said):
        raise BadInput(f"{where}: edited_prompt_list is no list of instructions; give at least one")
    return said


def _rows(file: Path, columns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    try:
        with pq.ParquetFile(file) as opened:
            names = opened.schema_arrow.names
            if lacking := [name for name in NEEDED if name not in names]:
                raise BadInput(f"{file}: no column '{lacking[0]}'; OmniEdit's are {', '.join(NEEDED)}")
            chosen = [name for name in names if not columns or name in columns]
            for batch in opened.iter_batches(batch_size=BATCH, columns=chosen):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{file} cannot be read as Parquet ({error}); give a whole file") from error
