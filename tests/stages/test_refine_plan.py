"""The plan of a run that refines counts what is there, guesses the rest, and touches nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tutelage.cli import main
from tutelage.corpus.exports.base import export_corpus
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.refine_pipeline import Refining
from tutelage.run import open_run
from tutelage.stages import refined
from tutelage.stages.plan import Line
from tutelage.stages.refine_plan import refine_plan
from tutelage.stages.refine_probe import RefineProbe
from tutelage.stages.refined import FINISHED, GIVEN, count_pairs, pairs_at


def lines(run: Refining, folder: Path) -> dict[str, Line]:
    folder.mkdir()
    return {line.step: line for line in refine_plan(run, RefineProbe(run, folder))}


def test_before_a_run_all_is_left(make_refining: Callable[..., Refining], tiny_sd: Path, tmp_path: Path) -> None:
    run = make_refining(pairs=3)
    run = replace(run, refinement=replace(run.refinement, refiner=tiny_sd, refiner_steps=3))
    found = lines(run, tmp_path / "probe")
    assert [(line.step, line.there, line.left) for line in found.values()] == [
        ("take", "", "3 pairs as they are"), ("refine", "", "3 pairs drawn anew"),
    ]  # fmt: skip
    assert all(line.cost.seconds > 0 and line.cost.bytes > 100 for line in found.values())
    assert not run.out.exists()


def test_what_is_there_is_counted(
    make_refining: Callable[..., Refining],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(refined, "SHARD", 2)
    run = make_refining()
    open_run(run, run.out)
    with Committer(run.out / GIVEN) as committer:  # as far as a run that was killed came
        committer.append(list(pairs_at(run.data))[:2])
    half = lines(run, tmp_path / "half")
    assert (half["take"].there, half["take"].left) == ("2 pairs", "3 pairs as they are")
    assert half["refine"].left == "5 pairs drawn anew"
    taken = run.take()
    assert (run.out / GIVEN / FINISHED).exists()
    assert lines(run, tmp_path / "taken")["take"] == Line(step="take", there=f"5 pairs, {taken['kept']} kept")
    made = run.refine()
    assert lines(run, tmp_path / "all")["refine"] == Line(step="refine", there=f"5 pairs, {made['kept']} kept")
    replace(run, dry_run=True).run()
    assert "5 pairs" in capsys.readouterr().out
    assert not (run.out / "rows.json").exists()


def test_pairs_of_any_layout_are_counted(pairs: Path, tmp_path: Path) -> None:
    assert count_pairs(pairs) == len(list(pairs_at(pairs))) == 5
    for layout in ("instruct-pix2pix", "omniedit"):
        export_corpus(Corpus(pairs), tmp_path / layout, layout)
        assert count_pairs(tmp_path / layout) == 5
    with pytest.raises(BadInput, match="give a corpus"):
        count_pairs(tmp_path / "nowhere")


def test_the_command_plans_and_does_nothing(
    pairs: Path, tiny_sd: Path, tiny_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "refine", "--out", tmp_path / "run", "--data", pairs, "--device", "cpu", "--dry-run"]
    words += ["--refinement.base", tiny_sd, "--clip-image.clip", tiny_clip, "--clip-direction.clip", tiny_clip]
    assert main([str(word) for word in words]) == 0
    said = capsys.readouterr().out
    assert "5 pairs as they are" in said
    assert "5 pairs drawn anew" in said
    assert not (tmp_path / "run").exists()
