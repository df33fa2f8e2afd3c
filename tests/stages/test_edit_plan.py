"""The plan of a run that edits counts what is there, guesses the rest, and touches nothing."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tutelage.edit_pipeline import InstructionDriven
from tutelage.judges.clip_captions import ClipCaptions
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.mining import language
from tutelage.recipes.omniedit import omniedit_debug
from tutelage.run import open_run
from tutelage.sources.toybox import Toybox
from tutelage.stages.edit_plan import edit_plan
from tutelage.stages.edit_probe import EditProbe
from tutelage.stages.plan import Line
from tutelage.stages.settings import EditBenching
from tutelage.teachers.specialists.guild import guild
from tutelage.teachers.specialists.settings import Drawing
from tutelage.training.settings import Schedule


class Model:
    """A language model that knows one edit."""

    def reply(self, requests: Any) -> list[str]:
        said = '{"phrase": "", "caption": "a blue bear toy", "instruction": "make it night"}'
        return ["at night, please" if "rewrite" in one.messages[0].text else said for one in requests]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_sd: Path, tiny_clip: Path) -> InstructionDriven:
    """Of two whole-picture tasks, by small random networks; alt texts are captions."""
    monkeypatch.setattr(language, "language_model", lambda *_: Model())
    plain, clip = omniedit_debug(), {"clip": tiny_clip}
    learning = replace(plain.learning, schedule=Schedule(steps=3, batch=2, lr=1e-4), bf16=False)
    return replace(
        plain, out=tmp_path / "run", base=str(tiny_sd), captioner="", pictures=3,
        crawl=Toybox(path=tmp_path / "crawl", pages=5, size=32), learning=learning, device="cpu",
        ordering=replace(plain.ordering, tasks={"environment": 1.0, "style": 1.0}, edits=1),
        teacher=guild("", Drawing(steps=2, guidance=1.0), plain.teacher.swap.masks),
        clip_image=ClipImage(**clip), clip_direction=ClipDirection(**clip), clip_captions=ClipCaptions(**clip),
        bench=EditBenching(items=2, steps=2, side=32, clip=str(tiny_clip), curve=(1.0,), curve_items=1, curve_runs=2),
    )  # fmt: skip


def lines(run: InstructionDriven, folder: Path, most: int | None = None) -> dict[str, Line]:
    folder.mkdir()
    return {line.step: line for line in islice(edit_plan(run, EditProbe(run, folder)), most)}


def test_before_a_run_all_is_left(run: InstructionDriven, tmp_path: Path) -> None:
    found = lines(run, tmp_path / "probe")
    assert list(found) == ["caption", "order", "teach", "learn", "bench"]
    assert found["caption"].left == "about 3 pictures of 5 pages to be made"
    assert found["order"].left == "about 3 orders for about 3 pictures"
    assert found["teach"].left == "pairs for about 3 orders, how many are kept will be seen"
    assert found["learn"].left == "3 steps of 2 triplets out of about 3"
    assert found["bench"].left == "8 pictures, and their marks"
    assert not any(line.there for line in found.values())
    assert all(found[name].cost.seconds > 0 for name in ("caption", "teach", "learn", "bench"))
    assert all(found[name].cost.bytes > 100 for name in ("caption", "teach", "learn", "bench"))
    assert not run.out.exists()


def test_what_is_there_is_counted(run: InstructionDriven, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_run(run, run.out)
    counts: dict[str, Any] = {step: run.stages()[step]() for step in ("caption", "order")}
    found = lines(run, tmp_path / "probe", 3)
    assert found["caption"].there == f"{counts['caption']['pictures']} pictures"
    assert found["order"].there == f"{counts['order']['assignments']} orders"
    assert not found["caption"].left
    made = run.teach()
    assert lines(run, tmp_path / "again", 3)["teach"].there.startswith(f"{made['triplets']} pairs, ")
    replace(run, dry_run=True, bench=None, only=("teach",)).run()
    assert "pairs" in capsys.readouterr().out
