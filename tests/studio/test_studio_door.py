"""Who may come in: this machine alone, or whoever knows a password; nothing from other sites."""

import base64
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tutelage.errors import BadInput
from tutelage.studio.door import Door, read_passwords


async def welcome(request: Request) -> PlainTextResponse:
    return PlainTextResponse("in")


def client(passwords: dict[str, str] | None = None, host: str = "127.0.0.1:7860") -> TestClient:
    app = Starlette(routes=[Route("/{path:path}", welcome, methods=["GET", "POST"])])
    return TestClient(Door(app, passwords), base_url=f"http://{host}")


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:1", "LOCALHOST", "[::1]:7860"])
def test_this_machine_is_answered(host: str) -> None:
    assert client(host="127.0.0.1").get("/", headers={"Host": host}).text == "in"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:7860", "", "[::1"])
def test_another_name_is_not(host: str) -> None:
    try:
        assert client().get("/", headers={"Host": host}).status_code == 403
    except ValueError:
        assert host == "[::1"


def test_another_sites_page_cannot_post() -> None:
    inside = client()
    assert inside.post("/", headers={"Origin": "http://evil.example"}).status_code == 403
    assert inside.post("/", headers={"Origin": "null"}).status_code == 403
    assert inside.post("/", headers={"Origin": "http://127.0.0.1:7860"}).text == "in"
    assert inside.post("/").text == "in"


def test_with_passwords_one_must_know_one() -> None:
    outside = client({"anna": "secret", "bea": "ä:b"}, host="studio.example")
    asked = outside.get("/")
    assert asked.status_code == 401
    assert "Basic" in asked.headers["WWW-Authenticate"]
    assert outside.get("/", headers=basic("anna", "secret")).text == "in"
    assert outside.get("/", headers=basic("bea", "ä:b")).text == "in"
    for headers in (
        basic("anna", "ä:b"),
        basic("cleo", ""),
        basic("", ""),
        {"Authorization": "Basic ???"},
        {"Authorization": "Bearer x"},
    ):
        assert outside.get("/", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "path", ["/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/gradio_api/file/etc/passwd", "/file=x", "/gradio_api/proxy=http://x",
             "/gradio_api/component_server", "//gradio_api//upload"]
)  # fmt: skip
def test_ways_to_files_are_closed(path: str) -> None:
    assert client().get(path).status_code == 404
    assert client().post(path).status_code == 404


def test_browsers_are_told_what_they_may_load() -> None:
    headers = client().get("/").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_passwords_are_read(tmp_path: Path) -> None:
    file = tmp_path / "people"
    file.write_text("anna:one\n\nbea:two:three\n")
    assert read_passwords(file) == {"anna": "one", "bea": "two:three"}


@pytest.mark.parametrize(
    ("text", "says"), [("", "no passwords"), ("anna", "line 1"), ("a:b\n:c", "line 2"), ("a:b\na:c", "line 2")]
)
def test_a_wrong_password_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "people"
    file.write_text(text)
    with pytest.raises(BadInput, match=says):
        read_passwords(file)
    with pytest.raises(BadInput, match="cannot be read"):
        read_passwords(tmp_path / "nowhere")
