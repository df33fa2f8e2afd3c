"""A server that speaks the OpenAI protocol on this machine, and misbehaves as often as it is told to.

What goes wrong with a request follows from the seed, the request and how often it came before, not from the clock or
the order of requests.
"""

import hashlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, Self

from tutelage.errors import BadInput

Fault = Literal["none", "refuse", "stall", "truncate", "prose", "bad_json", "limit", "fail", "garble"]
Body = Mapping[str, Any]

PATH: Final = "/v1/chat/completions"
MOST_BYTES: Final = 256 * 2**20
"""Of a request."""
PICTURE_TOKENS: Final = 765
"""What it bills for a picture."""
REFUSAL: Final = "I'm sorry, but I can't help with judging this picture."
PROSE: Final = "This is a lovely picture, and I would give it a rather high mark for everything it does."
BROKEN: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: text.rstrip("} \n"),
    lambda text: text.replace('"', "'").replace("{", "("),
    lambda text: text.replace(":", ""),
    lambda text: text.replace("}", ",,}"),
)
"""Ways in which models get JSON wrong."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How often what goes wrong: shares of the requests, each in [0, 1] and together at most 1."""

    refuse: float = 0.0
    """The model will not answer."""
    stall: float = 0.0
    """Nothing comes, though the request is billed."""
    truncate: float = 0.0
    """The answer ends half-way, at the limit of tokens."""
    prose: float = 0.0
    """Words where JSON was asked for."""
    bad_json: float = 0.0
    """JSON that cannot be read."""
    limit: float = 0.0
    """Status 429, with a time to wait."""
    fail: float = 0.0
    """Status 500, 502 or 503."""
    garble: float = 0.0
    """Status 200 with something that is no chat completion."""
    seed: int = 0

    def __post_init__(self) -> None:
        rates = self.rates()
        if min(rates.values()) < 0 or sum(rates.values()) > 1 + 1e-9:
            raise BadInput(f"{self}: rates are 0 or more, and 1 at most together")

    def rates(self) -> dict[str, float]:
        """Fault → share."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "seed"}

    def __call__(self, digest: str, times: int) -> Fault:
        """What goes wrong with a request that came `times` before."""
        at = number(self.seed, digest, times) / 2**64
        for name, rate in self.rates().items():
            if at < rate:
                return name  # type: ignore[return-value]  # the fields are the faults
            at -= rate
        return "none"


class Asked(NamedTuple):
    """One request that came."""

    digest: str
    """Hash of its body."""
    body: Body
    fault: Fault
    key: str | None
    """The header with the key."""
    tokens_in: int
    tokens_out: int
    """Billed: nothing for one that was turned away."""


class FakeServer:
    """Serves on 127.0.0.1 while it is entered as a context.

    Args:
        say: body of a request → the model's reply.
        faults: (hash of the body, how often it came before) → what goes wrong.
        port: 0: any that is free.
        stall: seconds after which a stalled request is dropped.
        retry_after: the header of status 429, in seconds.
    """

    def __init__(
        self,
        say: Callable[[Body], str | None],
        faults: Callable[[str, int], Fault] = Faults(),
        *,
        port: int = 0,
        stall: float = 600.0,
        retry_after: str = "0",
    ) -> None:
        self.say, self.faults, self.stall, self.retry_after = say, faults, stall, retry_after
        self.log: list[Asked] = []
        self.closing = threading.Event()
        self._times: Counter[str] = Counter()
        self._lock = threading.Lock()
        try:
            self._server = _Server(("127.0.0.1", port), self)
        except (OSError, OverflowError) as error:
            raise BadInput(f"port {port} cannot be served ({error}); give another one") from error
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """What clients are told."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, body: Body, key: str | None) -> tuple[Asked, str | None]:
        """Decide on a request, and what the model says to it."""
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        with self._lock:
            fault = self.faults(digest, self._times[digest])
            self._times[digest] += 1
        turned_away = fault in ("limit", "fail")
        said = None if turned_away else self._said(body, fault, digest)
        bill = (0, 0) if turned_away else (question_tokens(body), tokens(said or ""))
        asked = Asked(digest, body, fault, key, *bill)
        with self._lock:
            self.log.append(asked)
        return asked, said

    def _said(self, body: Body, fault: Fault, digest: str) -> str | None:
        reply = {"refuse": REFUSAL, "prose": PROSE}.get(fault) or self.say(body)
        if fault == "bad_json" and reply is not None:
            return BROKEN[number(digest) % len(BROKEN)](reply)
        return reply[: len(reply) // 2] if fault == "truncate" and reply is not None else reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], fake: FakeServer) -> None:
        self.fake = fake
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless a client hung up, which is expected here."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else headers and body wait for each other for 40 ms

    def do_POST(self) -> None:  # http.server's name
        """Answer a chat completion."""
        body = self._read()
        if self.path != PATH:
            self._send(404, {"error": {"message": f"no {self.path}; there is {PATH}"}})
        elif not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            self._send(400, {"error": {"message": "no JSON object with messages"}})
        else:
            self._reply(*self.server.fake.answer(body, self.headers["authorization"]))

    def _reply(self, asked: Asked, said: str | None) -> None:
        if asked.fault == "stall":
            self.server.fake.closing.wait(self.server.fake.stall)
            self.close_connection = True
        elif asked.fault == "limit":
            self._send(429, {"error": {"message": "slow down"}}, {"retry-after": self.server.fake.retry_after})
        elif asked.fault == "fail":
            self._send((500, 502, 503)[number(asked.digest) % 3], {"error": {"message": "told to fail"}})
        elif asked.fault == "garble":
            self._send(200, ["no chat completion"])
        else:
            self._send(200, completion(asked, said))

    def _read(self) -> Any:
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            return None
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None

    def _send(self, status: int, told: Any, headers: Mapping[str, str] = {}) -> None:
        data = json.dumps(told).encode()
        self.send_response(status)
        sized = {"content-type": "application/json", "content-length": str(len(data))}
        for name, value in {**headers, **sized}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing: `FakeServer.log` has it all."""


def completion(asked: Asked, said: str | None) -> dict[str, Any]:
    """A chat completion as servers send it."""
    refused = asked.fault == "refuse"
    message = {"role": "assistant", "content": None if refused else said, "refusal": said if refused else None}
    end = "length" if asked.fault == "truncate" else "stop"
    usage = {"prompt_tokens": asked.tokens_in, "completion_tokens": asked.tokens_out}
    return {
        "id": f"fake-{asked.digest[:12]}",
        "object": "chat.completion",
        "model": asked.body.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": end}],
        "usage": {**usage, "total_tokens": asked.tokens_in + asked.tokens_out},
    }


def tokens(text: str) -> int:
    """What it counts for a text: about four letters a token."""
    return (len(text) + 3) // 4


def question_tokens(body: Body) -> int:
    """What it counts for the messages of a request."""
    parts = [part for turn in body["messages"] for part in parts_of(turn)]
    pictures = sum("image_url" in part for part in parts)
    return pictures * PICTURE_TOKENS + sum(tokens(str(part.get("text", ""))) for part in parts)


def parts_of(turn: Any) -> list[Any]:
    """The parts of a message: words alone are one."""
    content = turn.get("content") if isinstance(turn, dict) else None
    parts = content if isinstance(content, list) else [{"text": content or ""}]
    return [part for part in parts if isinstance(part, dict)]


def number(*keys: str | int) -> int:
    """A number in [0, 2**64) that follows from the keys."""
    return int.from_bytes(hashlib.sha256(json.dumps(keys).encode()).digest()[:8])
