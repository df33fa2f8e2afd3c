"""What is said to a model, and what comes back."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

LONGEST: Final = 128
"""Tokens of an answer."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str
    pictures: tuple[bytes, ...] = ()
    """Files (PNG, JPEG, …), shown in this order before the text."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A conversation to be continued."""

    messages: tuple[Message, ...]
    seed: int = 0
    """The same request with the same seed has the same answer, as far as the model keeps its word."""
    temperature: float = 0.0
    """0: the likeliest answer."""
    longest: int = LONGEST
    """Tokens of the answer, at most."""


Outcome = Literal["said", "cut", "refused", "stalled", "rejected", "garbled", "unreachable", "unaffordable"]
"""What became of a request.

`said`: there is an answer. `cut`: it ends where the limit of tokens was reached. `refused`: the model would not answer.
`stalled`: nothing came in time. `rejected`: the server does not take this request. `garbled`: what came is no answer.
`unreachable`: the server is down or stayed busy. `unaffordable`: it was not sent, because the budget is spent.
"""
HEARD: Final = ("said", "cut", "refused")
"""The model itself had its say."""
LATER: Final = ("unreachable", "unaffordable")
"""Nothing was asked of the model, so asking later may help."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    outcome: Outcome = "said"
    text: str = ""
    """What the model said; with `refused`, how it put it."""
    why: str = ""
    """What went wrong, if the model had no say."""


Tries = Sequence[Request]
"""Requests to be made in turn, until one has an answer that is good enough."""
Enough = Callable[[int, Answer], bool]
"""(number of the tries, an answer) → whether no more of these are needed."""


class ChatModel(Protocol):
    """Something that continues conversations."""

    @property
    def id(self) -> str:
        """Which model it is: a served model's name, or a folder's name and the hash of its weights."""
        ...

    def ask(self, tries: Sequence[Tries], enough: Enough) -> list[list[Answer]]:
        """The answers to each of `tries`, as many as it took; where the first requests are equal, all are asked once.

        An answer in `LATER` ends the tries.

        Raises:
            BadInput: the model or the server is not what was named, or nothing at all comes from it.
        """
        ...


def ask_once(model: ChatModel, requests: Sequence[Request]) -> list[Answer]:
    """One answer a request, in their order; equal requests are asked once.

    Raises:
        BadInput: as `ChatModel.ask`.
    """
    return [answers[0] for answers in model.ask([(request,) for request in requests], lambda *_: True)]


def request_key(model: str, request: Request, extra: str = "") -> str:
    """SHA-256 of all that an answer depends on: model, words, picture bytes, seed, temperature and length."""
    turns = [[turn.role, turn.text, [digest(picture) for picture in turn.pictures]] for turn in request.messages]
    told = [model, turns, request.seed, request.temperature, request.longest, extra]
    return digest(json.dumps(told).encode())


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def mended(text: str) -> str:
    """`text` with halves of characters (lone UTF-16 surrogates) replaced by U+FFFD, and split pairs joined.

    Models cut replies within an emoji and web pages within an entity; what is left cannot be encoded.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
