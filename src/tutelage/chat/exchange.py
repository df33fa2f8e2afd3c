"""One request to a server: sent, sent again while the server is busy, and its answer understood."""

import json
import time
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import httpx2

from tutelage.chat.base import Answer, Request, mended
from tutelage.chat.pictures import data_url
from tutelage.chat.purse import Purse
from tutelage.chat.settings import Manners
from tutelage.chat.waiting import Patience, pause, retry_after
from tutelage.errors import BadInput

KEY: Final = "TUTELAGE_API_KEY"
"""Environment variable with the key to send, if one is needed."""
BUSY: Final = (408, 409, 425, 429, 500, 502, 503, 504)
"""Statuses that pass by themselves."""
WRONG: Final = (401, 403, 404, 405)
"""Statuses that no request to this server will escape."""
MOST_BYTES: Final = 8 * 2**20
"""Of an answer; what is longer is cut off unread."""

MOST_TOKENS: Final = 2**40
"""Of one request; a server that counts more is not believed."""

Usage = tuple[int, int]
"""Tokens of the question and of the answer."""


class Late(Exception):  # what happened, as with TimeoutError's own children
    """An answer did not come in time."""


class Reply(NamedTuple):
    """What a server sent."""

    status: int
    retry_after: float
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """Requests to one server, from any number of threads."""

    client: httpx2.Client
    url: str
    model: str
    manners: Manners
    insist: bool
    """See `Endpoint.insist`."""
    patience: Patience
    purse: Purse

    def answer(self, request: Request) -> Answer:
        """The answer to one request.

        Raises:
            BadInput: the server wants a key, knows no such model or URL, or has been silent for long.
        """
        answer = self._attempts(request)
        if answer.outcome in ("said", "cut", "refused"):
            self.patience.heard()
        elif answer.outcome != "unaffordable":
            self.patience.silent(answer.why)
        return answer

    def _attempts(self, request: Request) -> Answer:
        body = json.dumps(self._body(request)).encode()
        why, wait = "", 0.0
        for attempt in range(self.manners.attempts):
            self.patience.wait(wait)
            if self.patience.stopped:
                return Answer(outcome="unreachable", why="stopped")
            found = self._attempt(request, body)
            if not isinstance(found, str):
                return found
            why, wait = found, pause(self.manners.pause, attempt)
        told = f"{self.url} did not answer in {self.manners.attempts} tries ({why}); start it, then run again to resume"
        return Answer(outcome="unreachable", why=told)

    def _attempt(self, request: Request, body: bytes) -> Answer | str:
        """An answer, or why to try again."""
        most = self.purse.most(request)
        if not self.purse.take(most):
            return Answer(outcome="unaffordable", why="the budget is spent")
        used: Usage | None = None
        try:
            reply = self._send(body)
            found, used = self._understood(reply)
            return found
        except Late:
            why = f"no answer in {self.manners.timeout:g} seconds"
            return why if self.insist else Answer(outcome="stalled", why=why)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            used = (0, 0)  # it was never sent
            return f"{type(error).__name__} {error}".strip()
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return f"{type(error).__name__} {error}".strip()
        finally:
            self.purse.settle(most, used)

    def _send(self, body: bytes) -> Reply:
        """The server's answer, all of it within the time given: one that trickles is late too."""
        until = time.monotonic() + self.manners.timeout
        headers = {"content-type": "application/json"}
        try:
            with self.client.stream("POST", f"{self.url}/chat/completions", content=body, headers=headers) as reply:
                read = bytearray()
                for part in reply.iter_bytes():
                    read += part
                    if time.monotonic() > until:
                        raise Late
                    if len(read) > MOST_BYTES:
                        break
                return Reply(reply.status_code, retry_after(reply.headers.get("retry-after", "")), bytes(read))
        except (httpx2.ReadTimeout, httpx2.WriteTimeout) as error:
            raise Late from error

    def _understood(self, reply: Reply) -> tuple[Answer | str, Usage | None]:
        """An answer or why to try again, and what it cost; a request that was turned down costs nothing."""
        told = " ".join(mended(reply.body.decode("utf-8", "replace")).split())[:200]
        if reply.status in BUSY:
            return self._busy(reply), (0, 0)
        if reply.status in WRONG:
            hint = f"set {KEY}" if reply.status in (401, 403) else f"check the URL and the model '{self.model}'"
            raise BadInput(f"{self.url} refuses (status {reply.status}: {told}); {hint}")
        if not 200 <= reply.status < 300:
            why = f"{self.url} refuses (status {reply.status}: {told}); check the URL and the model '{self.model}'"
            return Answer(outcome="rejected", why=why), (0, 0)
        return completion(reply.body, self.url)

    def _busy(self, reply: Reply) -> Answer | str:
        if reply.retry_after > self.manners.patience:
            why = f"{self.url} wants to be left alone for {reply.retry_after:.0f} seconds; run again later to resume"
            return Answer(outcome="unreachable", why=why)
        self.patience.hold(reply.retry_after)
        return f"status {reply.status}"

    def _body(self, request: Request) -> dict[str, Any]:
        messages = [{"role": turn.role, "content": _content(turn.text, turn.pictures)} for turn in request.messages]
        limits = {"seed": request.seed, "temperature": request.temperature, "max_tokens": request.longest}
        merged = {"model": self.model, "messages": messages, **limits, **self.manners.fields()}
        return {name: value for name, value in merged.items() if value is not None}


def completion(body: bytes, url: str) -> tuple[Answer, Usage | None]:
    """The answer in the body of a chat completion, and the tokens it says it used."""
    try:
        told = json.loads(body)
        choice = told["choices"][0]
        message = choice["message"]
        text, refusal = _text(message.get("content")), _text(message.get("refusal"))
        end = choice.get("finish_reason")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        why = f"{url} answers with something that is no chat completion; is it the right URL?"
        return Answer(outcome="garbled", why=why), None
    if refusal or end == "content_filter":
        return Answer(outcome="refused", text=refusal or text), _usage(told)
    if end == "length":
        return Answer(outcome="cut", text=text), _usage(told)
    return Answer(outcome="said" if text else "refused", text=text), _usage(told)


def _text(content: Any) -> str:
    """A message's content: words, nothing, or a list of parts of which some are words."""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type") == "text")
    if content is None:
        return ""
    if not isinstance(content, str):
        raise TypeError("a message is words")
    return mended(content).strip()


def _usage(told: Any) -> Usage | None:
    """What the server says it counted; None if it says nothing that can be believed."""
    usage = told.get("usage")
    if not isinstance(usage, dict):
        return None
    asked, said = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if type(asked) is not int or type(said) is not int or not (0 <= asked < MOST_TOKENS and 0 <= said < MOST_TOKENS):
        return None
    return asked, said


def _content(text: str, pictures: tuple[bytes, ...]) -> str | list[dict[str, Any]]:
    """Words alone as they are, for servers that know no more; pictures first, in their order."""
    if not pictures:
        return mended(text)
    shown = [{"type": "image_url", "image_url": {"url": data_url(picture)}} for picture in pictures]
    return [*shown, {"type": "text", "text": mended(text)}]
