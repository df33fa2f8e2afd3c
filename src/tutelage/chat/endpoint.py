"""A model behind the OpenAI protocol (`POST /chat/completions`): vLLM, Ollama, llama.cpp, hosted models alike.

Every answer is kept on disk under all that it depends on (model, words, picture bytes, seed), so a run that is resumed
asks nothing twice.
"""

import ipaddress
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from tutelage.chat.base import HEARD, LATER, Answer, Enough, Request, Tries, request_key
from tutelage.chat.exchange import KEY, Exchange
from tutelage.chat.purse import Purse
from tutelage.chat.settings import Manners
from tutelage.chat.store import Store
from tutelage.chat.waiting import Patience
from tutelage.errors import BadInput

LOOPBACK: Final = "http://127.0.0.1:8000/v1"
"""Where vLLM serves unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A served model; see `base.ChatModel`."""

    model: str
    cache: Path | None = None
    """Folder for answers and spending; None: both are forgotten with the process."""
    url: str = LOOPBACK
    manners: Manners = Manners()
    insist: bool = True
    """Whether a request that is not answered in time is sent again, like one that meets a busy server. Else that is its
    answer, and is remembered: whoever asks has other ways to try again."""

    @staticmethod
    def at(
        address: str, cache: Path | None = None, manners: Manners | None = None, *, insist: bool = True
    ) -> "Endpoint":
        """The endpoint at `URL#model`.

        Raises:
            BadInput: there is no model behind the `#`, the URL is no HTTP one, or a key would travel in the clear.
        """
        url, _, model = address.partition("#")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not model:
            raise BadInput(f"'{address}' is no endpoint; give its URL and model, such as {LOOPBACK}#my-model")
        if os.environ.get(KEY) and parts.scheme == "http" and not _loopback(parts.hostname):
            raise BadInput(f"'{url}' would get the key in {KEY} unencrypted; give an https URL, or unset {KEY}")
        manners = manners or Manners()
        return Endpoint(model=model, cache=cache, url=url.rstrip("/"), manners=manners, insist=insist)

    @property
    def id(self) -> str:
        """The name of the model, as the server knows it."""
        return self.model

    def ask(self, tries: Sequence[Tries], enough: Enough) -> list[list[Answer]]:
        """The answers to each of `tries`; see `base.ChatModel`."""
        keys = [self._key(requests[0]) for requests in tries]
        first = {key: at for at, key in reversed(list(enumerate(keys)))}
        wanted = sorted(first.values())
        patience = Patience(self.manners.parallel)
        patience.spoken = self._spoken[0]
        pool = ThreadPoolExecutor(self.manners.parallel)
        with self._client() as client:
            exchange = self._exchange(client, patience)
            try:
                futures = {at: pool.submit(self._answers, exchange, tries[at], partial(enough, at)) for at in wanted}
                found = {at: future.result() for at, future in futures.items()}
            finally:  # after an error, nobody waits for what is left
                patience.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                self._spoken[0] = patience.spoken
        return [found[first[key]] for key in keys]

    @cached_property
    def store(self) -> Store:
        """What was answered and spent before."""
        return Store(self.cache)

    @cached_property
    def purse(self) -> Purse:
        """What may still be spent."""
        return Purse(self.manners.budget, self.store, self.model)

    @cached_property
    def _spoken(self) -> list[bool]:
        """Whether the server has answered anything, over all calls."""
        return [False]

    def _answers(self, exchange: Exchange, tries: Tries, enough: Callable[[Answer], bool]) -> list[Answer]:
        answers = []
        for request in tries:
            answers.append(self._answer(exchange, request))
            if answers[-1].outcome in LATER or enough(answers[-1]):
                break
        return answers

    def _answer(self, exchange: Exchange, request: Request) -> Answer:
        """What is remembered, or else what is said now, which is remembered.

        What went wrong is remembered only where it is the request's doing, that is once the server has answered others.
        """
        key = self._key(request)
        if (known := self.store.answer(key)) is not None:
            return known
        answer = exchange.answer(request)
        final = answer.outcome not in LATER and not self.insist and exchange.patience.spoken
        if answer.outcome in HEARD or final:
            self.store.remember(key, answer)
        return answer

    def _key(self, request: Request) -> str:
        return request_key(self.model, request, self.manners.extra)

    def _exchange(self, client: httpx2.Client, patience: Patience) -> Exchange:
        return Exchange(client, self.url, self.model, self.manners, self.insist, patience, self.purse)

    def _client(self) -> httpx2.Client:
        key = os.environ.get(KEY)
        local = _loopback(urlsplit(self.url).hostname or "")  # a proxy has no business there
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        parallel = self.manners.parallel
        limits = httpx2.Limits(max_connections=parallel, max_keepalive_connections=parallel)
        return httpx2.Client(timeout=self.manners.timeout, headers=headers, trust_env=not local, limits=limits)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
