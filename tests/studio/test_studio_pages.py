"""What pages are told: no paths; runs as far as they are; pictures by what they hold."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_run import write_bench, write_logs

from tutelage.errors import BadInput
from tutelage.studio.paths import told, without_folders, without_paths
from tutelage.studio.pictures import Pictures
from tutelage.studio.reports import report_of
from tutelage.studio.runs_tab import RunsPage
from tutelage.studio.settings import Studio
from tutelage.studio.watching import rate, watch

NAME = st.text(alphabet="abcXYZ019_-", min_size=1, max_size=8)


@given(parts=st.lists(NAME, min_size=2, max_size=5), before=st.sampled_from(["", "in ", "'", "(", "see: "]))
def test_no_folder_of_a_path_is_told(parts: list[str], before: str) -> None:
    path = "/" + "/".join(parts)
    assert without_paths(f"{before}{path} is none") == f"{before}{parts[-1]} is none"


@pytest.mark.parametrize(
    "text", ["https://example.com/a/b/c", "3/4 of it", "and/or", "suti/model", "</p></div>", "a/b/c"]
)
def test_what_is_no_path_is_told_as_it_is(text: str) -> None:
    assert without_paths(text) == text


def test_an_error_is_told_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        watch(tmp_path / "nowhere")
    assert str(tmp_path) in str(error.value)
    assert told(error.value).startswith("config.json cannot be read")


def test_a_page_is_told_without_folders(tmp_path: Path) -> None:
    page = f"<p>{tmp_path}/x</p><img src='data:image/png;base64,+/ab/cd'>"
    assert without_folders(page, (tmp_path,)) == f"<p>{tmp_path.name}/x</p><img src='data:image/png;base64,+/ab/cd'>"


def test_pictures_go_by_what_they_hold_and_the_oldest_go_first() -> None:
    pictures = Pictures(most=10)
    first, second = pictures.add(b"aaaa"), pictures.add(b"bbbb")
    assert pictures.add(b"aaaa") == first
    third = pictures.add(b"cccc")
    assert (pictures.get(first), pictures.get(second), pictures.get(third)) == (b"aaaa", None, b"cccc")
    assert pictures.url(b"cccc") == f"picture/{third}"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "suti"
    folder.mkdir()
    write_logs(folder)
    return folder


def test_a_run_is_watched_from_its_logs(run: Path) -> None:
    found = watch(run)
    stages = {stage.name: stage for stage in found.stages}
    assert list(stages) == ["Mining", "Prompts", "Experts"]
    assert stages["Experts"].share == pytest.approx(0.75)
    assert stages["Experts"].count == "18 triplets, 15 kept"
    assert stages["Experts"].rate == "36.0 triplets a minute, 10 s left"
    assert found.state(found.latest + 5).startswith("at work")
    assert found.state(found.latest + 3600).startswith("quiet for 1 h")


def test_its_student_has_a_curve_and_a_time(run: Path) -> None:
    student = run / "student"
    student.mkdir()
    (student / "config.json").write_text(json.dumps({"config": {"schedule": {"steps": 100}}}))
    rows = [{"step": 10 * n, "loss": 1 / (n + 1), "time": 2000.0 + n} for n in range(6)]
    (student / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"step": 60, "lo')
    found = watch(run)
    stage = found.stages[-1]
    assert (stage.name, stage.share, stage.count) == ("Student", 0.5, "step 50 of 100")
    assert stage.rate == "10.0 steps a second, 5.0 s left"
    assert found.steps.tolist() == [0, 10, 20, 30, 40, 50]
    assert found.latest == 2005


def test_a_finished_run_is_done(run: Path) -> None:
    write_bench(run, 3)
    ended = [
        {"stage": "teach", "triplets": 18, "kept": 15},
        {"stage": "learn", "steps": 9},
        {"stage": "bench", "pictures": 6},
    ]
    with (run / "log.jsonl").open("a") as file:
        file.writelines(json.dumps(row | {"time": 3000.0}) + "\n" for row in ended)
    found = watch(run)
    assert found.state(time.time()) == "done"
    assert [stage.count for stage in found.stages[-2:]] == ["9 steps", "6 pictures"]


def log(folder: Path, *rows: dict[str, object]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / "log.jsonl").open("a") as file:
        file.writelines(json.dumps(row | {"time": 100.0 + at}) + "\n" for at, row in enumerate(rows))


@pytest.mark.parametrize(
    ("config", "before", "last"),
    [
        ({"ordering": {}, "bench": None}, [{"stage": "caption", "pictures": 4}, {"stage": "order", "assignments": 8}],
         [{"stage": "teach", "triplets": 8, "kept": 5}, {"stage": "learn", "steps": 3}]),
        ({"refinement": {}}, [{"stage": "take", "pairs": 8, "kept": 5}], [{"stage": "refine", "pairs": 8, "kept": 6}]),
    ],
)  # fmt: skip
def test_runs_that_edit_and_refine_are_watched_to_their_end(
    tmp_path: Path, config: dict[str, object], before: list[dict[str, object]], last: list[dict[str, object]]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"recipe": "it", "config": config}))
    log(tmp_path, *before)
    log(tmp_path / "taught", *({"assignments": 2, "triplets": 2, "kept": 1} for _ in range(3)))
    making = watch(tmp_path).stages[-1]
    assert (making.share, making.count) == (0.75, "6 triplets, 3 kept")
    assert making.rate == "2.0 triplets a second, 1.0 s left"
    log(tmp_path, *last)
    found = watch(tmp_path)
    assert found.state(1e9) == "done"
    assert len(found.stages) == len(before) + len(last)
    assert found.reported


def test_a_training_has_a_curve_too(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"recipe": "toybox-clip", "config": {"steps": 40}}))
    rows = [{"step": n, "loss": 1.0, "time": 10.0 * n} for n in (10, 20)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    [stage] = watch(tmp_path).stages
    assert (stage.name, stage.count, stage.rate) == ("Training", "step 20 of 40", "6.0 steps a minute, 3 min 20 s left")


def test_a_rate_needs_two_rows_and_time() -> None:
    assert rate([{"time": 1, "n": 5}, {"time": 3, "n": 8}], "n") == 4
    for rows in ([], [{"time": 1, "n": 5}], [{"time": 1, "n": 5}, {"time": 1, "n": 8}], [{"n": 1}, {"n": 2}]):
        assert rate(rows, "n") != rate(rows, "n")


def test_a_slow_run_is_counted_by_the_hour(run: Path) -> None:
    shards = [{"assignments": 1, "triplets": 1, "kept": 1, "time": 1000.0 + 1800 * n} for n in range(3)]
    (run / "taught" / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in shards))
    assert watch(run).stages[-1].rate.startswith("2.0 triplets an hour, ")


def test_runs_are_those_beside_by_name(run: Path) -> None:
    other = run.parent / "other"
    other.mkdir()
    write_logs(other)
    page = RunsPage(Studio(run=run, student="s", base="b"))
    assert (page.names()["choices"], page.names()["value"]) == (["suti", "other"], "suti")
    later = run.parent / "later"
    later.mkdir()
    write_logs(later)
    assert page.names()["choices"] == ["suti", "later", "other"]


def test_a_report_names_no_folder(run: Path) -> None:
    page = report_of(Studio(run=run, student="s", base="b"), "suti")
    assert "tutelage report" in page
    assert "/secret/place" not in page
    assert str(run.parent) not in page
    with pytest.raises(BadInput, match=r"no run '\.\./suti'"):
        report_of(Studio(run=run, student="s", base="b"), "../suti")
