"""The bench on disk: what it leaves, how it resumes, and the whole command."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

from tutelage.benches.base import Row
from tutelage.benches.subjects.questions import SubjectsBench, questions
from tutelage.cli import main
from tutelage.errors import BadInput
from tutelage.generators.bench import run_bench, targets
from tutelage.generators.command import ToyboxBench
from tutelage.generators.folder import assignments, draw_answers, seconds_of, whole_seconds_of, write_questions
from tutelage.generators.given import Copy, Images, Renders, file_name
from tutelage.generators.networks import Student
from tutelage.run import read_log
from tutelage.triplet import Assignment

BENCH = SubjectsBench(subjects=3, skills=("view", "accessory"), demonstrations=2, candidates=3, renders=20)


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """Answers in plain colours, and is stopped before question `stop`."""

    colour: int = 0
    name: str = "stopping"
    timed: ClassVar[bool] = True
    stop: ClassVar[int] = 99
    answered: ClassVar[list[str]] = []

    def made_from(self) -> str:
        return ""

    def bytes_kept(self, prompts: int) -> int:
        return 100 * prompts

    def answer(self, questions: Sequence[Assignment]) -> Iterator[Image.Image]:
        for number, question in enumerate(questions):
            if number == type(self).stop:
                raise KeyboardInterrupt
            self.answered.append(question.id)
            yield Image.new("RGB", (16, 16), (self.colour, len(question.text), 0))


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Stopping]:
    def make(stop: int, colour: int = 0) -> Stopping:
        monkeypatch.setattr(Stopping, "stop", stop)
        monkeypatch.setattr(Stopping, "answered", [])
        return Stopping(colour=colour)

    return make


@pytest.fixture
def asked(tmp_path: Path) -> list[Assignment]:
    write_questions(tmp_path, questions(BENCH))
    return assignments(tmp_path, questions(BENCH))


def test_questions_and_demonstrations_are_on_disk(tmp_path: Path, asked: list[Assignment]) -> None:
    rows = [json.loads(line) for line in (tmp_path / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [one.id for one in asked] == [one.id for one in questions(BENCH)]
    assert rows[0]["demonstrations"] == ["demonstrations/0000-0.png", "demonstrations/0000-1.png"]
    assert (rows[0]["truth"], rows[0]["subject"], rows[0]["skill"]) == ("renders/0000-view.png", "bear toy", "view")
    for row, one in zip(rows, asked, strict=True):
        shown = [(reference.picture.data, reference.caption) for reference in one.cluster.references]
        files = [(tmp_path / name).read_bytes() for name in row["demonstrations"]]
        assert shown == list(zip(files, row["captions"], strict=True))
        assert (row["text"], row["subject"]) == (one.text, one.cluster.subject)
        assert all(row["subject"] in caption for caption in row["captions"])
    before = (tmp_path / "demonstrations/0000-0.png").stat().st_mtime_ns
    write_questions(tmp_path, questions(BENCH))
    assert (tmp_path / "demonstrations/0000-0.png").stat().st_mtime_ns == before


def test_what_is_drawn_stays_when_it_is_stopped(
    tmp_path: Path, asked: list[Assignment], stopping: Callable[..., Stopping]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        draw_answers(tmp_path, stopping(3), asked)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "stopping").glob("*.png")}
    assert len(kept) == 3
    again = stopping(99)
    draw_answers(tmp_path, again, asked)
    assert again.answered == [one.id for one in asked[3:]]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list((tmp_path / "stopping").glob("*.png"))) == 6
    finished = stopping(0)
    draw_answers(tmp_path, finished, asked)
    assert finished.answered == []


def test_seconds_are_of_new_toys_with_everything_loaded(
    tmp_path: Path, asked: list[Assignment], stopping: Callable[..., Stopping]
) -> None:
    """The first toy after a start waits for models too: 0 at first, 1 after the stop."""
    with pytest.raises(KeyboardInterrupt):
        draw_answers(tmp_path, stopping(3), asked)
    assert set(seconds_of(tmp_path / "stopping")) == {1}
    draw_answers(tmp_path, stopping(99), asked)
    assert set(seconds_of(tmp_path / "stopping")) == {1, 2}
    assert [row["id"] for row in read_log(tmp_path / "stopping")] == [one.id for one in asked]


def test_seconds_of_a_whole_toy_are_of_one_start(
    tmp_path: Path, asked: list[Assignment], stopping: Callable[..., Stopping]
) -> None:
    """Of toy 1 the second picture came after the stop."""
    with pytest.raises(KeyboardInterrupt):
        draw_answers(tmp_path, stopping(3), asked)
    draw_answers(tmp_path, stopping(99), asked)
    taken = {row["id"]: row["seconds"] for row in read_log(tmp_path / "stopping")}
    whole = whole_seconds_of(tmp_path / "stopping", questions(BENCH))
    assert whole == {2: taken["0002/view"] + taken["0002/accessory"]}
    assert whole_seconds_of(tmp_path / "stopping", questions(replace(BENCH, subjects=4))) == whole


def test_pictures_of_other_settings_are_not_taken_for_these(
    tmp_path: Path, asked: list[Assignment], stopping: Callable[..., Stopping]
) -> None:
    draw_answers(tmp_path, stopping(99), asked)
    with pytest.raises(BadInput, match=r"generator\.colour = 0, not 5"):
        draw_answers(tmp_path, stopping(99, colour=5), asked)


@pytest.mark.e2e
def test_a_bench_from_questions_to_figures(tmp_path: Path, generators: dict[str, Callable]) -> None:
    """Then once more with a student in it and a toy less: what is there is neither drawn nor marked otherwise."""
    out, student = tmp_path / "bench", generators["student"](None)
    two, one = replace(BENCH, subjects=2), replace(BENCH, subjects=1)
    first = run_bench(out, [Copy()], two, device="cpu", workers=1)
    rows = {(row.row, row.metric): row for row in first}
    assert rows["renders", "subject"].value == rows["renders", "text"].value == 1
    assert rows["copy", "copy"].value == 1
    assert rows["renders", "copy"].value == rows["copy", "overall"].value == 0
    assert [Row(**row) for row in json.loads((out / "rows.json").read_text(encoding="utf-8"))] == first
    times = {path: path.stat().st_mtime_ns for path in out.glob("*/*.png")}
    second = run_bench(out, [Copy(), student, generators["expert"](None)], one, device="cpu", workers=1)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert {row.row for row in second} == {"renders", "copy", "student", "expert"}
    kept = {row.row: row.value for row in second if row.metric == "bytes a subject"}
    assert kept["copy"] == kept["student"] == 0 < kept["expert"]
    assert "renders" not in kept
    measured = {row.metric for row in second if row.row == "student"}
    wanted = {metric for _, _, metric in targets([student, generators["expert"](None)])}
    assert wanted - measured == {"times faster than expert"}  # of one toy
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.size > (4 * 128, 2 * 128)


def test_pictures_made_elsewhere_may_be_missing(tmp_path: Path) -> None:
    """They are counted, and taken in when they have come; what was taken in is not looked at again."""
    made, out, told = tmp_path / "made", tmp_path / "bench", replace(BENCH, subjects=2)
    made.mkdir()
    with pytest.raises(BadInput, match=r"0000-view\.png is not there, nor is any other"):
        run_bench(out, [Images(folder=made)], told, device="cpu", workers=1)
    asked = assignments(out, questions(told))
    for question, picture in zip(asked, Renders(bench=told).answer(asked), strict=True):
        picture.save(made / file_name(question.id))
    (made / file_name(asked[1].id)).rename(tmp_path / "late.png")
    [row] = [row for row in _measured(out, made, told) if row.metric == "text"]
    assert (row.value, row.n, row.missing) == (1, 3, 1)
    [row] = [row for row in _measured(out, made, told) if row.metric == f"subject: {asked[1].skill}"]
    assert (row.n, row.missing) == (1, 1)
    (tmp_path / "late.png").rename(made / file_name(asked[1].id))
    (made / file_name(asked[0].id)).write_bytes(b"no picture")
    assert {row.missing for row in _measured(out, made, told)} == {0}


def _measured(out: Path, made: Path, told: SubjectsBench) -> list[Row]:
    rows = run_bench(out, [Images(folder=made)], told, device="cpu", workers=1)
    return [row for row in rows if row.row == "images"]


@pytest.mark.e2e
def test_the_command_prints_and_resumes(tmp_path: Path, tiny_sd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--out", str(tmp_path / "bench"), "--subjects", "1", "--candidates", "2", "--renders", "8"]
    flags += ["--beside", "base", "--base", str(tiny_sd), "--steps", "2", "--workers", "1", "--device", "cpu"]
    command = ["bench", "toybox", *flags, "--compositions", "--json", str(tmp_path / "rows.json")]
    assert main(command) == 0
    shown, rows = capsys.readouterr().out, (tmp_path / "rows.json").read_text(encoding="utf-8")
    for word in ("toybox 1x6, 4 demonstrations, 1 of 2, 8 renders, seed 0", "renders", "composition", "sha256"):
        assert word in shown
    assert json.loads(rows) == json.loads((tmp_path / "bench/rows.json").read_text(encoding="utf-8"))
    assert main(command) == 0
    assert (tmp_path / "rows.json").read_text(encoding="utf-8") == rows
    assert main([*command, "--demonstrations", "2"]) == 2
    assert "demonstrations = 4, not 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"beside": ("dreamboth",)}, "Did you mean 'dreambooth'"),
        ({"workers": 0}, "--workers 0"),
        ({"json": Path("absent/rows.json")}, "a folder that exists"),
    ],
)
def test_wrong_arguments_are_told(changes: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        ToyboxBench(**changes).check()


@pytest.mark.parametrize("twice", [[Copy(), Copy()], [Renders(bench=BENCH)], [Copy(name="demonstrations")]])
def test_two_parts_of_one_name_are_refused(twice: list, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two parts of the bench are called"):
        run_bench(tmp_path / "bench", twice, BENCH)
    assert not (tmp_path / "bench").exists()


def test_only_students_have_targets() -> None:
    names = {row for _, row, _ in targets([Copy(), Student(model="x"), Student(model="y", name="shipped-student")])}
    assert names == {"student", "shipped-student"}
