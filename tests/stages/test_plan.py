"""A plan counts what is there, guesses the rest, and touches nothing."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.judges.delta_clip import DeltaClip
from tutelage.judges.likeness import Likeness
from tutelage.judges.safety import OFF, Safety
from tutelage.mining.records import read_pages
from tutelage.mining.settings import Mining, Rule
from tutelage.pipeline import SubjectDriven
from tutelage.run import append_log, open_run, read_log
from tutelage.sources.toybox import Toybox
from tutelage.stages.plan import Count, Line, plan, print_plan
from tutelage.stages.probe import Probe
from tutelage.stages.settings import Benching, Imagining, Learning
from tutelage.teachers.dreambooth import DreamBooth
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.training.settings import Schedule

Make = Callable[..., SubjectDriven]
PAGES = 9


@pytest.fixture
def make(tmp_path: Path, tiny_sd: Path, tiny_clip: Path, tiny_vit: Path) -> Make:
    """A run of random networks on a small crawl; all of its pages with enough pictures are kept."""
    anything = Rule(low=-1.0, high=1.0, duplicate=1.5)
    settings = SubjectDriven(
        out=tmp_path / "run",
        base=str(tiny_sd),
        crawl=Toybox(path=tmp_path / "crawl", pages=PAGES, size=32),
        mining=Mining(encoder=str(tiny_vit), duplicates="", rule=anything, captioner="", parts=2),
        imagining=Imagining(prompts=2),
        teacher=Fleet(
            base="",
            size=2,
            training=Training(steps=3, batch=1, optimiser="adamw", lr=1e-3),
            sampling=Sampling(samples=2, steps=2),
            lora=Lora(rank=2),
        ),
        delta_clip=DeltaClip(clip=str(tiny_clip)),
        likeness=Likeness(network=str(tiny_vit), high=1.0),
        safety=Safety(classifier=OFF),
        learning=Learning(
            schedule=Schedule(steps=4, batch=2, lr=1e-4, warmup=1),
            gate={"delta-clip": (-2.0, 2.0), "likeness": (-1.0, 1.0)},
            bf16=False,
        ),
        device="cpu",
    )
    return lambda **changes: replace(settings, **changes)


def lines(run: SubjectDriven, folder: Path, looked_at: int | None = None) -> dict[str, Line]:
    """The first lines of a plan, or all."""
    folder.mkdir()
    return {line.step: line for line in islice(plan(run, Probe(run, folder)), looked_at)}


def files(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")} if folder.exists() else {}


def test_before_a_run_all_is_left(make: Make, tmp_path: Path) -> None:
    """The pages are counted; what will become of them is a guess from a few that are made elsewhere."""
    run = make(bench=Benching(subjects=2))
    found = lines(run, tmp_path / "probe")
    assert list(found) == ["mine", "imagine", "teach", "learn", "bench"]
    assert found["mine"].left.startswith(f"make and mine {PAGES} pages: about ")
    assert "prompts for about" in found["imagine"].left
    assert "how many are kept will be seen" in found["teach"].left
    assert found["learn"].left.startswith("4 steps of 2 triplets out of about ")
    assert found["bench"].left == "30 pictures, and their marks"
    assert not any(line.there for line in found.values())
    assert all(line.cost.seconds > 0 for name, line in found.items() if name != "imagine")
    assert all(found[name].cost.bytes > 1000 for name in ("mine", "teach", "learn", "bench"))
    assert not run.out.exists()
    assert not run.crawl.path.exists()


def test_what_is_there_is_counted(make: Make, tmp_path: Path) -> None:
    """Step after step, until nothing is left; a plan between two steps writes to neither run nor crawl."""
    run = make()
    open_run(run, run.out)
    counts, said = {}, {}
    for step, looked_at in {"mine": 2, "imagine": 3, "teach": 4, "learn": 4}.items():
        counts[step] = run.stages()[step]()
        before = files(run.out) | files(run.crawl.path)
        said[step] = found = lines(run, tmp_path / f"probe-{step}", looked_at)
        assert files(run.out) | files(run.crawl.path) == before
        done = list(found).index(step) + 1
        assert [bool(line.left) for line in found.values()] == [False] * done + [True] * (looked_at - done)
        assert not any(line.cost.seconds for line in list(found.values())[:done])
    subjects, prompts = counts["mine"]["clusters"], counts["imagine"]["assignments"]
    assert said["mine"]["mine"].there == f"{PAGES} pages, {subjects} clusters"
    assert said["mine"]["imagine"].left == f"about {2 * subjects} prompts for {subjects} subjects"
    assert said["imagine"]["teach"].left.startswith(f"{2 * prompts} triplets, ")
    assert said["imagine"]["teach"].cost.seconds > 0
    made = len(Corpus(run.out / "corpus"))
    assert counts["teach"]["triplets"] == made == 2 * prompts
    assert said["teach"]["learn"].left == f"4 steps of 2 triplets out of {made}"
    assert said["learn"]["teach"].there == f"{made} triplets, {made} kept"
    assert said["learn"]["learn"].there == "finished"


def test_half_a_crawl_is_mined(make: Make, tmp_path: Path) -> None:
    run = make()
    run.mine()
    (run.out / "mined" / "finished").unlink()
    first, second = sorted((run.out / "mined" / "pages").glob("*.parquet"))
    second.unlink()
    done = sum(1 for _ in read_pages(first.parent))
    found = lines(run, tmp_path / "probe", 1)
    assert found["mine"].there.startswith(f"{done} pages, ")
    assert found["mine"].left.startswith(f"mine {PAGES - done} pages: about ")


def test_a_run_that_was_stopped_says_how_fast_it_was(make: Make, tmp_path: Path) -> None:
    run = make(imagining=Imagining(subjects=4, prompts=2))
    for step in ("mine", "imagine", "teach"):
        run.stages()[step]()
    log = run.out / "taught" / "log.jsonl"
    first, second = read_log(log.parent)
    log.unlink()
    append_log(log.parent, first | {"seconds": 50.0})
    made = len(Corpus(run.out / "corpus"))
    found = lines(replace(run, workers=2), tmp_path / "probe", 3)
    assert found["teach"].there == f"{first['triplets']} triplets, {first['triplets']} kept"
    assert found["teach"].left == f"{second['triplets']} triplets, about {made} kept in all"
    assert found["teach"].cost.seconds == pytest.approx(25.0)


def test_without_experts_and_from_a_folder(make: Make, tmp_path: Path, make_cluster: Callable[..., object]) -> None:
    """Pages that are there are counted by their addresses, and targets are the subjects' own pictures."""
    for key in ("a", "b"):
        (tmp_path / "pages" / key).mkdir(parents=True)
        for at, reference in enumerate(make_cluster(key, sizes=((96, 96),) * 3).references):  # type: ignore[attr-defined]
            (tmp_path / "pages" / key / f"{at}.png").write_bytes(reference.picture.data)
            (tmp_path / "pages" / key / f"{at}.txt").write_text("a red bear toy")
    imagining = Imagining(words="captions", prompts=3)
    found = lines(make(pages=str(tmp_path / "pages"), teacher=None, imagining=imagining), tmp_path / "probe")
    assert found["mine"].left == "mine 2 pages: about 2 clusters"
    assert found["imagine"].left == "about 6 prompts for about 2 subjects"
    assert found["teach"].left.startswith("about 6 triplets")


def test_an_expert_after_another_and_no_page_worth_keeping(make: Make, tmp_path: Path) -> None:
    """Where a few pages gave no subject, their pictures stand for one."""
    teacher = DreamBooth(base="", training=Training(steps=3, batch=1), sampling=Sampling(samples=1, steps=2))
    run = make(teacher=teacher, bench=Benching(subjects=1))
    found = lines(replace(run, mining=replace(run.mining, rule=Rule(low=-1.0, high=-0.99))), tmp_path / "probe")
    assert found["mine"].left.endswith(": of a few, none was kept")
    assert found["teach"].left == ""
    assert found["bench"].cost.seconds > 0


def test_the_plan_is_printed(make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """And a run that is asked for one does nothing else."""
    monkeypatch.setenv("COLUMNS", "200")
    run = make(dry_run=True, teacher=None, imagining=Imagining(words="captions"))
    run.run()
    printed = capsys.readouterr()
    rows = [line.split()[0] for line in printed.out.splitlines() if line]
    assert rows[2:7] == ["mine", "imagine", "teach", "learn", "all"]
    assert f"make and mine {PAGES} pages" in printed.out
    assert '"about": extrapolated from a short probe' in printed.out
    assert "mining a few pages …" in printed.err
    assert not run.out.exists()
    with pytest.raises(BadInput, match="not there; give `toybox`"):
        print_plan(replace(run, pages="none"))


@given(value=st.floats(0, 1e9))
def test_guesses_are_rounded_to_two_digits(value: float) -> None:
    shown = str(Count(value, sure=False)).removeprefix("about ").replace(",", "")
    assert abs(float(shown) - value) <= max(0.5, 0.051 * value)
    assert len(shown.rstrip("0")) <= 2 or value < 100
    assert str(Count(math.floor(value))) == f"{math.floor(value):,}"
