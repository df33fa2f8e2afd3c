"""Items, and a judge on this machine that does as a test says."""

import io
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PIL import Image

from tutelage.chat.base import LATER, Answer, Enough, Request, Tries
from tutelage.viescore.items import Item
from tutelage.viescore.tasks import RUBRICS, Task


class Told:
    """A chat model that answers as `say` does."""

    id = "told"

    def __init__(self, say: Callable[[Request], Answer]) -> None:
        self.say, self.asked = say, []

    def ask(self, tries: Sequence[Tries], enough: Enough) -> list[list[Answer]]:
        return [self._answers(requests, at, enough) for at, requests in enumerate(tries)]

    def _answers(self, requests: Tries, at: int, enough: Enough) -> list[Answer]:
        answers = []
        for request in requests:
            self.asked.append(request)
            answers.append(self.say(request))
            if answers[-1].outcome in LATER or enough(at, answers[-1]):
                break
        return answers


@pytest.fixture
def told() -> type[Told]:
    return Told


@pytest.fixture(scope="session")
def make_item() -> Callable[..., Item]:
    """(id, task) → an item with pictures of its own."""

    def make(key: int, task: Task = "text-guided-editing") -> Item:
        pictures = tuple(noise(key, at) for at in range(len(RUBRICS[task].shows)))
        return Item(id=str(key), task=task, prompt=f"make it {key}", pictures=pictures)

    return make


def noise(*key: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(key).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
