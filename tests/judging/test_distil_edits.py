"""`tutelage distill` of edits: marks by an oracle, captions in the features, a threshold for each task."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spoilt_edits import toys, triplet, write_labels
from tutelage.cli import main
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.judges.distillation.features import grained_features, tell
from tutelage.judges.distillation.scorer import Scorer
from tutelage.judges.distilled import Distilled
from tutelage.judges.pairs import PairJudge
from tutelage.judging.distil import CHOOSE, LEARN, TEST, part_of
from tutelage.judging.thresholds import FEW, task_thresholds, thresholds
from tutelage.recipes.omniedit import omniedit
from tutelage.triplet import Triplet

SIDE = (64, 64)
NEW = ("by_task", "captions")
"""Settings that older folders lack."""


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A corpus of true edits and spoilt ones, most of them to learn from, and the labels of their pictures."""
    folder, edits = tmp_path_factory.mktemp("edits"), []
    whole = [one for one in toys(90) if one[1].task in ("background", "environment", "style")]  # these can be read
    for part, count in ((LEARN, 11), (CHOOSE, 1), (TEST, 2)):
        edits += [one for one in whole if part_of(f"{one[0]:04d}") == part][:count]
    with Committer(folder / "corpus") as committer:
        committer.append([triplet(edit, number, fault, SIDE) for number, edit in edits for fault in ("none", "idle")])
    return folder / "corpus", write_labels(folder / "labels.jsonl", edits)


@pytest.mark.e2e
def test_an_oracle_of_edits_makes_a_judge_that_judges_a_corpus(
    crawl: tuple[Path, Path], tiny_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, labels = crawl
    out = tmp_path / "judge"
    asked = ["--from", str(corpus), "--labels", "oracle", "--truth", str(labels), "--noise", "0", "--device", "cpu"]
    made = ["--out", str(out), "--clip", str(tiny_clip), "--network", "", "--steps", "20", "--precision", "0.2"]
    assert main(["distill", *asked, *made]) == 0
    rows = {(row["row"], row["metric"]): row for row in json.loads((out / "rows.json").read_text())}
    assert 0 < rows["oracle", "share of good: sc"]["value"] < 1
    assert any(metric.startswith("precision: overall for 0.2 | ") for _, metric in rows)
    assert Scorer.load(out).config.captions
    capsys.readouterr()
    seats = ["--distilled.model", str(out), "--distilled.clip", str(tiny_clip), "--distilled.device", "cpu"]
    assert main(["judge", str(corpus), "--panel", "distilled", *seats, "--distilled.threshold", "0"]) == 0
    assert capsys.readouterr().out.startswith(f"distilled: kept {len(Corpus(corpus))} of {len(Corpus(corpus))}")


def test_captions_are_told_only_where_they_are_asked_for(tiny_clip: Path) -> None:
    clip = grained_features(tiny_clip, "cpu")
    [(number, edit), *_] = toys(2)
    one = triplet(edit, number, "none", SIDE)
    silent = replace(one, caption="a bear toy on the beach")
    plain, other = (tell([each], clip, None, 8) for each in (one, silent))
    assert np.array_equal(plain.consistency, other.consistency)
    told, differs = (tell([each], clip, None, 8, captions=True) for each in (one, silent))
    np.testing.assert_allclose(told.consistency[:, : plain.consistency.shape[1]], plain.consistency, atol=1e-5)
    assert not np.array_equal(told.consistency, differs.consistency)
    assert told.quality.shape[1] > plain.quality.shape[1]


def thresholded(folder: Path, out: Path, **changes: object) -> Path:
    """The scorer of a folder with other thresholds, in another."""
    scorer = Scorer.load(folder)
    scorer.config = replace(scorer.config, **changes)  # type: ignore[arg-type]
    scorer.save(out)
    return out


def test_each_task_is_kept_by_its_own_threshold(
    tiny_scorer: Path, tiny_clip: Path, make_triplet, tmp_path: Path
) -> None:
    def keeps(triplets: list[Triplet], **changes: object) -> list[tuple[bool, str]]:
        folder = thresholded(tiny_scorer, tmp_path / f"{len(list(tmp_path.iterdir()))}", **changes)
        said = Distilled(model=folder, clip=tiny_clip, device="cpu").judge(triplets)
        return [(one.keep, one.reason.partition(": ")[2]) for one in said]

    triplets = [make_triplet("a", skill=skill) for skill in ("swap", "style", "removal")]
    own = {"swap": {"overall": 0.0}, "style": {"overall": None}}
    [swap, style, removal] = keeps(triplets, thresholds={"overall": 1.0}, by_task=own)
    assert swap == (True, "")
    assert style == (False, "no threshold gave the precision 0.9 for style")
    assert removal[0] is False
    assert "below 1.000" in removal[1]
    assert keeps(triplets[:1], thresholds={"overall": None}, by_task=own) == [swap]
    with pytest.raises(BadInput, match="no threshold on 'overall' gave the precision"):
        keeps(triplets, thresholds={"overall": None}, by_task={"style": {"overall": None}})


def test_a_task_with_few_marks_has_the_thresholds_of_all() -> None:
    tasks = ["swap"] * FEW + ["style"] * (FEW - 1) + [""] * 40
    rng = np.random.default_rng(0)
    said = {"sc": rng.random(len(tasks))}
    marks = {"sc": (said["sc"] > 0.4).astype(float)}
    every = np.ones(len(tasks), bool)
    found = task_thresholds(said, marks, every, tasks, 0.9, 0.8)
    swaps = np.asarray(tasks) == "swap"
    assert found == {"swap": thresholds(said, marks, swaps, 0.9, 0.8)}
    marks["sc"][0] = np.nan
    assert task_thresholds(said, marks, every, tasks, 0.9, 0.8) == {}


def test_a_judge_from_before_there_were_tasks_is_what_it_was(
    tiny_scorer: Path, tiny_clip: Path, make_triplet, tmp_path: Path
) -> None:
    folder = thresholded(tiny_scorer, tmp_path / "old")
    stored = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({key: stored[key] for key in stored if key not in NEW}))
    triplets = [make_triplet(f"{n}", skill="swap", caption="a hat") for n in range(4)]
    old, new = (Distilled(model=one, clip=tiny_clip, device="cpu").judge(triplets) for one in (folder, tiny_scorer))
    assert old == new


def test_in_a_run_it_decides_in_place_of_thresholds(tiny_scorer: Path) -> None:
    run = omniedit()
    plain, seated = run.panel(), replace(run, distilled=str(tiny_scorer), network="").panel()
    assert "distilled" not in {judge.name for judge in plain.judges}
    least = {judge.name: judge.threshold for judge in seated.judges if isinstance(judge, PairJudge)}
    assert least == {"clip-image": -1.0, "clip-direction": -1.0, "clip-captions": -1.0}
    [judge] = [judge for judge in seated.judges if isinstance(judge, Distilled)]
    assert (judge.model, judge.network) == (str(tiny_scorer), None)
    assert seated.ask_all
