"""How far a run is, told from its logs alone: the run may be in another process, be over, or have been killed."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tutelage.errors import BadInput
from tutelage.report.charts import Floats
from tutelage.report.wording import duration, number
from tutelage.run import CONFIG, read_log

RECENT: Final = 12
"""Rows of a log that a rate is taken from."""
LIVE: Final = 120.0
"""Seconds since the last row within which a run counts as at work; experts take minutes a shard."""
STAGES: Final[Mapping[str, str]] = {
    "mine": "Mining", "imagine": "Prompts", "teach": "Experts", "learn": "Student", "bench": "Bench",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Stage:
    """How far one stage is."""

    name: str
    share: float | None
    """In [0, 1]; None where it is not known."""
    count: str
    """What was done so far, in words."""
    rate: str = ""
    """How fast, and how long yet, if it is not done."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A run now."""

    recipe: str
    stages: tuple[Stage, ...]
    steps: Floats
    """(N,), rising; of whatever is trained in the run."""
    losses: Floats
    """(N,)."""
    latest: float
    """Seconds since 1970 of the newest row; NaN if there is none."""
    reported: bool
    """Whether there is enough for a report: the run is one of teachers and students."""

    def state(self, now: float) -> str:
        """In words."""
        if not math.isfinite(self.latest):
            return "nothing logged yet"
        if self.stages and all(stage.share == 1 for stage in self.stages) and not self._open():
            return "done"
        ago = now - self.latest
        return f"at work, last heard of {duration(ago)} ago" if ago < LIVE else f"quiet for {duration(ago)}"

    def _open(self) -> bool:
        return bool({*STAGES.values()} - {stage.name for stage in self.stages}) and self.reported


def watch(run: Path) -> Watched:
    """Read a run's logs.

    Raises:
        BadInput: it is no run, or a line of a log is no row.
    """
    header = _header(run / CONFIG)
    own, taught, learnt = (list(read_log(folder)) for folder in (run, run / "taught", run / "student"))
    training = learnt or [row for row in own if "loss" in row]
    pairs = {number(row["step"]): number(row["loss"]) for row in training if {"step", "loss"} <= row.keys()}
    steps = np.asarray(sorted(step for step in pairs if math.isfinite(step)), np.float64)
    stages = [*_staged(run, header["config"], own, taught, learnt)]
    if not stages and len(steps):
        stages = [_training(header["config"], training, "Training")]
    times = [time for row in (*own, *taught, *learnt) if math.isfinite(time := number(row.get("time")))]
    return Watched(
        recipe=str(header.get("recipe", "")),
        stages=tuple(stages),
        steps=steps,
        losses=np.asarray([pairs[step] for step in steps], np.float64),
        latest=max(times, default=math.nan),
        reported=any(isinstance(row.get("stage"), str) for row in own),
    )


def rate(rows: Sequence[Mapping[str, Any]], of: str, *, rising: bool = False) -> float:
    """What `of` counts a second, over the last rows; NaN if that cannot be told.

    `rising` says that `of` is a total; else it is what each row added.
    """
    recent = [row for row in rows if math.isfinite(number(row.get("time"))) and math.isfinite(number(row.get(of)))]
    recent = recent[-RECENT:]
    if len(recent) < 2:
        return math.nan
    seconds = number(recent[-1]["time"]) - number(recent[0]["time"])
    counts = [number(row[of]) for row in recent]
    return (counts[-1] - counts[0] if rising else sum(counts[1:])) / seconds if seconds > 0 else math.nan


def _staged(
    run: Path, config: Mapping[str, Any], own: Sequence[Mapping[str, Any]], taught: list[dict[str, Any]],
    learnt: list[dict[str, Any]],
) -> Iterator[Stage]:  # fmt: skip
    """The stages of a run of teachers and students, those that have begun."""
    ended = {row["stage"]: row for row in own if isinstance(row.get("stage"), str)}
    for name, what in (("mine", "clusters"), ("imagine", "assignments")):
        if name in ended:
            yield Stage(name=STAGES[name], share=1.0, count=f"{_whole(ended[name].get(what))} {what}")
    if "teach" in ended:
        row = ended["teach"]
        about = f"{_whole(row.get('triplets'))} triplets, {_whole(row.get('kept'))} kept"
        yield Stage(name=STAGES["teach"], share=1.0, count=about, rate=_speed(rate(taught, "triplets"), "triplets"))
    elif taught:
        yield _teaching(ended.get("imagine", {}), taught)
    if "learn" in ended:
        steps = _whole(learnt[-1].get("step") if learnt else ended["learn"].get("steps"))
        yield Stage(name=STAGES["learn"], share=1.0, count=f"{steps} steps")
    elif learnt:
        yield _training(_header(run / "student" / CONFIG)["config"], learnt, STAGES["learn"])
    yield from _benching(run / "bench", "bench" in ended)


def _teaching(imagined: Mapping[str, Any], taught: list[dict[str, Any]]) -> Stage:
    done = sum(number(row.get("assignments")) for row in taught)
    total = number(imagined.get("assignments"))
    made, kept = (sum(number(row.get(name)) for row in taught) for name in ("triplets", "kept"))
    speed = rate(taught, "assignments")
    return Stage(
        name=STAGES["teach"],
        share=min(done / total, 1.0) if total > 0 else None,
        count=f"{_whole(made)} triplets, {_whole(kept)} kept",
        rate=_speed(rate(taught, "triplets"), "triplets") + _left((total - done) / speed if speed else math.nan),
    )


def _training(config: Mapping[str, Any], rows: list[dict[str, Any]], name: str) -> Stage:
    done, total = number(rows[-1].get("step")), _steps(config)
    speed = rate(rows, "step", rising=True)
    share = min(done / total, 1.0) if total > 0 else None
    count = f"step {_whole(done)}" + (f" of {_whole(total)}" if total > 0 else "")
    return Stage(
        name=name,
        share=share,
        count=count,
        rate=_speed(speed, "steps") + _left((total - done) / speed if speed else math.nan),
    )


def _benching(bench: Path, ended: bool) -> Iterator[Stage]:
    questions = bench / "questions.jsonl"
    if not questions.exists():
        return
    asked = sum(1 for line in questions.read_text(encoding="utf-8", errors="replace").splitlines() if line)
    folders = [path.parent for path in bench.glob("*/log.jsonl")]
    drawn = sum(1 for folder in folders for _ in folder.glob("*.png"))
    whole = asked * max(1, len(folders))
    count = f"{drawn:,} of {whole:,} pictures"
    yield Stage(name=STAGES["bench"], share=1.0 if ended else min(drawn / max(whole, 1), 1.0), count=count)


def _steps(config: Mapping[str, Any]) -> float:
    """The setting `steps`, wherever it is in the schedule of what is trained."""
    schedule = config.get("schedule")
    return number((schedule if isinstance(schedule, dict) else config).get("steps"))


def _speed(rate: float, what: str) -> str:
    if not math.isfinite(rate) or rate <= 0:
        return ""
    return f"{rate:.1f} {what} a second" if rate >= 1 else f"{60 * rate:.1f} {what} a minute"


def _left(seconds: float) -> str:
    return f", {duration(seconds)} left" if math.isfinite(seconds) and seconds > 0 else ""


def _whole(value: Any) -> str:
    count = number(value)
    return f"{int(count):,}" if math.isfinite(count) else "–"


def _header(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read ({error}); give the folder of a run") from error
    if not isinstance(header, dict) or not isinstance(header.get("config"), dict):
        raise BadInput(f"{path} is not a run's config; give the folder of a run")
    return header
