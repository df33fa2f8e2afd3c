"""A fake server that does as a test says."""

from collections.abc import Iterator

import pytest

from tutelage.chat.fake_server import FakeServer


class Scripted:
    """Goes wrong as the list says, request by request, and then no more."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def __call__(self, digest: str, times: int) -> str:
        return self.faults.pop(0) if self.faults else "none"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(lambda body: f"answer to {body['seed']}", Scripted(), stall=30) as made:
        yield made
