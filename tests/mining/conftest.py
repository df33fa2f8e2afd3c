"""A server that speaks as much of the OpenAI protocol as a client of ours does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class FakeOpenAI(ThreadingHTTPServer):
    """Answers every chat completion with `say(body)`; before that, once each, with the `faults` (status, headers)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict] = []
        self.keys: list[str | None] = []
        self.faults: list[tuple[int, dict[str, str]]] = []
        self.say = lambda body: f"answer to {json.dumps(body['messages'])[-20:]}"
        self.wrap = lambda text: {"choices": [{"message": {"role": "assistant", "content": text}}]}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: FakeOpenAI

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.keys.append(self.headers["authorization"])
        if self.path != "/v1/chat/completions":
            return self._send(404, {}, {"error": "no such path"})
        if self.server.faults:
            status, headers = self.server.faults.pop(0)
            return self._send(status, headers, {"error": "told to fail"})
        self.server.asked.append(body)
        return self._send(200, {}, self.server.wrap(self.server.say(body)))

    def _send(self, status: int, headers: dict[str, str], body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(data)), "content-type": "application/json"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake_openai() -> Iterator[FakeOpenAI]:
    server = FakeOpenAI()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
