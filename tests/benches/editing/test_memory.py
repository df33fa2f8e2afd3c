"""Pictures that were looked at are not looked at again."""

from collections.abc import Sequence

import numpy as np
import pytest

from tutelage.benches.editing import memory
from tutelage.benches.editing.memory import remembered
from tutelage.diffusion.vision import Picture


def test_each_picture_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[bytes, int] = {}
    asked: list[int] = []

    def look(pictures: Sequence[Picture]) -> list[int]:
        asked.append(len(pictures))
        return [int(np.asarray(picture).sum()) for picture in pictures]

    one, two, tall = np.ones((2, 3, 3), np.uint8), np.full((2, 3, 3), 2, np.uint8), np.ones((3, 2, 3), np.uint8)
    assert remembered([one, two, one], known, look) == [18, 36, 18]
    assert remembered([two, tall], known, look) == [36, 18]
    assert asked == [2, 1]
    monkeypatch.setattr(memory, "MEMORY", 1)
    assert remembered([one, np.zeros_like(one)], known, look) == [18, 0]
    assert len(known) == 2
