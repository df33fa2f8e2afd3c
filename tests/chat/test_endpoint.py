"""A served model: asked once for each thing, patient with a busy server, plain with a wrong one."""

import base64
import io
import json
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tutelage.chat.base import Answer, Message, Request, ask_once
from tutelage.chat.endpoint import LOOPBACK, Endpoint
from tutelage.chat.exchange import KEY, completion
from tutelage.chat.fake_server import PICTURE_TOKENS, REFUSAL, FakeServer
from tutelage.chat.pictures import data_url
from tutelage.chat.settings import Budget, Manners
from tutelage.chat.store import FILE
from tutelage.errors import BadInput
from tutelage.mining.language import captioner, language_model
from tutelage.mining.talker import Talker

QUICK = Manners(pause=0.001)


def picture(colour: str = "red", form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(file, form)
    return file.getvalue()


def ask(text: str, seed: int = 0, pictures: tuple[bytes, ...] = ()) -> Request:
    told = (Message(role="system", text="be brief"), Message(role="user", text=text, pictures=pictures))
    return Request(messages=told, seed=seed)


def last_text(body: dict) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


@pytest.fixture
def endpoint(server: FakeServer, tmp_path: Path) -> Endpoint:
    return Endpoint.at(f"{server.url}#tiny", tmp_path, QUICK)


def texts(endpoint: Endpoint, *requests: Request) -> list[str]:
    return [answer.text for answer in ask_once(endpoint, requests)]


# --- what is said -----------------------------------------------------------------------------------------------------


def test_replies_come_in_order_and_the_model_sees_the_conversation(endpoint: Endpoint, server: FakeServer) -> None:
    server.say = lambda body: f" {last_text(body)}! "
    assert texts(endpoint, *(ask(f"say {n}", seed=n) for n in range(20))) == [f"say {n}!" for n in range(20)]
    body = next(asked.body for asked in server.log if asked.body["seed"] == 7)
    assert body["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "say 7"}]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("tiny", 0.0, 128)


def test_pictures_are_shown_in_order_before_the_words(endpoint: Endpoint, server: FakeServer) -> None:
    texts(endpoint, ask("which?", pictures=(picture("red"), picture("blue"))))
    first, second, words = server.log[0].body["messages"][-1]["content"]
    assert words == {"type": "text", "text": "which?"}
    for part, colour in ((first, "red"), (second, "blue")):
        kind, data = part["image_url"]["url"].split(";base64,")
        assert (kind, base64.b64decode(data)) == ("data:image/png", picture(colour))


@pytest.mark.parametrize(("form", "kind"), [("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("BMP", "image/png")])
def test_rare_formats_are_sent_as_png(form: str, kind: str) -> None:
    url = data_url(picture(form=form))
    assert url.startswith(f"data:{kind};base64,")
    assert Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).size == (8, 6)


def test_what_is_no_picture_is_not_sent(endpoint: Endpoint, server: FakeServer) -> None:
    with pytest.raises(BadInput, match="give BMP"):
        texts(endpoint, ask("what?", pictures=(b"<svg/>",)))
    assert server.log == []


def test_halves_of_characters_go_neither_out_nor_in(endpoint: Endpoint, server: FakeServer) -> None:
    server.say = lambda body: "a \ud83d bear \ud83d\ude00"
    (said,) = texts(endpoint, ask("a \udc00 toy \ud83d\ude00"))
    assert said == "a � bear \N{GRINNING FACE}"
    assert last_text(server.log[0].body) == "a � toy \N{GRINNING FACE}"
    said.encode()


def test_a_server_may_want_other_fields(endpoint: Endpoint, server: FakeServer) -> None:
    extra = '{"max_tokens": null, "max_completion_tokens": 9, "top_p": 0.5}'
    texts(replace(endpoint, manners=replace(QUICK, extra=extra)), ask("x"))
    body = server.log[0].body
    assert "max_tokens" not in body
    assert (body["max_completion_tokens"], body["top_p"]) == (9, 0.5)


@pytest.mark.parametrize("extra", ["{", "[1]", "7"])
def test_other_fields_are_an_object(extra: str) -> None:
    with pytest.raises(BadInput, match="give"):
        Manners(extra=extra)


# --- what is asked, and how often -------------------------------------------------------------------------------------


def test_nothing_is_asked_twice(endpoint: Endpoint, server: FakeServer) -> None:
    red, blue = (ask("what?", pictures=(picture(colour),)) for colour in ("red", "blue"))
    texts(endpoint, red, blue, red)
    assert len(server.log) == 2
    again = replace(endpoint)  # as another process
    texts(again, blue, red)
    assert len(server.log) == 2
    texts(again, ask("what?", seed=1, pictures=(picture("red"),)))
    texts(replace(endpoint, model="other"), red)
    assert len(server.log) == 4


def test_tries_go_on_until_one_will_do(endpoint: Endpoint, server: FakeServer) -> None:
    server.say = lambda body: str(body["seed"])
    tries = [[ask(name, seed=seed) for seed in range(3)] for name in ("a", "b")]
    answers = endpoint.ask(tries, lambda at, answer: answer.text == str(at))
    assert [[answer.text for answer in one] for one in answers] == [["0"], ["0", "1"]]
    assert len(server.log) == 3


def test_a_busy_server_is_asked_again(endpoint: Endpoint, server: FakeServer) -> None:
    server.faults.faults = ["limit", "fail", "limit"]
    assert texts(endpoint, ask("x")) == ["answer to 0"]
    assert len(server.log) == 4


def test_everybody_waits_as_long_as_the_server_asks(endpoint: Endpoint, server: FakeServer) -> None:
    server.faults.faults, server.retry_after = ["limit"], "1"
    alone = replace(endpoint, manners=replace(QUICK, parallel=1))
    started = time.monotonic()
    texts(alone, ask("x"), ask("y"))
    assert time.monotonic() - started > 0.9


def test_a_server_that_wants_to_be_left_alone_for_long_is_left_alone(endpoint: Endpoint, server: FakeServer) -> None:
    server.faults.faults, server.retry_after = ["limit"], "86400"
    (answer,) = ask_once(endpoint, [ask("x")])
    assert answer.outcome == "unreachable"
    assert "for 86400 seconds" in answer.why


def test_what_was_answered_before_a_failure_is_kept(endpoint: Endpoint, server: FakeServer) -> None:
    texts(endpoint, ask("x"))
    server.faults.faults = ["fail"] * QUICK.attempts
    failed = ask_once(endpoint, [ask("x"), ask("y")])[1]
    assert failed.outcome == "unreachable"
    assert "did not answer in 6 tries (status 50" in failed.why
    texts(endpoint, ask("x"), ask("y"))
    assert [last_text(asked.body) for asked in server.log if asked.fault == "none"] == ["x", "y"]


def test_a_stalled_request_is_sent_again_or_is_the_answer(endpoint: Endpoint, server: FakeServer) -> None:
    patient = replace(endpoint, manners=replace(QUICK, timeout=0.2))
    server.faults.faults = ["stall"]
    assert texts(patient, ask("x")) == ["answer to 0"]
    brisk = replace(patient, insist=False)
    texts(brisk, ask("first, so that the server has spoken"))
    server.faults.faults = ["stall"]
    (answer,) = ask_once(brisk, [ask("y")])
    assert answer == Answer(outcome="stalled", why="no answer in 0.2 seconds")
    before = len(server.log)
    assert ask_once(replace(brisk), [ask("y")]) == [answer]
    assert len(server.log) == before


def test_an_answer_that_trickles_is_late(tmp_path: Path) -> None:
    """Each byte comes in time, and all of them would take for ever."""
    listener, done = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def trickle() -> None:
        taken, _ = listener.accept()
        taken.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while not done.wait(0.05):
            try:
                taken.sendall(b" ")
            except OSError:
                break
        taken.close()

    thread = threading.Thread(target=trickle)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    slow = Endpoint(model="m", url=url, manners=replace(QUICK, timeout=0.3), insist=False)
    (answer,) = ask_once(slow, [ask("x")])
    done.set()
    thread.join()
    listener.close()
    assert answer.outcome == "stalled"


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_refusals_cut_answers_and_silence_are_told_apart(endpoint: Endpoint, server: FakeServer) -> None:
    alone = replace(endpoint, manners=replace(QUICK, parallel=1))
    server.faults.faults = ["refuse", "truncate", "garble", "none"]
    server.say = lambda body: "" if body["seed"] == 3 else "a long answer"
    said = ask_once(alone, [ask("x", seed=seed) for seed in range(4)])
    assert [(one.outcome, one.text) for one in said] == [
        ("refused", REFUSAL),
        ("cut", "a long"),
        ("garbled", ""),
        ("refused", ""),
    ]
    assert "no chat completion" in said[2].why


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": 7}}]}', b"[" * 100_000],
)
def test_what_is_no_chat_completion_is_told(body: bytes) -> None:
    answer, usage = completion(body, "http://host/v1")
    assert (answer.outcome, usage) == ("garbled", None)


def test_parts_are_joined_and_usage_must_be_counts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "thinking"}, {"type": "text", "text": "b"}]
    told = {"choices": [{"message": {"content": parts}}], "usage": {"prompt_tokens": 3, "completion_tokens": -1}}
    answer, usage = completion(json.dumps(told).encode(), "url")
    assert (answer.text, usage) == ("ab", None)


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    absent = Endpoint(model="m", cache=tmp_path, url="http://127.0.0.1:9", manners=replace(QUICK, attempts=2))
    (answer,) = ask_once(absent, [ask("x")])
    assert answer.outcome == "unreachable"
    assert "did not answer in 2 tries (ConnectError" in answer.why
    with pytest.raises(BadInput, match=r"ConnectError.* requests in a row came to nothing"):
        ask_once(absent, [ask("x", seed=seed) for seed in range(1000)])
    assert absent.purse.spent.tokens_in == 0


def test_what_went_wrong_before_the_server_spoke_is_not_held_against_the_request(
    endpoint: Endpoint, server: FakeServer
) -> None:
    brisk = replace(endpoint, insist=False)
    server.faults.faults = ["garble"]
    assert ask_once(brisk, [ask("x")])[0].outcome == "garbled"
    assert texts(brisk, ask("x")) == ["answer to 0"]


def test_an_unknown_path_is_told_at_once(server: FakeServer) -> None:
    with pytest.raises(BadInput, match="check the URL"):
        texts(Endpoint.at(f"{server.url}/wrong#m"), ask("x"))


def test_the_key_comes_from_the_environment(endpoint: Endpoint, server: FakeServer, monkeypatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    texts(endpoint, ask("x"))
    monkeypatch.setenv(KEY, "secret")
    texts(endpoint, ask("y"))
    assert [asked.key for asked in server.log] == [None, "Bearer secret"]
    endpoint.store.close()
    assert b"secret" not in (endpoint.cache / FILE).read_bytes()


def test_a_key_does_not_travel_in_the_clear(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(KEY, "secret")
    with pytest.raises(BadInput, match="unencrypted"):
        Endpoint.at("http://models.example/v1#m", tmp_path)
    for url in ("https://models.example/v1", "http://localhost:8000/v1", "http://[::1]:8000/v1"):
        assert Endpoint.at(f"{url}#m", tmp_path).url == url


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000/v1", "ftp://host/v1#m", "http:///v1#m", "://#m"])
def test_an_endpoint_needs_url_and_model(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give its URL and model"):
        Endpoint.at(address, tmp_path)


# --- money ------------------------------------------------------------------------------------------------------------


def cost_of(server: FakeServer, budget: Budget) -> float:
    tokens_in, tokens_out = (sum(getattr(asked, name) for asked in server.log) for name in ("tokens_in", "tokens_out"))
    return (tokens_in * budget.price_in + tokens_out * budget.price_out) / 1e6


@pytest.mark.parametrize(
    "budget",
    [
        Budget(requests=5),
        Budget(tokens=10_000, picture_tokens=PICTURE_TOKENS),
        Budget(cost=0.02, price_in=2, price_out=8, picture_tokens=PICTURE_TOKENS),
    ],
)
def test_no_more_is_spent_than_was_given(endpoint: Endpoint, server: FakeServer, budget: Budget) -> None:
    frugal = replace(endpoint, manners=replace(QUICK, budget=budget))
    asked = [ask("what?", seed=seed, pictures=(picture(),)) for seed in range(40)]
    outcomes = [answer.outcome for answer in ask_once(frugal, asked)]
    assert 0 < outcomes.count("said") < 40
    assert outcomes.count("said") + outcomes.count("unaffordable") == 40
    spent = frugal.purse.spent
    assert (spent.requests, frugal.purse.cost) == (len(server.log), pytest.approx(cost_of(server, budget)))
    assert spent.requests <= (budget.requests or 40)
    assert spent.tokens_in + spent.tokens_out <= (budget.tokens or 10**6)
    assert frugal.purse.cost <= (budget.cost or 10)
    sent = len(server.log)
    ask_once(replace(frugal), asked)  # another process has no budget of its own
    assert len(server.log) == sent
    richer = replace(frugal, manners=QUICK)
    assert {answer.outcome for answer in ask_once(richer, asked)} == {"said"}
    assert len(server.log) == 40


def test_what_nobody_can_say_is_counted_as_the_most_it_can_be(endpoint: Endpoint, server: FakeServer) -> None:
    brisk = replace(endpoint, manners=replace(QUICK, timeout=0.2, attempts=1), insist=False)
    server.faults.faults = ["stall"]
    request = ask("x", pictures=(picture(),))
    ask_once(brisk, [request])
    most = brisk.purse.most(request)
    assert brisk.purse.spent[1:] == (most.tokens_in, most.tokens_out)
    assert most.tokens_in >= server.log[0].tokens_in


def test_a_server_that_counts_more_for_pictures_is_believed(endpoint: Endpoint, server: FakeServer) -> None:
    low = replace(endpoint, manners=replace(QUICK, budget=Budget(picture_tokens=10)))
    request = ask("x", pictures=(picture(),))
    assert low.purse.most(request).tokens_in < PICTURE_TOKENS
    ask_once(low, [request])
    assert low.purse.most(request).tokens_in >= PICTURE_TOKENS


@pytest.mark.parametrize(
    "wrong", [{"requests": -1}, {"cost": 1.0}, {"cost": float("nan"), "price_in": 1.0}, {"picture_tokens": -1}]
)
def test_a_budget_makes_sense(wrong: dict) -> None:
    with pytest.raises(BadInput, match="budget"):
        Budget(**wrong)


# --- as captioner and language model ----------------------------------------------------------------------------------


def test_endpoints_go_by_their_address(tmp_path: Path) -> None:
    for made in (captioner(f"{LOOPBACK}/#m", tmp_path), language_model(f"{LOOPBACK}#m", tmp_path)):
        assert made == Talker(Endpoint(model="m", cache=tmp_path))


def test_a_talker_captions_and_replies(endpoint: Endpoint, server: FakeServer) -> None:
    talker = Talker(endpoint)
    server.say = lambda body: "a red thing"
    assert talker.caption([picture(), picture()]) == ["a red thing"] * 2
    assert len(server.log) == 1
    server.faults.faults = ["refuse"]
    assert talker.reply([ask("x")]) == [""]
    server.faults.faults = ["fail"] * QUICK.attempts
    with pytest.raises(BadInput, match="did not answer in 6 tries"):
        talker.reply([ask("y")])
