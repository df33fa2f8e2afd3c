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
STUDENT: Final = "Student"
KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "mining": {"mine": "Mining", "imagine": "Prompts", "teach": "Experts", "learn": STUDENT, "bench": "Bench"},
    "ordering": {"caption": "Captions", "order": "Orders", "teach": "Specialists", "learn": STUDENT, "bench": "Bench"},
    "made_by": {"pair": "Pairs", "learn": STUDENT},
    "refinement": {"take": "Pairs as they came", "refine": "Pairs drawn anew"},
}
"""A setting that one kind of run alone has → its stages, in order."""
MAKING: Final = ("teach", "pair", "refine")
"""Stages that note their shards in `taught`."""
TOTALS: Final = {"imagine": "assignments", "order": "assignments", "take": "pairs"}
"""Stage → what it counts for the next one to work through."""


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
    missing: tuple[str, ...]
    """Stages that have not ended."""
    reported: bool
    """Whether there is enough for a report: the run is one of teachers and students."""

    def state(self, now: float) -> str:
        """In words."""
        if not math.isfinite(self.latest):
            return "nothing logged yet"
        if not self.missing and self.stages and all(stage.share == 1 for stage in self.stages):
            return "done"
        ago = now - self.latest
        return f"at work, last heard of {duration(ago)} ago" if ago < LIVE else f"quiet for {duration(ago)}"


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
    planned = _planned(header["config"])
    ended = {row["stage"]: row for row in own if isinstance(row.get("stage"), str)}
    stages = [*_staged(run, planned, ended, taught, learnt)]
    if not planned and len(steps):
        stages = [_training(header["config"], training, "Training")]
    times = [time for row in (*own, *taught, *learnt) if math.isfinite(time := number(row.get("time")))]
    return Watched(
        recipe=str(header.get("recipe", "")),
        stages=tuple(stages),
        steps=steps,
        losses=np.asarray([pairs[step] for step in steps], np.float64),
        latest=max(times, default=math.nan),
        missing=tuple(name for name in planned if name not in ended),
        reported=bool(ended),
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


def _planned(config: Mapping[str, Any]) -> dict[str, str]:
    """The stages of a run of teachers and students, those it was not told to leave out; none of any other run."""
    stages = next((stages for setting, stages in KINDS.items() if setting in config), {})
    return {stage: name for stage, name in stages.items() if stage != "bench" or config.get("bench") is not None}


def _staged(
    run: Path, planned: Mapping[str, str], ended: Mapping[str, Mapping[str, Any]], taught: list[dict[str, Any]],
    learnt: list[dict[str, Any]],
) -> Iterator[Stage]:  # fmt: skip
    """Those that have begun."""
    total = math.nan
    for stage, name in planned.items():
        if stage in ended:
            speed = _speed(rate(taught, "triplets"), "triplets") if stage in MAKING else ""
            yield Stage(name=name, share=1.0, count=_counted(ended[stage]), rate=speed)
            total = number(ended[stage].get(TOTALS.get(stage, "")))
        elif stage in MAKING and taught:
            yield _making(name, total, taught)
        elif stage == "learn" and learnt:
            yield _training(_header(run / "student" / CONFIG)["config"], learnt, name)
        elif stage == "bench":
            yield from _benching(run / "bench", name)


def _counted(row: Mapping[str, Any]) -> str:
    """What a stage counted."""
    counts = {name: value for name, value in row.items() if name not in ("stage", "seconds", "time")}
    return ", ".join(f"{_whole(value)} {name}" for name, value in counts.items() if value)


def _making(name: str, total: float, rows: list[dict[str, Any]]) -> Stage:
    """Triplets, shard by shard."""
    done = sum(number(row.get("assignments")) for row in rows)
    made, kept = (sum(number(row.get(name)) for row in rows) for name in ("triplets", "kept"))
    speed = rate(rows, "assignments")
    return Stage(
        name=name,
        share=min(done / total, 1.0) if total > 0 else None,
        count=f"{_whole(made)} triplets, {_whole(kept)} kept",
        rate=_speed(rate(rows, "triplets"), "triplets") + _left((total - done) / speed if speed else math.nan),
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


def _benching(bench: Path, name: str) -> Iterator[Stage]:
    questions = bench / "questions.jsonl"
    if not questions.exists():
        return
    asked = sum(1 for line in questions.read_text(encoding="utf-8", errors="replace").splitlines() if line)
    folders = [path.parent for path in bench.glob("*/log.jsonl")]
    drawn = sum(1 for folder in folders for _ in folder.glob("*.png"))
    whole = asked * max(1, len(folders))
    count = f"{drawn:,} of {whole:,} pictures"
    yield Stage(name=name, share=min(drawn / max(whole, 1), 1.0), count=count)


def _steps(config: Mapping[str, Any]) -> float:
    """The setting `steps`, wherever it is in the schedule of what is trained."""
    schedule = config.get("schedule")
    return number((schedule if isinstance(schedule, dict) else config).get("steps"))


def _speed(rate: float, what: str) -> str:
    if not math.isfinite(rate) or rate <= 0:
        return ""
    each = {"second": 1, "minute": 60, "hour": 3600}
    unit = next((unit for unit, seconds in each.items() if rate * seconds >= 1), "hour")
    return f"{rate * each[unit]:.1f} {what} {'an' if unit == 'hour' else 'a'} {unit}"


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
