"""`tutelage distill`, whole: marks in, a judge out, the same judge again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from invented_truth import Invented

from tutelage.cli import main
from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.judges.distilled import Distilled
from tutelage.judging import distil as distilling
from tutelage.judging.distil import Distillation, distil, learnt_from, part_of
from tutelage.judging.known import Remembered
from tutelage.triplet import Triplet


@pytest.fixture
def told(corpus_folder: Path, tiny_clip: Path, tmp_path: Path) -> Distillation:
    return Distillation(
        corpus=corpus_folder, labels="strict", most=10, out=tmp_path / "judge", clip=str(tiny_clip), network="",
        steps=40, precision=0.6, device="cpu",
    )  # fmt: skip


def rows_of(path: Path) -> dict[tuple[str, str], dict]:
    return {(row["row"], row["metric"]): row for row in json.loads(path.read_text(encoding="utf-8"))}


@pytest.mark.e2e
def test_the_command_makes_a_judge(told: Distillation, triplets: list[Triplet], tiny_clip: Path, capsys) -> None:
    command = ["distill", "--from", str(told.corpus), "--labels", "strict", "--most", "10", "--out", str(told.out)]
    command += ["--clip", str(tiny_clip), "--network", "", "--steps", "40", "--precision", "0.6", "--device", "cpu"]
    assert main(command) == 0
    assert "unseen clusters" in capsys.readouterr().out
    found = rows_of(told.out / "rows.json")
    good = found["strict", "share of good: overall"]
    assert good["value"] == pytest.approx(2 / 3)
    with_strong = found["distilled", "Spearman with strict: overall"]
    assert with_strong["n"] == good["n"] > 10
    assert -1 <= with_strong["low"] <= with_strong["value"] <= with_strong["high"] <= 1
    judge = Distilled(model=told.out, clip=tiny_clip, threshold=0.5, device="cpu")
    assert all(verdict.score is not None for verdict in judge.judge(triplets[:3]))


def test_it_is_the_same_again_and_looks_once(told: Distillation, monkeypatch: pytest.MonkeyPatch) -> None:
    first, heard = distil(told)
    weights = (told.out / "model.safetensors").read_bytes()
    monkeypatch.setattr(Corpus, "take", None)
    second, again = distil(told)
    assert (told.out / "model.safetensors").read_bytes() == weights
    assert first.config == second.config
    np.testing.assert_array_equal(heard.said["overall"], again.said["overall"])
    with pytest.raises(TypeError):  # of fewer triplets it has to look anew
        distil(replace(told, clusters=30))


def test_no_cluster_is_in_two_parts_and_tests_are_not_learnt(told: Distillation, triplets: list[Triplet]) -> None:
    _, heard = distil(told)
    test = [triplet.cluster for triplet in triplets if part_of(triplet.cluster) == "test"]
    assert sorted(heard.clusters) == sorted(test)
    taught = learnt_from(told.out)
    assert taught | set(test) == {triplet.cluster for triplet in triplets}
    assert not taught & set(test)
    assert learnt_from(told.out / "elsewhere") == set()
    assert {part_of(triplet.cluster) for triplet in triplets} == {"learn", "choose", "test"}


def test_the_oracle_is_a_strong_judge_with_raters(
    told: Distillation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tutelage.judging import bench
    from tutelage.judging.distilled_figures import rows_of as figures

    monkeypatch.setattr(bench, "crawl_truth", lambda *_: Invented())
    sure = replace(told, labels="oracle", truth=tmp_path / "labels.jsonl", noise=0.0, most=1.0)
    scorer, heard = distil(sure)
    assert {mark: len(marks) for mark, marks in heard.raters.items()} == {"sc": 3, "pq": 3, "overall": 3}
    found = {(row.row, row.metric): row for row in figures(heard, scorer.config)}
    assert found["raters", "Spearman with raters: sc"].value == pytest.approx(1)
    assert found["oracle", "share of good: sc"].value == pytest.approx(1 / 3)
    _, other = distil(replace(sure, noise=0.2, out=tmp_path / "noisy"))
    assert not np.array_equal(other.raters["sc"][0], other.raters["sc"][1])


def test_truths_are_found_out_once(triplets: list[Triplet], tmp_path: Path) -> None:
    knower = Invented()
    lost = replace(triplets[0], id="lost/0", text="another text")
    asked = [*triplets[:4], lost]
    first = Remembered(knower, tmp_path / "truths", "p").truths(asked[:3])
    every = Remembered(knower, tmp_path / "truths", "p").truths(asked)
    assert knower.asked == 5
    assert (every[:3], every[4]) == (first, "lost")
    Remembered(knower, tmp_path / "truths", "another protocol").truths(asked)
    assert knower.asked == 10


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labels": "oracle"}, "give --truth"),
        ({"precision": 1.0}, "--precision 1: choose a share"),
        ({"good": 0.0}, "--good 0: choose a share"),
        ({"most": 0.0}, "--most 0"),
        ({"clusters": 0}, "--clusters 0: give at least 1"),
        ({"json": Path("absent/rows.json")}, "a folder that exists"),
    ],
)
def test_wrong_arguments_are_told(told: Distillation, changes: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        replace(told, **changes).check()


def test_parts_have_the_sizes_they_are_said_to_have() -> None:
    parts = [part_of(f"{number:04x}") for number in range(5000)]
    assert [parts.count(name) / 5000 for name in ("learn", "choose", "test")] == pytest.approx(
        [0.6, 0.2, 0.2], abs=0.02
    )
    assert distilling.PARTS.count("learn") == 3
