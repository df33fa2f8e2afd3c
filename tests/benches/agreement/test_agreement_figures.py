"""`tutelage agreement`: scores of every kind beside raters, and the ceiling.

The ratings published with ImagenHub are measured where `IMAGENHUB_RATINGS` names their folder.
"""

import json
import math
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tutelage.benches.agreement.command import agreement_command
from tutelage.benches.agreement.figures import rows_of
from tutelage.benches.agreement.ratings import IMAGENHUB, Ratings, read_tasks, write_ratings
from tutelage.benches.agreement.scores import Scores, check_fit, read_scores
from tutelage.errors import BadInput

PUBLISHED = os.environ.get("IMAGENHUB_RATINGS", "")
MODELS, ITEMS = ("A", "B"), tuple(f"sample_{n}.jpg" for n in range(40))


def raters(task: str, noise: float, seed: int) -> tuple[Ratings, np.ndarray]:
    """Three raters who see one truth through noise, and the truth (models, items, aspects)."""
    rng = np.random.default_rng(seed)
    truth = rng.random((2, len(ITEMS), 2))
    seen = truth + rng.normal(0, noise, (3, *truth.shape))
    values = np.round(seen.clip(0, 1) * 2) / 2
    three = ("r1", "r2", "r3")
    return Ratings(task=task, protocol=IMAGENHUB, raters=three, models=MODELS, items=ITEMS, values=values), truth


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tasks."""
    for seed, task in enumerate(["generation", "editing"]):
        made, _ = raters(task, 0.2, seed)
        (tmp_path / "ratings" / task).mkdir(parents=True)
        for rater in made.raters:
            write_ratings(tmp_path / "ratings" / task / f"{rater}.tsv", made, rater)
    return tmp_path / "ratings"


def table(task: str, seed: int, judge: str = "") -> list[dict]:
    _, truth = raters(task, 0.2, seed)
    return [
        {"task": task, "item": item, "model": model, "aspect": aspect, "score": 10 * truth[m, i, a]}
        | ({"judge": judge} if judge else {})
        for m, model in enumerate(MODELS)
        for i, item in enumerate(ITEMS)
        for a, aspect in enumerate(("SC", "PQ"))
    ]


def test_the_command_prints_and_writes_every_figure(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "truth.parquet"
    pq.write_table(pa.Table.from_pylist(table("generation", 0) + table("editing", 1)), file)
    agreement_command(folder, scores=(file,), json=tmp_path / "rows.json")
    rows = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    figures = {(row["protocol"], row["row"], row["metric"]): row for row in rows}
    printed = capsys.readouterr().out
    for protocol in ("generation: ImagenHub, 3 raters", "editing: ImagenHub, 3 raters", "all tasks: 2"):
        assert protocol in printed
        for aspect in ("SC", "PQ", "O"):
            truth, human = (figures[protocol, who, f"{aspect}: ρ, Fisher z"] for who in ("truth", "human–human"))
            assert truth["low"] <= truth["value"] <= truth["high"]
            assert truth["value"] > human["value"] - 0.1  # the truth agrees with a mean better than a rater does
            assert figures[protocol, "human–human", f"{aspect}: ρ, compat"]["value"] < human["value"]
    assert figures["generation: ImagenHub, 3 raters", "truth", "SC: ρ, mean"]["n"] == 80
    assert figures["generation: ImagenHub, 3 raters", "raters", "SC: Krippendorff α, interval"]["value"] > 0.5
    agreement_command(folder, scores=(file,), json=tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "rows.json").read_bytes()


def test_what_a_judge_left_out_is_counted_and_a_constant_has_no_rho() -> None:
    made, truth = raters("task", 0.2, 0)
    values = {("", "A", item, "SC"): float(truth[0, at, 0]) for at, item in enumerate(ITEMS)}
    values |= {("", "B", item, "SC"): 7.0 for item in ITEMS}
    values["", "A", ITEMS[0], "SC"] = math.nan
    rows = [row for row in rows_of([made], [Scores(judge="j", values=values)], "interval", 0) if row.row == "j"]
    assert {row.metric.partition(":")[0] for row in rows} == {"SC"}
    assert {(row.n, row.missing) for row in rows} == {(39, 41)}
    assert all(row.value is not None and row.value > 0.5 for row in rows)


def test_scores_of_two_judges_without_an_aspect_are_compared_with_all(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "lpips.csv"
    lines = [f"{item},{model},{-at},j{at % 2}" for model in MODELS for at, item in enumerate(ITEMS)]
    file.write_text("\n".join(["item,model,score,judge", *lines]) + "\n", encoding="utf-8")
    judges = read_scores(file)
    assert [judge.judge for judge in judges] == ["j0", "j1"]
    rows = rows_of(read_tasks(folder), judges, "interval", 0)
    found = {(row.row, row.metric) for row in rows if row.row == "j1"}
    assert found >= {("j1", f"{aspect}: ρ, mean") for aspect in ("SC", "PQ", "O")}


def test_every_format_says_the_same(tmp_path: Path) -> None:
    rows = table("task", 0, judge="j")[:6]
    rows[0]["score"] = None
    columns = list(rows[0])
    for suffix, mark in ((".csv", ","), (".tsv", "\t")):
        lines = [mark.join("" if row[name] is None else str(row[name]) for name in columns) for row in rows]
        (tmp_path / f"t{suffix}").write_text("\n".join([mark.join(columns), *lines]), encoding="utf-8")
    (tmp_path / "t.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    read = [read_scores(tmp_path / f"t{suffix}")[0] for suffix in (".csv", ".tsv", ".json", ".jsonl", ".parquet")]
    assert all(one.judge == "j" for one in read)
    for one in read[1:]:
        assert one.values.keys() == read[0].values.keys()
        np.testing.assert_array_equal(list(one.values.values()), list(read[0].values.values()))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("t.csv", "item,model\nx,A\n", "row 1: no column 'score'"),
        ("t.csv", "item,model,score\nx,A,good\n", "row 1: score 'good' is no number"),
        ("t.csv", "item,model,score\nx,A,1\nx,A,2\n", "row 2: x of A was scored above"),
        ("t.csv", "item,model,score\n", "holds no scores"),
        ("t.json", '{"item": 1}', "cannot be read as a table"),
        ("t.json", "[", "cannot be read as a table"),
        ("t.parquet", "no parquet", "cannot be read as a table"),
        ("t.xls", "", "convert the table"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_scores(tmp_path / name)
    assert says in str(caught.value)


def test_scores_that_fit_nothing_are_refused(folder: Path, tmp_path: Path) -> None:
    tasks = read_tasks(folder)
    with pytest.raises(BadInput, match="no score is of a rated picture"):
        check_fit(Scores(judge="j", values={("", "A", "other.jpg", ""): 1.0}), tasks)
    with pytest.raises(BadInput, match="nobody rated 'SQ'"):
        check_fit(Scores(judge="j", values={("", "A", ITEMS[0], "SQ"): 1.0}), tasks)
    below = {("", "A", ITEMS[0], aspect): -1.0 for aspect in ("SC", "PQ")}
    with pytest.raises(BadInput, match="below 0"):
        rows_of(tasks, [Scores(judge="j", values=below)], "interval", 0)
    (tmp_path / "t.csv").write_text(f"item,model,score\n{ITEMS[0]},A,1\n", encoding="utf-8")
    with pytest.raises(BadInput, match="two tables hold scores of 't'"):
        agreement_command(folder, scores=(tmp_path / "t.csv", tmp_path / "t.csv"))


@pytest.mark.skipif(not PUBLISHED, reason="no ratings: set IMAGENHUB_RATINGS to a folder of ImagenHub's")
def test_published_ratings_give_the_published_figures() -> None:
    wanted = {
        ("ImagenHub_Text-Guided_IG", "SC"): (0.630, 0.627, 0.504),
        ("ImagenHub_Text-Guided_IG", "PQ"): (0.413, 0.406, 0.364),
        ("ImagenHub_Control-Guided_IG", "SC"): (0.712, 0.709, 0.544),
        ("ImagenHub_Control-Guided_IG", "PQ"): (0.677, 0.674, 0.528),
    }
    rows = rows_of(read_tasks(Path(PUBLISHED)), [], "interval", 0)
    found = {(row.protocol.partition(":")[0], row.metric): row.value for row in rows if row.row == "human–human"}
    for (task, aspect), figures in wanted.items():
        for name, figure in zip(("Fisher z", "mean", "compat"), figures, strict=True):
            assert found[task, f"{aspect}: ρ, {name}"] == pytest.approx(figure, abs=5.1e-4)
