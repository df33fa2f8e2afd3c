"""The run directory: one config per folder, a log that survives a kill, files that are whole or absent."""

import enum
import json
import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutelage import __version__
from tutelage.errors import BadInput
from tutelage.run import CONFIG, FREE, LOG, append_log, open_run, plain, read_log, run_as, write_atomic


class Precision(enum.Enum):
    FLOAT32 = "float32"


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    lr: float = 1e-3
    clip: float = math.inf
    fused: bool = field(default=False, metadata=FREE)


@dataclass(frozen=True, kw_only=True)
class Config:
    out: Path = Path("runs/x")
    steps: int = 10
    sizes: tuple[int, ...] = (64, 96)
    precision: Precision = Precision.FLOAT32
    device: str = field(default="cpu", metadata=FREE)
    optimizer: Optimizer = Optimizer()


def start(folder: Path, config: Config) -> Path:
    return open_run(replace(config, out=folder), folder)


def test_the_first_call_writes_the_resolved_config(tmp_path: Path) -> None:
    out = start(tmp_path / "a" / "b", Config())
    assert json.loads((out / CONFIG).read_text()) == {
        "recipe": "Config",
        "tutelage": __version__,
        "config": {
            "out": out.as_posix(),
            "steps": 10,
            "sizes": [64, 96],
            "precision": "float32",
            "device": "cpu",
            "optimizer": {"lr": 0.001, "clip": "inf", "fused": False},
        },
    }
    assert [entry.name for entry in out.iterdir()] == [CONFIG]


def test_the_recipe_is_recorded_under_the_name_it_was_run_by(tmp_path: Path) -> None:
    with run_as("toybox-sd"):
        start(tmp_path / "named", Config())
    start(tmp_path / "unnamed", Config())
    recorded = [json.loads((tmp_path / name / CONFIG).read_text())["recipe"] for name in ("named", "unnamed")]
    assert recorded == ["toybox-sd", "Config"]


def test_the_same_config_resumes_and_leaves_the_file_alone(tmp_path: Path) -> None:
    out = start(tmp_path / "run", Config())
    before = (out / CONFIG).read_bytes()
    append_log(out, {"step": 1})
    assert start(out, Config()) == out
    assert (out / CONFIG).read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (Config(steps=11), "steps = 10, not 11"),
        (Config(sizes=(64,)), r"sizes = \[64, 96\], not \[64\]"),
        (Config(optimizer=Optimizer(lr=0.1)), r"optimizer\.lr = 0\.001, not 0\.1"),
        (Config(optimizer=Optimizer(clip=1.0)), r'optimizer\.clip = "inf", not 1\.0'),
        (Config(steps=11, sizes=(64,)), "steps"),
    ],
)
def test_another_config_is_refused_and_the_first_difference_named(tmp_path: Path, changed: Config, says: str) -> None:
    out = start(tmp_path / "run", Config())
    with pytest.raises(BadInput, match=says):
        start(out, changed)


def test_free_fields_may_differ(tmp_path: Path) -> None:
    out = start(tmp_path / "run", Config())
    start(out, Config(device="cuda", optimizer=Optimizer(fused=True)))


def test_a_run_may_be_moved(tmp_path: Path) -> None:
    start(tmp_path / "old", Config()).rename(tmp_path / "new")
    start(tmp_path / "new", Config())


def test_a_field_that_came_later_must_have_its_default(tmp_path: Path) -> None:
    """Runs did without it what the default means."""
    out = start(tmp_path / "run", Config())
    stored = json.loads((out / CONFIG).read_text())
    del stored["config"]["steps"], stored["config"]["optimizer"]["clip"]
    (out / CONFIG).write_text(json.dumps(stored))
    start(out, Config())
    for changed, says in (
        (Config(steps=11), "steps = absent, not 11"),
        (Config(optimizer=Optimizer(clip=1.0)), "clip"),
    ):
        with pytest.raises(BadInput, match=says):
            start(out, changed)


def test_a_removed_field_is_a_difference(tmp_path: Path) -> None:
    out = start(tmp_path / "run", Config())
    stored = json.loads((out / CONFIG).read_text())
    stored["config"]["gone"] = 1
    (out / CONFIG).write_text(json.dumps(stored))
    with pytest.raises(BadInput, match="gone = 1, not absent"):
        start(out, Config())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"config": 3}'])
def test_a_broken_config_is_the_users_to_fix(tmp_path: Path, text: str) -> None:
    (tmp_path / CONFIG).write_text(text)
    with pytest.raises(BadInput, match=r"config\.json is not a run's config"):
        start(tmp_path, Config())


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(BadInput, match="not empty"):
        start(tmp_path, Config())


def test_a_run_killed_before_its_config_was_written_starts_anew(tmp_path: Path) -> None:
    (tmp_path / f".{CONFIG}.0badf00d.tmp").write_text('{"rec')
    start(tmp_path, Config())


def test_a_file_is_no_run_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadInput, match="cannot be made a folder"):
            start(out, Config())


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights"
    write_atomic(path, b"old")

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_are_as_readable_as_any_other(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_the_log_gives_back_its_rows(tmp_path: Path) -> None:
    assert list(read_log(tmp_path)) == []
    rows: list[dict[str, Any]] = [{"step": 1, "loss": 0.5}, {"step": 2, "note": "snow ❄\n, «two lines»"}]
    for row in rows:
        append_log(tmp_path, row)
    assert list(read_log(tmp_path)) == rows


def test_the_log_takes_numbers_of_numpy_and_those_json_lacks(tmp_path: Path) -> None:
    append_log(tmp_path, {"loss": np.float32(0.5), "step": np.int64(3), "worst": math.nan})
    assert list(read_log(tmp_path)) == [{"loss": 0.5, "step": 3, "worst": "nan"}]


row_dicts: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=20)), max_size=3
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(whole=st.lists(row_dicts, max_size=3), torn=row_dicts, after=st.lists(row_dicts, max_size=2), data=st.data())
def test_a_line_torn_by_a_kill_is_lost_alone(
    tmp_path: Path,
    whole: list[dict[str, Any]],
    torn: dict[str, Any],
    after: list[dict[str, Any]],
    data: st.DataObject,
) -> None:
    (tmp_path / LOG).unlink(missing_ok=True)
    for row in [*whole, torn]:
        append_log(tmp_path, row)
    written = (tmp_path / LOG).read_bytes()
    last = written[:-1].rfind(b"\n") + 1
    (tmp_path / LOG).write_bytes(written[: data.draw(st.integers(last, len(written) - 1))])
    assert list(read_log(tmp_path)) == whole
    for row in after:
        append_log(tmp_path, row)
    assert list(read_log(tmp_path)) == [*whole, *after]


def test_a_long_torn_line_is_cut_too(tmp_path: Path) -> None:
    append_log(tmp_path, {"step": 1})
    with (tmp_path / LOG).open("a") as file:
        file.write('{"note": "' + "x" * 10_000)
    append_log(tmp_path, {"step": 2})
    assert list(read_log(tmp_path)) == [{"step": 1}, {"step": 2}]


@pytest.mark.parametrize("line", ["{", "3", '"text"'])
def test_a_broken_line_elsewhere_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / LOG).write_text(f'{{"step": 1}}\n{line}\n{{"step": 2}}\n')
    with pytest.raises(BadInput, match=r"log\.jsonl, line 2"):
        list(read_log(tmp_path))


def test_what_has_no_plain_form_is_a_fault_of_ours() -> None:
    assert plain({"kinds": frozenset({"b", "a"}), "at": Path("a/b"), "none": None}) == {
        "kinds": ["a", "b"],
        "at": "a/b",
        "none": None,
    }
    with pytest.raises(TypeError, match="object"):
        plain({"model": object()})
