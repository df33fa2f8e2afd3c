"""What a source is, and the rows it answers with."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import pyarrow as pa

if TYPE_CHECKING:
    import daft

SCHEMA: Final = pa.schema(
    [
        ("url", pa.string()),
        ("page_url", pa.string()),
        ("image", pa.binary()),
        ("alt_text", pa.string()),
        ("licence", pa.string()),
        ("fault", pa.string()),
    ]
)
"""Columns of every source's frame: the picture as it came, where it was found, and why it cannot be used, or null."""

MOST_BYTES: Final = 64 * 2**20
"""A file larger than this is not read at all."""

BATCH_ROWS: Final = 64
BATCH_BYTES: Final = 4 * 2**20
"""What of pictures travels together: small, since the engine holds some hundred batches at once."""


class Source(Protocol):
    """Somewhere pages come from."""

    def frame(self) -> "daft.DataFrame":
        """The pictures as a lazy Daft frame with the columns of `SCHEMA`; nothing is read before it is used.

        `fault` tells what the source saw without decoding; `faults.inspected` adds what the bytes tell.

        Raises:
            BadInput: the source is not there, or is of another kind.
        """
        ...


class Part(Protocol):
    """A stretch of a source that one worker reads from its start to its end; it can be pickled."""

    def batches(self, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
        """Yield batches of (at least) the named columns of `SCHEMA`; faults become rows, never exceptions."""
        ...


class Parted(Protocol):
    """A source that is read part by part."""

    def parts(self) -> Iterator[Part]:
        """Yield the parts in a fixed order. The engine plans with all of them, so none may hold what it reads."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One row of a frame."""

    url: str
    page_url: str = ""
    image: bytes | None = None
    alt_text: str = ""
    licence: str = ""
    fault: str | None = None
