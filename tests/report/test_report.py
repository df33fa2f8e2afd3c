"""The page of a run: whole in itself, true to what is stored, and there at every stage."""

import base64
import io
import json
import math
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_run import Page, bench, figure, learn, mine, png, start, teach
from PIL import Image

from tutelage.cli import main
from tutelage.corpus.reader import Corpus
from tutelage.corpus.stats import survival
from tutelage.errors import BadInput
from tutelage.report import page
from tutelage.report.again import command
from tutelage.report.bench import in_order, ordered, read_bench
from tutelage.report.benched import split
from tutelage.report.page import write_report
from tutelage.run import append_log, plain

SCORES = [number / 1000 - 0.01 for number in range(47)] + [None]
ROWS = [
    figure("student", "overall", 0.7123),
    figure("student", "text", 0.9),
    figure("student", "overall: view", 0.6111),
    figure("dreambooth", "overall", 0.75, missing=3),
    figure("dreambooth", "text", None),
    figure("renders", "overall", 0.95),
    figure("student", "times faster than dreambooth", 31.2),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = mine(start(tmp_path_factory.mktemp("runs") / "whole", judging={"threshold": 0.02}))
    return bench(learn(teach(run, SCORES), [0.5, 0.3, math.nan, 0.25]), ROWS)


@pytest.fixture(scope="module")
def shown(whole: Path) -> Page:
    return Page(write_report(whole))


def test_the_page_needs_nothing_else(shown: Page) -> None:
    assert {attributes["src"][:23] for attributes in shown.all("img")} == {"data:image/webp;base64,"}
    for attributes in shown.all("img"):
        Image.open(io.BytesIO(base64.b64decode(attributes["src"].partition("base64,")[2]))).verify()
    anchors = {attributes["href"] for attributes in shown.all("a")}
    assert anchors == {f"#{name}" for name in shown.sections}
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in shown.tags}
    assert not re.search(r"https?:|url\(|@import", shown.text)


def test_everything_seen_is_also_told(shown: Page) -> None:
    assert all(attributes["alt"] for attributes in shown.all("img"))
    assert all("aria-hidden" in attributes or attributes.get("role") == "img" or "viewbox" in attributes
               for attributes in shown.all("svg"))  # fmt: skip


def test_all_parts_are_there_in_order(shown: Page) -> None:
    assert shown.sections == ["funnel", "subjects", "experts", "scores", "loss", "figures", "settings"]


def test_counts_are_those_stored(whole: Path, shown: Page) -> None:
    pages = {row[0]: row[1] for row in shown.table("Pages, by what became of them")[1:]}
    assert pages == {"kept": "3", "not one subject": "3", "too few pictures": "1"}
    unused = {row[0]: row[1] for row in shown.table("Pictures on pages that were not used")[1:]}
    assert unused == {"tiny": "3", "copies of another on the page": "1"}
    prompts = {row[0]: row[1] for row in shown.table("Prompts, by what became of them")[1:]}
    assert prompts == {"accepted": "1,234", "refused": "56"}
    stored = [
        [row.skill, str(row.made), *(str(left) for left in row.after.values())]
        for row in survival(Corpus(whole / "corpus"))
    ]
    assert sorted(row[:4] for row in shown.table("Triplets, by skill")[1:]) == sorted(stored)


def test_the_funnel_goes_from_pages_to_kept_triplets(whole: Path) -> None:
    text = re.sub(r"<[^>]+>", " ", write_report(whole).read_text(encoding="utf-8"))
    kept = len(Corpus(whole / "corpus").rows())
    steps = ["Pages found +7 ", "Subjects mined +3 +42.9 % of pages", r"Prompts imagined +1,234 +411.3 a subject",
             "Pictures drawn +48 ", f"Triplets kept +{kept} +"]  # fmt: skip
    assert re.search(".*?".join(steps), text, re.DOTALL)


def test_judges_say_what_they_rejected_and_could_not_say(shown: Page) -> None:
    rows = {row[0]: row[1:] for row in shown.table("Pictures, by judge")[1:]}
    assert rows["ΔCLIP"] == ["48", "32", "1"]
    assert rows["Likeness"] == ["16", "3", "0"]


def test_bars_of_the_histograms_add_up(whole: Path, shown: Page) -> None:
    kept = len(Corpus(whole / "corpus").rows())
    bars = [tuple(map(int, found)) for found in re.findall(r"(\d+) kept, (\d+) rejected</title><rect", shown.text)]
    assert [sum(each) for each in zip(*bars, strict=True)] == [2 * kept, (47 - kept) + (16 - kept)]
    assert "kept above 0.02" in shown.words
    assert any(words.startswith("kept up to ≈ 0.") for words in shown.words)


def test_times_of_a_resumed_stage_add_up(shown: Page) -> None:
    assert "1 h 00 min" in shown.words
    assert any("14 November 2023, 22:12 UTC" in words for words in shown.words)


def test_figures_stand_beside_the_oracle_with_intervals(shown: Page) -> None:
    head, *rows = next(rows for _, rows in shown.tables if rows[0][1:3] == ["overall", "text"])
    assert head == ["", "overall", "text", "items"]
    assert [row[0] for row in rows] == ["Student", "DreamBooth", "Render (oracle)"]
    assert rows[0][1] == "0.7120.662 to 0.752"
    assert rows[1][1:] == ["0.7500.700 to 0.7903 missing", "missing", "500"]
    assert rows[2][2] == "–"
    assert shown.table("View")[1][:2] == ["Student", "0.6110.561 to 0.651"]
    assert shown.table("Further figures")[1][0] == "Student: times faster than dreambooth"


def test_losses_that_are_no_numbers_are_counted(shown: Page) -> None:
    assert any("20 to 80 steps" in words and "1 value not finite" in words for words in shown.words)


def test_the_same_run_gives_the_same_page(whole: Path) -> None:
    first = write_report(whole).read_bytes()
    assert write_report(whole).read_bytes() == first
    assert [path.name for path in whole.glob(".*")] == []


def test_sections_come_with_their_stages(tmp_path: Path) -> None:
    run = start(tmp_path / "run")
    assert Page(write_report(run)).sections == ["settings"]
    mine(run)
    assert Page(write_report(run)).sections == ["funnel", "settings"]
    teach(run, SCORES[:8])
    assert Page(write_report(run)).sections == ["funnel", "experts", "scores", "settings"]
    learn(run, [0.5])
    assert Page(write_report(run)).sections == ["funnel", "experts", "scores", "loss", "settings"]
    bench(run, [])
    assert Page(write_report(run)).sections == ["funnel", "subjects", "experts", "scores", "loss", "settings"]
    shutil.rmtree(run / "bench" / "student")
    shutil.rmtree(run / "bench" / "dreambooth")
    assert "subjects" not in Page(write_report(run)).sections


@pytest.mark.parametrize(
    ("scores", "there"),
    [
        ([], {"funnel"}),
        ([0.5], {"funnel", "experts", "scores"}),
        ([-0.5], {"funnel", "experts", "scores"}),
        ([None], {"funnel", "experts"}),
        ([-0.3, -0.2, 0.01], {"funnel", "experts", "scores"}),
        ([0.3, 0.3, 0.3], {"funnel", "experts", "scores"}),
    ],
)
def test_odd_scores(tmp_path: Path, scores: list[float | None], there: set[str]) -> None:
    assert {*Page(write_report(teach(start(tmp_path / "run"), scores))).sections} == there | {"settings"}


def test_a_known_limit_is_drawn_though_nothing_is_kept(tmp_path: Path) -> None:
    run = teach(start(tmp_path / "run", judging={"delta": {"threshold": 0.02}}), [-0.3, -0.2, 0.01])
    assert "kept above 0.02" in Page(write_report(run)).words


@pytest.mark.parametrize("losses", [[math.nan], [math.nan, math.inf], [0.0], [-1.0, 1.0], [1.0, math.nan, 1.0]])
def test_odd_losses(tmp_path: Path, losses: list[float]) -> None:
    drawn = Page(write_report(learn(start(tmp_path / "run"), losses)))
    assert "loss" in drawn.sections
    assert bool(drawn.all("path")) == any(map(math.isfinite, losses))
    assert "nan" not in " ".join(str(path["d"]) for path in drawn.all("path"))


def test_steps_done_again_after_a_kill_count_once(tmp_path: Path) -> None:
    run = learn(start(tmp_path / "run"), [0.5, 0.4, math.nan])
    append_log(run / "student", {"step": 60, "loss": 0.3})
    assert not any("not finite" in words for words in Page(write_report(run)).words)


HOSTILE = '<script>alert("x")</script>&amp;<img src=x onerror=y>\'"</style></td>\u2028 ]]> --> %s {} $made'


def test_nothing_stored_becomes_markup(tmp_path: Path) -> None:
    run = teach(start(tmp_path / "run", HOSTILE, **{HOSTILE: HOSTILE}), [0.1, 0.0], HOSTILE)
    bench(run, [figure(HOSTILE, HOSTILE, 0.5, bench=HOSTILE, protocol=HOSTILE)], HOSTILE)
    append_log(run, {"stage": HOSTILE, "seconds": 3.0, "time": 1e300})
    drawn = Page(write_report(run))
    harmless = Page(write_report(bench(teach(start(tmp_path / "other"), [0.1, 0.0]), [figure("student", "text", 0.5)])))
    assert {tag for tag, _ in drawn.tags} == {tag for tag, _ in harmless.tags}
    assert not any(name.startswith("on") for _, attributes in drawn.tags for name in attributes)
    assert HOSTILE in drawn.words
    assert any(HOSTILE in words for words in drawn.words if words.endswith("wearing a crown"))


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT, TEXT, TEXT)
def test_any_words_come_out_as_they_were(tmp_path: Path, words: str, metric: str, setting: str) -> None:
    run = tmp_path / "run"
    shutil.rmtree(run, ignore_errors=True)
    start(run, words, setting=setting)
    bench(run, [figure("student", metric, 0.5)], words, subjects=1)
    drawn = Page(write_report(run))
    assert words in drawn.words
    assert f"{words} with a view" in drawn.words
    assert json.dumps(setting, ensure_ascii=False) in drawn.words


def test_a_page_that_is_too_large_gets_smaller_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bench(start(tmp_path / "run"), [], subjects=1)
    (run / "bench" / "student" / "0000-view.png").write_bytes(png(0, 400))
    widths = []
    for most in (8_000_000, 60_000):
        monkeypatch.setattr(page, "MOST_BYTES", most)
        drawn = Page(write_report(run))
        widths.append(max(int(attributes["width"]) for attributes in drawn.all("img")))
    assert widths == [256, 144]
    assert len(drawn.text) < 60_000


def test_pictures_that_cannot_be_shown_are_told_in_words(tmp_path: Path) -> None:
    run = bench(start(tmp_path / "run"), [], subjects=1)
    (tmp_path / "secret.png").write_bytes(png(7))
    lines = (run / "bench" / "questions.jsonl").read_text().replace("demonstrations/0000-0.png", "../../secret.png")
    (run / "bench" / "questions.jsonl").write_text(lines.replace("demonstrations/0000-1.png", "gone.png"))
    (run / "bench" / "renders" / "0000-view.png").write_bytes(b"no picture")
    told = " ".join(str(each["aria-label"]) for each in Page(write_report(run)).all("span") if "aria-label" in each)
    assert all(words in told for words in ("secret.png is outside bench", "gone.png cannot be read", "is no picture"))


def test_subjects_are_chosen_by_rule(tmp_path: Path) -> None:
    folder = bench(start(tmp_path / "run"), [], subjects=12) / "bench"
    path = folder / "questions.jsonl"
    path.write_text(path.read_text().replace('"toy 1"', '"toy 0"'))
    names = [questions[0].whose for questions in ordered(read_bench(folder))]
    assert sorted(names) == [f"{number:04d}" for number in range(12)]
    assert names[-1] in ("0000", "0001")
    path.write_text("".join(sorted(path.read_text().splitlines(keepends=True), reverse=True)))
    assert [questions[0].whose for questions in ordered(read_bench(folder))] == names


def test_generators_have_an_order() -> None:
    names = ["expert", "student", "toybox-suti", "dreambooth", "textual-inversion", "base", "novel", "copy", "renders"]
    assert in_order(reversed(names)) == names


@pytest.mark.parametrize("metric", ["text: view", "view/text", "text (view)", "view, text"])
def test_skills_are_told_from_metrics(metric: str) -> None:
    assert split(metric, {"view"}) == ("text", "view")
    assert split(metric, {"accessory"}) == (metric, "")
    assert split("view", {"view"}) == ("view", "")


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({}, ""),
        ({"out": "some where"}, " --out 'some where'"),
        ({"bf16": False}, " --no-bf16"),
        ({"schedule": {"steps": 7}}, " --schedule.steps 7"),
    ],
)
def test_the_command_repeats_the_run(changes: dict, flags: str) -> None:
    from tutelage.recipes.toybox import toybox_vae

    config = plain(toybox_vae())
    for name, value in changes.items():
        config[name] = config[name] | value if isinstance(value, dict) else value
    assert command("toybox-vae", config) == f"tutelage run toybox-vae{flags}"
    assert command("toybox-vae", config | {"gone": 1}) is None
    assert command("another", config) is None


@pytest.mark.e2e
def test_the_command_prints_the_path(whole: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(whole)]) == 0
    assert capfd.readouterr().out == f"{whole / 'report.html'}\n"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("config.json", "[]", "not a run's config"),
        ("config.json", "{", "cannot be read"),
        ("bench/rows.json", '[{"bench": "toybox"}]', "rows.json is not a bench's rows"),
        ("bench/questions.jsonl", '{"id": "0/view"}\n', "questions.jsonl, line 1: not a question"),
        ("log.jsonl", "nonsense\n", "log.jsonl, line 1: not JSON"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, data: str, says: str) -> None:
    run = start(tmp_path / "run")
    (run / name).parent.mkdir(exist_ok=True)
    (run / name).write_text(data)
    with pytest.raises(BadInput, match=re.escape(says)):
        write_report(run)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"config\.json cannot be read"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []
