"""Benches of photographs with a served model as the rater."""

import json
from pathlib import Path
from typing import Any

import pytest

from made_dreambench import write_dreambench, write_plus
from tutelage.chat.fake_server import FakeServer
from tutelage.cli import main


@pytest.fixture
def networks(tiny_vit: Path, tiny_clip: Path) -> list[str]:
    return ["--dino", str(tiny_vit), "--clip", str(tiny_clip), "--device", "cpu"]


def say(body: Any) -> str:
    """Three for prompts and one for everything else."""
    return json.dumps({"scores": [3 if "prompt_following" in json.dumps(body["messages"][-1]) else 1]})


def rows_of(path: Path) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


@pytest.mark.e2e
def test_dreambench_plus_by_a_served_model(
    tmp_path: Path, networks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each question is asked once, and never again; how well a copy keeps the subject is one, whatever the prompt."""
    data, json_file = write_plus(tmp_path / "plus"), tmp_path / "rows.json"
    told = ["bench", "dreambench_plus", str(data), "--out", str(tmp_path / "out"), *networks, "--repeats", "2"]
    with FakeServer(say) as server:
        command = [*told, "--rater", f"{server.url}#fake", "--json", str(json_file)]
        for _ in range(2):
            assert main(command) == 0
            assert len(server.log) == 2 * (2 + 18)
    rows = rows_of(json_file)
    assert (rows["CP"]["value"], rows["PF"]["value"], rows["CP x PF"]["value"]) == (0.25, 0.75, 0.25 * 0.75)
    assert "rated by fake (prompt " in rows["CP"]["protocol"]
    assert "rated by fake" in " ".join(capsys.readouterr().out.split())


@pytest.mark.e2e
def test_why_a_served_model_gave_no_mark_is_told(
    tmp_path: Path, networks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    data, json_file = write_dreambench(tmp_path / "dreambench"), tmp_path / "rows.json"
    told = ["bench", "dreambench_v2", str(data), "--out", str(tmp_path / "out"), *networks, "--subjects", "red_boot"]
    with FakeServer(say, lambda *_: "refuse") as server:
        assert main([*told, "--rater", f"{server.url}#fake", "--json", str(json_file)]) == 0
    rows = rows_of(json_file)
    assert (rows["overall"]["value"], rows["overall"]["n"], rows["overall"]["missing"]) == (None, 0, 6)
    assert [rows[f"unrated: {name}: refused"]["missing"] for name in ("subject", "text", "photorealism")] == [6] * 3
    assert "6 of 6 unrated: text: refused" in " ".join(capsys.readouterr().out.split())


def test_two_raters_are_one_too_many(tmp_path: Path, networks: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    data = write_plus(tmp_path / "plus")
    told = ["bench", "dreambench_plus", str(data), "--out", str(tmp_path / "out"), *networks]
    assert main([*told, "--rater", "http://127.0.0.1:1/v1#fake", "--ratings", "scores.jsonl"]) == 2
    assert "--rater and --ratings: give one of them" in capsys.readouterr().err
    assert main([*told, "--rater", "http://127.0.0.1:1/v1"]) == 2
    assert "is no endpoint" in capsys.readouterr().err
