"""The fake server misbehaves as told, the same way each time."""

import json
import threading
import urllib.error
import urllib.request
from collections import Counter

import pytest

from tutelage.chat.fake_server import BROKEN, FakeServer, Faults
from tutelage.errors import BadInput


def post(url: str, data: bytes) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, data), timeout=10) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_faults_come_at_their_rates_and_follow_from_the_seed() -> None:
    faults = Faults(refuse=0.3, stall=0.1, bad_json=0.2, seed=3)
    drawn = [faults(f"{number}", 0) for number in range(4000)]
    counts = Counter(drawn)
    for name, rate in faults.rates().items():
        assert counts[name] / 4000 == pytest.approx(rate, abs=0.03)
    assert drawn == [Faults(refuse=0.3, stall=0.1, bad_json=0.2, seed=3)(f"{number}", 0) for number in range(4000)]
    assert drawn != [faults(f"{number}", 1) for number in range(4000)]
    assert {Faults(limit=1.0)(f"{number}", 0) for number in range(50)} == {"limit"}


@pytest.mark.parametrize("wrong", [{"refuse": 0.7, "stall": 0.7}, {"fail": -0.1}])
def test_rates_must_be_possible(wrong: dict) -> None:
    with pytest.raises(BadInput, match="1 at most together"):
        Faults(**wrong)


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_json_is_broken(broken) -> None:
    with pytest.raises(ValueError, match="line 1"):
        json.loads(broken('{"reasoning": "fine", "scores": {"prompt": 7}}'))


def test_other_requests_are_turned_away() -> None:
    with FakeServer(lambda body: "x") as server:
        assert post(f"{server.url}/models", b"{}")[0] == 404
        for data in (b"{", b"[]", b'{"messages": 7}'):
            assert post(f"{server.url}/chat/completions", data)[0] == 400
        status, body = post(f"{server.url}/chat/completions", b'{"messages": [{"role": "user", "content": "hello"}]}')
        assert (status, json.loads(body)["choices"][0]["message"]["content"]) == (200, "x")
        assert json.loads(body)["usage"] == {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}
        with pytest.raises(BadInput, match="give another one"):
            FakeServer(lambda body: "x", port=server._server.server_address[1])


def test_it_ends_though_requests_are_stalled() -> None:
    with FakeServer(lambda body: "x", Faults(stall=1.0)) as server:
        url = f"{server.url}/chat/completions"
        errors = []

        def ask() -> None:
            try:
                post(url, b'{"messages": []}')
            except OSError as error:
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not server.log:
            pass
    thread.join(10)
    assert len(errors) == 1
