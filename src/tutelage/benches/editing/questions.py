"""What every bench of editors asks, whatever layout it is read from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class EditQuestion:
    """One picture, what is to be done to it, and what is known about the result."""

    id: str
    """The answer's path without its ending, such as `1_change_object_80/000000000001`."""
    groups: tuple[str, ...]
    """Names of the sets it belongs to, such as its kind of edit: figures are also given for each."""
    source: bytes
    """The picture's file."""
    instruction: str
    before: str = ""
    """Caption of the source."""
    after: str = ""
    """Caption of what is wanted."""
    mask: NDArray[np.bool_] | None = None
    """What may change (H, W)."""
    truth: bytes | None = None
    """The set's own edit."""
