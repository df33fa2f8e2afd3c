"""`tutelage bench judges`: everybody who can be measured is, and the rest say why not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from invented_truth import Invented

from tutelage.chat.fake_server import FakeServer
from tutelage.cli import main
from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.judges import JUDGES
from tutelage.judging.bench import Measure, Networks, measure, rows_of, taught
from tutelage.judging.bench_command import JudgesBench
from tutelage.judging.seats import METRICS, seats
from tutelage.toybox.oracle import Oracle
from tutelage.viescore.pretend import MODEL, say


@pytest.fixture
def how(tiny_clip: Path, tiny_vit: Path) -> Measure:
    return Measure(
        networks=Networks(clip=tiny_clip, network=tiny_vit, device="cpu"),
        raters=(Oracle(noise=0.1, seed=0), Oracle(noise=0.1, seed=1)),
        precision=0.3,
        pipeline={"delta-clip": (-2.0, 2.0), "likeness": (-1.0, 1.0)},
        settings={"likeness": {"high": 0.98}},
    )


def test_every_registered_judge_is_measured_or_says_why_not(how: Measure) -> None:
    made, absent = seats(how.networks, {"likeness": {"high": 0.98}})
    assert made.keys() | absent.keys() == set(JUDGES)
    assert {"delta-clip", "likeness"} <= made.keys()
    assert absent["oracle"] == "needs rater"
    assert absent["distilled"] == "needs model"
    assert absent["duplicates"] == "needs against"


def test_a_model_that_is_asked_is_measured_with_its_parts(how: Measure, corpus_folder: Path, tmp_path: Path) -> None:
    with FakeServer(say) as server:
        asked = replace(how, settings={**how.settings, "viescore": {"model": f"{server.url}#{MODEL}"}})
        rows, absent = measure(taught(Corpus(corpus_folder), 4, Invented(), tmp_path, 0), asked)
    found = {row.row: row for row in rows if row.metric == "AUC: all"}
    assert {"viescore", "viescore.SC", "viescore.PQ", "oracle.SC", "oracle.PQ"} <= found.keys()
    assert "viescore" not in absent
    assert (found["viescore.SC"].n, found["viescore.SC"].missing) == (12, 0)


def test_a_corpus_is_measured_cluster_by_cluster(how: Measure, corpus_folder: Path, tmp_path: Path) -> None:
    knower = Invented()
    drawn = taught(Corpus(corpus_folder), 20, knower, tmp_path, 0)
    rows, absent = measure(drawn, how)
    found = {(row.row, row.metric): row for row in rows}
    assert knower.asked == drawn.count == 60
    assert {name for name, _ in found} >= {"delta-clip", "likeness", "oracle", *METRICS, "raters", "truth"}
    assert "distilled" in absent
    assert found["oracle", "AUC: all"].value > 0.8
    assert found["truth", "share: all"].value == pytest.approx(1 / 3)
    assert found["delta-clip + likeness", "recall: all, pipeline"].value == 1
    again, _ = measure(taught(Corpus(corpus_folder), 20, knower, tmp_path, 0), how)
    assert again == rows
    assert knower.asked == 60


def test_fewer_clusters_are_the_first_of_more(corpus_folder: Path) -> None:
    corpus = Corpus(corpus_folder)
    few, more = rows_of(corpus, 5, 0), rows_of(corpus, 9, 0)
    assert few == more[: len(few)]
    assert few != rows_of(corpus, 5, 1)
    assert len(rows_of(corpus, 1000, 0)) == len(corpus)
    names = corpus.column("cluster").to_pylist()
    first, second = names[few[0]], names[few[3]]
    assert rows_of(corpus, 4, 0, {first})[0] == few[3]
    assert {names[row] for row in rows_of(corpus, 1000, 0, {first, second})} == set(names) - {first, second}
    with pytest.raises(BadInput, match="no triplets that can be used"):
        rows_of(corpus, 1, 0, set(names))


@pytest.mark.e2e
def test_the_command_measures_rendered_faults(tiny_clip: Path, tiny_vit: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "rows.json"
    command = ["bench", "judges", "--toys", "2", "--clip", str(tiny_clip), "--network", str(tiny_vit)]
    assert main([*command, "--workers", "1", "--device", "cpu", "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "distilled was not measured: it needs model" in shown
    assert "subject and text:" in shown
    assert "artefact: noise" not in shown
    rows = json.loads(out.read_text(encoding="utf-8"))
    found = {(row["row"], row["metric"]): row for row in rows}
    assert {row["protocol"] for row in rows} == {"rendered 2x5x5, seed 0"}
    assert found["truth", "share: all"]["value"] == pytest.approx(0.2)
    assert found["likeness", "AUC: new"]["value"] == 0  # a copy is as near as can be
    assert found["oracle", "AUC without | artefact: noise"]["value"] >= 0.5
    assert found["delta-clip", "AUC: text"]["n"] == 50


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"toys": 0}, "nothing to judge"),
        ({"corpus": Path("corpus")}, "--corpus without --labels"),
        ({"raters": 1}, "--raters 1: give at least 2"),
        ({"precision": 0.0}, "--precision 0: choose a share"),
        ({"json": Path("absent/rows.json")}, "a folder that exists"),
    ],
)
def test_wrong_arguments_are_told(changes: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        JudgesBench(**changes).check()
