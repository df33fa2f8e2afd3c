"""What a run directory holds, at whatever stage the run is."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tutelage.errors import BadInput
from tutelage.report.bench import Bench, read_bench
from tutelage.report.edits import EDITS, Edits, read_edits
from tutelage.report.wording import number
from tutelage.run import CONFIG, read_log

if TYPE_CHECKING:
    from tutelage.corpus.reader import Corpus
    from tutelage.mining.mine import Mined

Floats = NDArray[np.float64]

STAGES: Final = ("mine", "imagine", "caption", "order", "pair", "take", "refine", "teach", "learn", "bench")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What the log says of one stage."""

    name: str
    seconds: float
    """All its rows together: a stage that was stopped and resumed has several."""
    ended: float
    """Seconds since 1970; NaN if the log does not say."""
    counts: Mapping[str, Any]
    """Of its last row."""


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The student's loss."""

    step: Floats
    """(N,), rising."""
    loss: Floats
    """(N,), NaN or infinite where training went wrong."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A run, as far as it got."""

    folder: Path
    recipe: str
    version: str
    """Of tutelage."""
    config: Mapping[str, Any]
    stages: tuple[Stage, ...]
    """In the order of `STAGES`, then others as they come in the log."""
    mined: "Mined | None"
    corpus: "Corpus | None"
    kept: NDArray[np.bool_]
    """(N,), row by row of the corpus: whether every judge kept it."""
    losses: Losses | None
    bench: Bench | None
    edits: Edits | None = None

    @property
    def edited(self) -> bool:
        """Whether it is a run of edits by instruction."""
        return bool({"ordering", "made_by", "refinement"} & self.config.keys())

    def count(self, stage: str, name: str) -> int | None:
        """A count that a stage left in the log."""
        said = next((number(each.counts.get(name)) for each in self.stages if each.name == stage), math.nan)
        return int(said) if math.isfinite(said) else None


def find(run: Path) -> Found:
    """Read a run directory.

    Raises:
        BadInput: it is none, or a file in it is not what its name says.
    """
    header = _header(run / CONFIG)
    corpus = _corpus(run / "corpus")
    return Found(
        folder=run,
        recipe=str(header.get("recipe", "")),
        version=str(header.get("tutelage", "")),
        config=header["config"],
        stages=tuple(_stages(run)),
        mined=_mined(run / "mined"),
        corpus=corpus,
        kept=_kept(corpus),
        losses=_losses(run / "student"),
        bench=read_bench(run / "bench"),
        edits=read_edits(run / EDITS),
    )


def _header(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read ({error}); give the folder of a run") from error
    if not isinstance(header, dict) or not isinstance(header.get("config"), dict):
        raise BadInput(f"{path} is not a run's config; give the folder of a run")
    return header


def _stages(run: Path) -> Iterator[Stage]:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in STAGES}
    for row in read_log(run):
        if isinstance(row.get("stage"), str):
            rows.setdefault(row["stage"], []).append(row)
    for name, told in rows.items():
        if told:
            seconds = sum(spent for row in told if math.isfinite(spent := number(row.get("seconds"))))
            yield Stage(name=name, seconds=seconds, ended=number(told[-1].get("time")), counts=told[-1])


def _mined(folder: Path) -> "Mined | None":
    from tutelage.mining.mine import PAGES, mined

    return mined(folder) if any((folder / PAGES).glob("*.parquet")) else None


def _corpus(folder: Path) -> "Corpus | None":
    from tutelage.corpus.reader import Corpus
    from tutelage.corpus.tables import MARKER

    # Looked at once: all parts of the page tell of the same rows, though experts may be drawing more.
    return Corpus(folder, refresh=math.inf) if (folder / MARKER).exists() else None


def _kept(corpus: "Corpus | None") -> NDArray[np.bool_]:
    kept = np.zeros(len(corpus) if corpus is not None else 0, bool)
    if corpus is not None:
        kept[corpus.rows()] = True
    return kept


def _losses(folder: Path) -> Losses | None:
    """Steps that were done again after a kill count as they were done last."""
    rows = {number(row["step"]): number(row["loss"]) for row in read_log(folder) if {"step", "loss"} <= row.keys()}
    steps = sorted(step for step in rows if math.isfinite(step))
    if not steps:
        return None
    return Losses(step=np.asarray(steps), loss=np.asarray([rows[step] for step in steps]))
