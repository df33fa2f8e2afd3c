"""Generative Data Refinement as a run: pairs of any layout in, judged before and after, resumable."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage.cli import main
from tutelage.corpus.exports.base import export_corpus
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.editing.refine import Refinement
from tutelage.errors import BadInput
from tutelage.refine_pipeline import Refining
from tutelage.run import read_log
from tutelage.stages import refined
from tutelage.stages.refined import compared, count_pairs, pairs_at
from tutelage.triplet import Verdict

COUNT = 5
"""Of `pairs`."""


def test_killed_it_goes_on_and_says_what_it_brings(
    make_refining: Callable[..., Refining],
    killed: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, drawn = make_refining(), list[str]()
    monkeypatch.setattr(refined, "SHARD", 2)
    plain = Refinement.refine

    def stopping(self: Refinement, several: Any) -> Any:
        if len(drawn) == 2:
            raise killed
        drawn.extend(one.id for one in several)
        return plain(self, several)

    with monkeypatch.context() as patch:
        patch.setattr(Refinement, "refine", stopping)
        with pytest.raises(killed):
            run.run()
    assert len(Corpus(run.out / "corpus")) == 2
    run.run()
    given, made = Corpus(run.out / "given"), Corpus(run.out / "corpus")
    assert [one.id for one in made.triplets(None)] == [f"{one.id}/refined" for one in given.triplets(None)]
    assert [row["shard"] for row in read_log(run.out / "taught")] == [0, 1, 2]
    rows = {(row.row, row.metric): row for row in compared(run.out, 0)}
    assert {name for name, _ in rows} == {"before", "after", "gain"}
    assert (rows["after", "clip-image, kept"].value, rows["after", "clip-direction, kept"].value) == (1.0, 0.0)
    means = [rows[name, "clip-image"].value for name in ("before", "after", "gain")]
    assert means[1] - means[0] == pytest.approx(means[2])  # type: ignore[operator]
    assert rows["gain", "clip-image"].n == COUNT
    assert "refine: 5 pairs" in capsys.readouterr().out
    assert len(json.loads((run.out / "rows.json").read_text())) == len(rows)
    assert 'id="pairs"' in (run.out / "report.html").read_text()
    run.run()
    assert len(Corpus(run.out / "corpus")) == COUNT


def test_only_what_was_kept_goes_on(pairs: Path) -> None:
    first, *others = (one.id for one in pairs_at(pairs))
    with Committer(pairs) as committer:
        committer.append([], [Verdict(triplet=first, judge="strict", score=0.0, keep=False, reason="no")])
    assert [one.id for one in pairs_at(pairs, kept=True)] == others
    assert (count_pairs(pairs, kept=True), count_pairs(pairs)) == (COUNT - 1, COUNT)


def test_any_layout_is_read(pairs: Path, tmp_path: Path) -> None:
    every = list(pairs_at(pairs))
    for layout in ("instruct-pix2pix", "omniedit"):
        export_corpus(Corpus(pairs), tmp_path / layout, layout)
        assert len(list(pairs_at(tmp_path / layout))) == len(every) == COUNT
    with pytest.raises(BadInput, match="give a corpus, or edits in the layout of omniedit or instruct-pix2pix"):
        next(pairs_at(tmp_path / "nowhere"))


def test_captions_that_lack_are_asked_for(
    make_refining: Callable[..., Refining], pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OmniEdit's layout has none."""
    from tutelage.mining import language

    class Says:
        def caption(self, pictures: Any) -> list[str]:
            return [f"picture {len(data)}" for data in pictures]

    export_corpus(Corpus(pairs), tmp_path / "set", "omniedit")
    with pytest.raises(BadInput, match="need a caption each to be refined; give a --captioner"):
        make_refining(data=tmp_path / "set").run()
    monkeypatch.setattr(language, "captioner", lambda *_: Says())
    run = make_refining(data=tmp_path / "set", out=tmp_path / "captioned", captioner="toybox", pairs=2)
    assert run.take() == {"pairs": 2, "kept": 0}
    for one in Corpus(run.out / "given").triplets(None):
        assert (one.references[0].caption[:7], one.caption[:7]) == ("picture", "picture")


def test_the_command_refuses_what_is_wrong(
    make_refining: Callable[..., Refining], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadInput, match="pairs is 0; give at least 1"):
        make_refining(pairs=0)
    words = ["run", "refine", "--out", str(tmp_path / "run"), "--data", str(tmp_path / "none"), "--device", "cpu"]
    assert main(words) == 2
    assert "none: not there; give a corpus" in capsys.readouterr().err
