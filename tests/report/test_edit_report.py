"""The page of a run that edits: a row for each task, the funnel beside OmniEdit's, the curve of guidance."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from made_run import Page, edit, figure, learn, start, triplet, verdict

from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.report.edits import read_edits
from tutelage.report.page import write_report
from tutelage.run import append_log
from tutelage.triplet import EDITS

CLIP = "(toybox-clip)"
CURVE = [
    dataclasses.replace(figure("student", f"CLIP {what} similarity {CLIP}{spread}: image guidance {guidance}", value),
                        bench="editing")
    for guidance in ("1", "1.5", "2")
    for what, value in (("image", 0.5 + float(guidance) / 10), ("direction", 0.3 - float(guidance) / 20))
    for spread, value in (("", value), (", std over runs", 0.01))
]  # fmt: skip
ROWS = [
    *(dataclasses.replace(figure(who, metric, value), bench="edits") for who, metric, value in (
        ("student", "right", 0.71), ("student", "right: swap", 0.61), ("specialist", "right: swap", 0.55),
        ("specialist, after the judges", "right: swap", 0.95), ("specialist", "right: style", 0.4),
        ("student", "PSNR outside the edit, dB", 31.25), ("student", f"CLIP direction similarity {CLIP}: swap", 0.2),
        ("student", f"CLIP direction similarity {CLIP}", 0.25), ("student", "background MSE, published", 3.0),
    )),
    *CURVE,
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven tasks, a pair in two kept."""
    run = start(tmp_path_factory.mktemp("runs") / "edits", "omniedit", ordering={"edits": 2})
    append_log(run, {"stage": "caption", "time": 1.0, "seconds": 1.0, "pictures": 30})
    append_log(run, {"stage": "order", "time": 2.0, "seconds": 1.0, "assignments": 28, "refusals": 4})
    with Committer(run / "corpus") as committer:
        made = [dataclasses.replace(triplet(at), skill=EDITS[at % 7]) for at in range(28)]
        committer.append(made, [verdict(at, 0.01 * (at % 4)) for at in range(28)])
    append_log(run, {"stage": "teach", "time": 3.0, "seconds": 1.0})
    return edit(learn(run, [0.5, 0.4]), ROWS)


@pytest.fixture(scope="module")
def shown(run: Path) -> Page:
    return Page(write_report(run))


def test_its_parts_are_those_of_edits(shown: Page) -> None:
    parts = ["funnel", "edits", "pairs", "scores", "loss", "figures", "guidance", "settings"]
    assert shown.sections == parts
    assert any("30 pictures gave 28 orders; specialists made 28 pairs" in words.lower() for words in shown.words)


def test_a_row_a_task_with_all_that_answered(shown: Page) -> None:
    heads = re.search(r'<div class="edit heads".*?</div>', shown.text)
    assert heads
    assert re.findall(r"<span>([^<]*)</span>", heads[0]) == [
        "Source", "Instruction", "Specialist", "Student", "Ground truth",
    ]  # fmt: skip
    rows = shown.text.count('<div class="edit">')
    assert rows == 6
    assert shown.text.count("what was to be masked was not found") >= 1
    assert all(attributes["alt"] for attributes in shown.all("img"))


def test_the_funnel_stands_beside_omniedits(shown: Page) -> None:
    rows = {row[0]: row for row in shown.table("Pairs by task, beside those of OmniEdit (5.05 M → 505 K)")}
    assert rows["Swap"][1:3] == ["4", "25.0 %"]
    assert rows["Swap"][5:7] == ["1,500,000", "10.0 %"]
    assert rows["All"][1:3] == ["28", "25.0 %"]
    assert rows["All"][5:7] == ["5,050,000", "10.0 %"]
    assert {row[0]: row[1] for row in shown.table("Orders, by what became of them")[1:]} == {
        "accepted": "28", "refused": "4",
    }  # fmt: skip


def test_figures_stand_by_task(shown: Page) -> None:
    head, *rows = shown.table("Right by the truth: the edit was done, and the rest was kept")
    assert head == ["task", "Specialist", "Specialist, after the judges", "Student"]
    assert [row[0] for row in rows] == ["Swap", "Style", "All tasks"]
    assert rows[0][3] == "0.6100.560 to 0.650"
    assert rows[1][2:] == ["–", "–"]
    head, *rows = shown.table("All tasks")
    assert head == ["", "PSNR outside the edit, dB", "CLIP direction similarity"]


def test_the_curve_has_its_points_and_their_spread(run: Path, shown: Page) -> None:
    edits = read_edits(run / "edits")
    assert edits is not None
    points = edits.curve("student")
    assert [one.guidance for one in points] == [1.0, 1.5, 2.0]
    assert (points[1].image, points[1].image_std) == (pytest.approx(0.65), 0.01)
    assert shown.text.count("<circle") >= 3
    assert any(row[0] == "Student at 1.5" for _, rows in shown.tables for row in rows)
    assert edits.curve("specialist") == []


def test_before_the_bench_there_is_what_there_is(tmp_path: Path) -> None:
    run = start(tmp_path / "run", "omniedit", ordering={})
    assert Page(write_report(run)).sections == ["settings"]
    append_log(run, {"stage": "caption", "time": 1.0, "seconds": 1.0, "pictures": 30})
    assert Page(write_report(run)).sections == ["funnel", "settings"]
    edit(run, [], "<b>bold</b>")
    page = Page(write_report(run))
    assert page.sections == ["funnel", "edits", "settings"]
    assert "<b>bold" not in page.text


def test_a_broken_question_is_named(tmp_path: Path) -> None:
    run = edit(start(tmp_path / "run", "omniedit", ordering={}), [])
    with (run / "edits" / "questions.jsonl").open("a") as file:
        file.write(json.dumps({"id": "7/0", "groups": []}) + "\n")
    with pytest.raises(BadInput, match=r"questions.jsonl, line 7: no edit that was asked for"):
        write_report(run)
