"""Every experiment from a finished run to JSON and a page, as a user runs it."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tutelage.cli import main
from tutelage.generators.given import Copy
from tutelage.reproduce.claims import FAILS, HOLDS, UNSURE
from tutelage.reproduce.measured import measured
from tutelage.reproduce.settings import Experiment

FLAGS = ["--subjects", "1", "--steps", "2", "--candidates", "2", "--renders", "8", "--device", "cpu", "--workers", "1"]


@pytest.fixture
def reproduce(finished_run: Path, tmp_path: Path) -> Any:
    """(name, flags) → the JSON and the page that the command leaves."""

    def run(name: str, *flags: str) -> tuple[dict[str, Any], str]:
        out, kept = tmp_path / "out", tmp_path / "kept.json"
        told = ["--run", str(finished_run), "--out", str(out), "--json", str(kept), *FLAGS, *flags]
        assert main(["reproduce", name, *told]) == 0
        data = (out / f"{name}.json").read_text(encoding="utf-8")
        assert kept.read_text(encoding="utf-8") == data
        return json.loads(data), (out / f"{name}.html").read_text(encoding="utf-8")

    return run


def words(page: str) -> str:
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_data = found.append  # type: ignore[method-assign]
    parser.feed(page)
    return " ".join(found)


def assert_sound(result: dict[str, Any], page: str, name: str) -> None:
    """What every result says, and that the page shows it with pictures and nothing from outside."""
    assert result["experiment"] == name
    assert result["command"].startswith(f"tutelage reproduce {name} --run ")
    assert result["hardware"]["cores"] >= 1
    assert result["tutelage"]
    assert result["claims"]
    for claim in result["claims"]:
        assert claim["verdict"] in (HOLDS, FAILS, UNSURE)
        assert claim["text"] in words(page)
        if claim["verdict"] == HOLDS:
            assert claim["low"] > claim["least"]
        if claim["verdict"] == FAILS:
            assert claim["high"] < claim["least"]
    assert "data:image/webp;base64," in page
    assert '="http' not in page


@pytest.mark.e2e
def test_the_tables_share_what_is_drawn(
    reproduce: Any, tiny_sd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = (
        "--subjects 2 --beside dream-suti dreambooth null-text imagic copy --tuning.steps 1 --experts.prior.pictures 1 "
    )
    told += "--experts.training.steps 1 --experts.embedding.steps 1 --experts.editing.steps 1"
    flags = ["--base", str(tiny_sd), *told.split()]
    result, page = reproduce("table2", *flags)
    assert_sound(result, page, "table2")
    rows = {(row["row"], row["metric"]): row for row in result["rows"]}
    names = {"student", "re-imagen", "dream-suti", "dreambooth", "null-text", "imagic", "copy", "renders"}
    assert {name for name, _ in rows} == names
    assert rows["copy", "copy"]["value"] == 1
    assert rows["student", "bytes a subject"]["value"] == 0
    assert rows["imagic", "bytes a subject"]["value"] > 5 * rows["dreambooth", "bytes a subject"]["value"]
    assert all((name, "seconds a subject") in rows for name in names - {"copy", "renders"})
    assert {claim["metric"] for claim in result["claims"]} >= {"overall", "times faster than imagic"}
    assert result["students"].keys() == {"student", "re-imagen"}
    assert "0.820" in words(page), "the paper's figure stands beside ours"
    made = json.loads((tmp_path / "out/tables/dreambooth/config.json").read_text())
    assert made["config"]["generator"]["teacher"]["sampling"]["steps"] == 2, "as many as the student"
    drawn = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/tables").glob("*/*.png")}
    result, page = reproduce("table3", *flags)
    assert_sound(result, page, "table3")
    assert "Imagic" not in words(page), "it is of the other table"
    assert {path: path.stat().st_mtime_ns for path in drawn} == drawn
    shown = " ".join(capsys.readouterr().out.split())
    assert "Table 3: Dream-SuTI" in shown
    assert "verdict" in shown
    assert "table3.html" in shown.replace(" ", "")


def test_cosines_are_to_the_demonstrations_and_to_the_prompt(quick: dict[str, Any]) -> None:
    """Of one demonstration, handed back, they are 1; and no picture is a text."""
    found = measured(Experiment(**{**quick, "subjects": 1}), [Copy()], "one", demonstrations=1)
    for metric in ("dino", "clip-i"):
        right, whole = found.sums[metric]["copy"]
        assert right == pytest.approx(whole, abs=1e-5)
        assert found.sums[metric]["renders"][0] < right - 0.01
    rows = {(row.row, row.metric): row for row in found.rows}
    assert rows["copy", "dino"].value == pytest.approx(1)
    assert rows["copy", "clip-t"].value < rows["renders", "clip-t"].value
    assert rows["copy", "clip-t"].n == 5


@pytest.mark.e2e
def test_figure6_goes_from_none_to_five(reproduce: Any) -> None:
    result, page = reproduce("figure6")
    assert_sound(result, page, "figure6")
    assert {row["row"] for row in result["rows"]} == {"renders", *(f"student-{count}" for count in range(6))}
    assert len(result["claims"]) == 7
    assert "Along the line" in page


@pytest.mark.e2e
def test_the_filter_moves_one_limit_at_equal_steps(reproduce: Any) -> None:
    result, page = reproduce("filter", "--thresholds", "0.25", "0.45", "0.65")
    assert_sound(result, page, "filter")
    assert result["students"] == {
        "unfiltered": {"triplets": 8, "steps": 2},
        "delta-0.25": {"triplets": 5, "steps": 2},
        "delta-0.45": {"triplets": 3, "steps": 2},
        "delta-0.65": {"triplets": 1, "steps": 2},
        "as-few": {"triplets": 1, "steps": 2},
    }


@pytest.mark.e2e
def test_the_first_version_stands_beside_the_real_one(reproduce: Any) -> None:
    result, page = reproduce("copy-paste")
    assert_sound(result, page, "copy-paste")
    assert result["students"] == {
        "student": {"triplets": 7, "steps": 2},
        "copy-paste": {"triplets": 6, "steps": 2},
        "named-alone": {"triplets": 6, "steps": 2},
    }
