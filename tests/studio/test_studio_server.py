"""The studio's server without a browser: pictures come in through one way, and nothing names a folder."""

import socket
from pathlib import Path

import pytest
from malformed import animated, damaged, picture, saved, wrong
from starlette.testclient import TestClient
from tiny_run import png, write_bench, write_logs

from tutelage.errors import BadInput
from tutelage.studio import server
from tutelage.studio.command import studio_command
from tutelage.studio.server import application
from tutelage.studio.settings import Studio
from tutelage.studio.uploads import MOST_BYTES

HERE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def client(make_corpus, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    run = tmp_path_factory.mktemp("secret-place") / "run"
    run.mkdir()
    write_logs(run)
    write_bench(run)
    make_corpus(run / "corpus", 6)
    studio = Studio(run=run, student=run / "model", base="toybox-sd", editors=(run / "editor",))
    return TestClient(application(studio), base_url=HERE)


def test_a_picture_comes_in_and_is_shown(client: TestClient) -> None:
    told = client.post("/bring?name=bear.png", content=png("bear")).json()
    assert (told["width"], told["height"]) == (32, 32)
    shown = client.get(f"/picture/{told['key']}")
    assert (shown.content, shown.headers["content-type"]) == (png("bear"), "image/png")


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"", 422, "is empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 422, "no picture of a format"),
        (png("bear")[:300], 422, "damaged or cut short"),
        (b"\0" * (MOST_BYTES + 1), 413, "more than 20 MB"),
    ],
)
def test_what_is_malformed_is_refused_and_the_server_lives(
    client: TestClient, data: bytes, status: int, says: str
) -> None:
    answer = client.post("/bring?name=../../secret/x.png", content=data)
    assert answer.status_code == status
    assert answer.json()["fault"].startswith("x.png ")
    assert says in answer.json()["fault"]
    assert client.get("/picture/none").status_code == 404


def test_hundreds_of_malformed_pictures_get_an_answer_each_and_the_server_lives(client: TestClient) -> None:
    refused = list(wrong())
    for name, data in refused:
        answer = client.post("/bring", params={"name": name}, content=data)
        assert answer.status_code in (413, 422), name
        assert answer.json()["fault"].startswith(f"{name} ")
    unsure = [*damaged(), ("animated", animated("GIF")), ("CMYK", saved(picture().convert("CMYK"), "JPEG"))]
    for name, data in unsure:
        assert client.post("/bring", params={"name": name}, content=data).status_code in (200, 422), name
    assert len(refused) + len(unsure) >= 200
    assert client.get("/config").status_code == 200


def test_pages_name_no_folder_and_no_other_site(client: TestClient) -> None:
    page, config = client.get("/").text, client.get("/config").text
    for text in (page, config):
        assert "secret-place" not in text
        assert str(Path.home()) not in text
    assert "fonts.googleapis" not in page
    report = client.get("/report/run")
    assert report.status_code == 200
    assert "secret" not in report.text
    assert client.get("/report/..%2f..").status_code == 404


def test_gradios_ways_to_files_are_closed(client: TestClient) -> None:
    assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404
    assert client.get(f"/gradio_api/file={__file__}").status_code == 404


def test_sharing_needs_passwords_and_a_run_is_a_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--password-file"):
        studio_command(share_on="0.0.0.0")
    with pytest.raises(BadInput, match="is no run"):
        studio_command(tmp_path)
    with pytest.raises(BadInput, match="--port"):
        studio_command(port=70000)


def test_who_shares_gives_passwords_to_the_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(server, "serve", lambda _, *rest: told.append(rest))
    (tmp_path / "people").write_text("anna:one\n")
    studio_command(share_on="0.0.0.0", port=7000, password_file=tmp_path / "people")
    studio_command()
    assert told == [("0.0.0.0", 7000, {"anna": "one"}), ("127.0.0.1", 7860, None)]


def test_nobody_is_told_that_it_was_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[object] = []

    def looked_up(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise OSError("no names here")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    studio = Studio(student=tmp_path / "student", base=tmp_path / "base")
    opened = TestClient(application(studio), base_url=HERE)
    assert opened.get("/").status_code == 200
    assert opened.get("/config").json()["analytics_enabled"] is False
    assert asked == []
