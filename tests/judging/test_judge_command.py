from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tutelage.cli import main
from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.corpus.stats import alone
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.judges import JUDGES
from tutelage.judges.size_and_bytes import SizeAndBytes
from tutelage.judging import command
from tutelage.judging.command import Judging
from tutelage.triplet import Triplet, Verdict

COUNT = 10


@pytest.fixture
def corpus(tmp_path: Path, make_triplet: Any) -> Path:
    """Ten triplets; an earlier judge rejected the first four."""
    triplets = [make_triplet(f"{number}") for number in range(COUNT)]
    said = [Verdict(triplet=one.id, judge="early", score=n, keep=n >= 4) for n, one in enumerate(triplets)]
    with Committer(tmp_path / "corpus") as committer:
        committer.append(triplets, said)
    return tmp_path / "corpus"


def told(corpus: Path) -> dict[tuple[str, str], Verdict]:
    found = Corpus(corpus)
    said = found.verdicts(found.column("id").to_pylist()).values()
    return {(verdict.triplet, verdict.judge): verdict for verdicts in said for verdict in verdicts}


def run(corpus: Path, clip: Path, *more: str, panel: Sequence[str] = ("clip-image", "size-and-bytes")) -> int:
    flags = ["--panel", *panel, *more]
    flags += ["--clip-image.clip", str(clip), "--clip-image.device", "cpu"] if "clip-image" in panel else []
    return main(["judge", str(corpus), *flags])


def test_verdicts_of_further_judges_are_added(
    corpus: Path, tiny_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = told(corpus)
    assert run(corpus, tiny_clip, "--size-and-bytes.side", "8") == 0
    after = told(corpus)
    assert len(after) == 3 * COUNT
    assert early.items() <= after.items()
    triplets = list(Corpus(corpus).triplets(None))
    assert [after[one.id, "size-and-bytes"] for one in triplets] == SizeAndBytes(side=8).judge(triplets)
    rows = {row.judge: row for row in alone(Corpus(corpus))}
    assert list(rows) == ["early", "size-and-bytes", "clip-image"]
    assert all(row.judged == COUNT for row in rows.values())
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: kept {rows[name].kept} of {COUNT} that it had not judged" for name in ("size-and-bytes", "clip-image")
    ]
    scores = sorted(after[one.id, "clip-image"].score or 0.0 for one in triplets)
    assert len(Corpus(corpus).rows(Gate(bands={"early": (0, 99), "clip-image": (scores[5], 2)}))) == 5


def test_again_it_asks_nothing_and_what_is_new_is_asked(
    corpus: Path, tiny_clip: Path, make_triplet: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run(corpus, tiny_clip, panel=("size-and-bytes",))
    before = told(corpus)
    capsys.readouterr()
    run(corpus, tiny_clip, panel=("size-and-bytes",))
    assert told(corpus) == before
    assert capsys.readouterr().out == "size-and-bytes: kept 0 of 0 that it had not judged\n"
    with Committer(corpus) as committer:
        committer.append([make_triplet("new")])
    run(corpus, tiny_clip)
    assert len(told(corpus)) == len(before) + 1 + COUNT + 1


def test_killed_it_goes_on_where_it_was(corpus: Path, tmp_path: Path, tiny_clip: Path, monkeypatch: Any) -> None:
    asked: list[str] = []
    real = SizeAndBytes.judge

    def dying(self: SizeAndBytes, triplets: Sequence[Triplet]) -> list[Verdict]:
        asked.extend(triplet.id for triplet in triplets)
        if len(asked) == 6:
            raise KeyboardInterrupt
        return real(self, triplets)

    monkeypatch.setattr(SizeAndBytes, "judge", dying)
    monkeypatch.setattr("tutelage.corpus.writer.COMMIT_SECONDS", 0.0)
    assert run(corpus, tiny_clip, "--batch", "2", panel=("size-and-bytes",)) == 130
    assert len(told(corpus)) == COUNT + 4
    assert run(corpus, tiny_clip, "--batch", "2", panel=("size-and-bytes",)) == 0
    assert len(told(corpus)) == 2 * COUNT
    assert asked.count("0/0/0") == asked.count("3/0/0") == 1


def test_what_is_rejected_may_be_skipped(corpus: Path, tiny_clip: Path) -> None:
    run(corpus, tiny_clip, "--skip-rejected", "--size-and-bytes.side", "8")
    said = told(corpus)
    assert {name for name, judge in said if judge == "size-and-bytes"} == {f"{n}/0/0" for n in range(4, COUNT)}
    assert {name for name, judge in said if judge == "clip-image"} == {
        name for (name, judge), one in said.items() if judge == "size-and-bytes" and one.keep
    }


def test_other_settings_are_refused_or_replace(
    corpus: Path, tiny_clip: Path, tiny_vit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(corpus, tiny_clip, panel=("size-and-bytes",)) == 0
    before = told(corpus)
    side = ("--size-and-bytes.side", "8")
    assert run(corpus, tiny_clip, *side, panel=("size-and-bytes",)) == 2
    assert "was judged with side = 64, not 8; thresholds can be moved on reading" in capsys.readouterr().err
    assert told(corpus) == before
    for _ in range(2):
        assert run(corpus, tiny_clip, *side, "--replace", panel=("size-and-bytes",)) == 0
    assert "kept 0 of 0" in capsys.readouterr().out.splitlines()[-1]
    after = told(corpus)
    assert after.keys() == before.keys()
    assert [after[key].score != before[key].score for key in after if key[1] == "size-and-bytes"] == [True] * COUNT


def test_networks_are_the_same_wherever_they_are(corpus: Path, tiny_clip: Path, tmp_path: Path) -> None:
    import shutil

    assert run(corpus, tiny_clip, panel=("clip-image",)) == 0
    moved = shutil.copytree(tiny_clip, tmp_path / "moved")
    assert run(corpus, moved, panel=("clip-image",)) == 0


def test_verdicts_of_unknown_settings_are_not_mixed_with_others(
    corpus: Path, tiny_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Committer(corpus) as committer:
        committer.append((), [Verdict(triplet="0/0/0", judge="size-and-bytes", score=1.0, keep=True)])
    assert run(corpus, tiny_clip, panel=("size-and-bytes",)) == 2
    assert "with settings that nobody wrote down" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--panel", "likness"], "no judge 'likness'. Did you mean 'likeness'?"),
        (["--panel=likness"], "no judge 'likness'"),
    ],
)
def test_wrong_flags_are_one_line(
    flags: list[str], says: str, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(corpus), *flags]) == 2
    assert says in capsys.readouterr().err


def test_a_folder_that_is_no_corpus_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", str(tmp_path / "none"), "--panel", "size-and-bytes"]) == 2
    assert "is no corpus" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_judges_bring_their_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["judge", "corpus", "--panel", "likeness", "duplicates-semantic", "--help"])
    shown = capsys.readouterr().out
    assert "--likeness.high" in shown
    assert "--duplicates-semantic.within" in shown
    assert "--delta-clip" not in shown


@pytest.mark.parametrize("name", sorted(JUDGES.keys() - {"oracle"}))
def test_every_judge_can_sit(name: str) -> None:
    made = Judging.for_flags(["corpus", "--panel", name])
    assert name.replace("-", "_") in made.__dataclass_fields__


def test_the_panel_is_the_words_after_its_flag() -> None:
    assert list(command._named(["c", "--panel", "a", "b", "--batch", "3", "--panel=d"])) == ["a", "b", "d"]
    with pytest.raises(BadInput, match="no judge"):
        Judging.for_flags(["--panel", "x"])
    with pytest.raises(BadInput, match="the oracle must be told the truth"):
        Judging.for_flags(["--panel", "oracle"])
    with pytest.raises(BadInput, match="the panel has 0 judges"):
        Judging(corpus=Path("corpus"), panel=())
