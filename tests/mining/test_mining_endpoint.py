"""A served model: asked once for each thing, patient with a busy server, plain with a wrong one."""

import base64
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tutelage.errors import BadInput
from tutelage.mining.endpoint import KEY, LOOPBACK, Endpoint, data_url
from tutelage.mining.language import Message, Request, captioner, language_model


def picture(colour: str = "red", form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(file, form)
    return file.getvalue()


def ask(text: str, seed: int = 0) -> Request:
    return Request(messages=(Message(role="system", text="be brief"), Message(role="user", text=text)), seed=seed)


@pytest.fixture
def endpoint(fake_openai, tmp_path: Path) -> Endpoint:
    return replace(Endpoint.at(f"{fake_openai.url}#tiny", tmp_path), pause=0.001)


def test_replies_come_in_order_and_the_model_sees_the_conversation(endpoint: Endpoint, fake_openai) -> None:
    fake_openai.say = lambda body: f" {body['messages'][-1]['content']}! "
    assert endpoint.reply([ask(f"say {n}", seed=n) for n in range(20)]) == [f"say {n}!" for n in range(20)]
    body = next(body for body in fake_openai.asked if body["seed"] == 7)
    assert body["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "say 7"}]
    assert (body["model"], body["temperature"]) == ("tiny", 0.0)


def test_captions_are_asked_with_the_picture(endpoint: Endpoint, fake_openai) -> None:
    fake_openai.say = lambda body: "a red thing"
    assert endpoint.caption([picture()]) == ["a red thing"]
    text, image = fake_openai.asked[0]["messages"][0]["content"]
    assert text["type"] == "text"
    kind, data = image["image_url"]["url"].split(";base64,")
    assert kind == "data:image/png"
    assert base64.b64decode(data) == picture()


@pytest.mark.parametrize(("form", "kind"), [("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("BMP", "image/png")])
def test_rare_formats_are_sent_as_png(form: str, kind: str) -> None:
    url = data_url(picture(form=form))
    assert url.startswith(f"data:{kind};base64,")
    sent = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert sent.size == (8, 6)


def test_what_is_no_picture_is_not_sent() -> None:
    with pytest.raises(BadInput, match="give BMP"):
        data_url(b"<svg/>")


def test_nothing_is_asked_twice(endpoint: Endpoint, fake_openai) -> None:
    first = endpoint.caption([picture(), picture("blue"), picture()])
    assert len(fake_openai.asked) == 2
    assert endpoint.caption([picture("blue"), picture()]) == [first[1], first[0]]
    endpoint.reply([ask("x"), ask("x", seed=1)])
    endpoint.reply([ask("x")])
    assert len(fake_openai.asked) == 4
    replace(endpoint, model="other").reply([ask("x")])
    assert len(fake_openai.asked) == 5


def test_a_busy_server_is_asked_again(endpoint: Endpoint, fake_openai) -> None:
    fake_openai.faults = [(429, {"retry-after": "0"}), (503, {}), (500, {})]
    fake_openai.say = lambda body: "at last"
    assert endpoint.reply([ask("x")]) == ["at last"]


def test_what_was_answered_before_a_failure_is_kept(endpoint: Endpoint, fake_openai) -> None:
    endpoint.reply([ask("x")])
    fake_openai.faults = [(503, {})] * endpoint.tries
    with pytest.raises(BadInput, match=r"did not answer in 5 tries \(status 503\)"):
        endpoint.reply([ask("x"), ask("y")])
    endpoint.reply([ask("x"), ask("y")])
    assert [body["messages"][-1]["content"] for body in fake_openai.asked] == ["x", "y"]


@pytest.mark.parametrize(("status", "says"), [(401, KEY), (404, "check the URL"), (400, "model 'tiny'")])
def test_a_refusal_is_told_at_once(endpoint: Endpoint, fake_openai, status: int, says: str) -> None:
    fake_openai.faults = [(status, {})]
    with pytest.raises(BadInput, match=says):
        endpoint.reply([ask("x")])
    assert fake_openai.asked == []


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    absent = Endpoint(model="m", cache=tmp_path, url="http://127.0.0.1:9", tries=2, pause=0.001)
    with pytest.raises(BadInput, match=r"did not answer in 2 tries \(ConnectError"):
        absent.reply([ask("x")])


@pytest.mark.parametrize("wrap", [lambda text: {"error": text}, lambda text: {"choices": []}, lambda text: [text]])
def test_what_is_no_chat_completion_is_told(endpoint: Endpoint, fake_openai, wrap) -> None:
    fake_openai.wrap = wrap
    with pytest.raises(BadInput, match="no chat completion"):
        endpoint.reply([ask("x")])


def test_a_model_may_say_nothing(endpoint: Endpoint, fake_openai) -> None:
    fake_openai.say = lambda body: None
    assert endpoint.reply([ask("x")]) == [""]


def test_the_key_comes_from_the_environment(endpoint: Endpoint, fake_openai, monkeypatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    endpoint.reply([ask("x")])
    monkeypatch.setenv(KEY, "secret")
    endpoint.reply([ask("y")])
    assert fake_openai.keys == [None, "Bearer secret"]
    assert not any(b"secret" in path.read_bytes() for path in endpoint.cache.rglob("*.json"))


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


def test_endpoints_go_by_their_address(tmp_path: Path) -> None:
    for made in (captioner(f"{LOOPBACK}/#m", tmp_path), language_model(f"{LOOPBACK}#m", tmp_path)):
        assert made == Endpoint(model="m", cache=tmp_path)
