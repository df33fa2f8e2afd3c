"""Which experts to learn from: fleets of adapters against all weights, DreamBooth and Textual Inversion.

    python benchmarks/experts.py --out bench-experts       # toybox-sd, 24 toys; the same command resumes
    python benchmarks/experts.py --toys 8 --kinds fleet all-weights

Every kind of expert learns held-out toys from four pictures and draws the five questions of `tutelage bench toybox`, in
as many denoising steps and in one number format. Marks are that bench's. `kept` is the share that the judges and the
thresholds of the recipe `suti` keep. Intervals are bootstraps over toys.

Seconds are those of training alone, for one expert: reading its pictures included; drawing left out, by drawing one
picture in one step. On a CPU they are the processor's, summed over cores, so what else the machine does matters little.
Fleets and words train 16 experts together and are divided by 16. They are noted in `seconds/log.jsonl` as they come.
With all four kinds it takes most of an hour on two cores.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
import tyro

from tutelage.benches.base import Row, print_table, write_json
from tutelage.benches.intervals import Interval, bootstrap_ratio
from tutelage.benches.ratios import machine
from tutelage.benches.subjects.figures import rows_of
from tutelage.benches.subjects.questions import SubjectsBench, questions
from tutelage.benches.subjects.toys import toy_clusters
from tutelage.generators.bench import answers_marked
from tutelage.generators.experts import TOYBOX, Expert, expert
from tutelage.generators.folder import assignments
from tutelage.generators.given import file_name
from tutelage.recipes.suti import EXPERTS, suti
from tutelage.run import append_log, read_log
from tutelage.teachers.settings import Sampling
from tutelage.toybox.checkpoints import checkpoint
from tutelage.triplet import Assignment, Provenance, Triplet

Kind = Literal["fleet", "all-weights", "dreambooth", "textual-inversion"]
MARKS: Final = ("subject", "text", "photo", "overall", "texture", "copy")
SECONDS: Final = "seconds"
"""Folder of what training took."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured."""

    kinds: tuple[Kind, ...] = ("fleet", "all-weights", "dreambooth", "textual-inversion")
    """The recipe's fleet; SuTI's expert with all weights; the same with a rare token, its class word and prior
    preservation; and a word of four vectors."""
    toys: int = 24
    renders: int = 2000
    """Real pictures that say what a real picture is like."""
    base: str = "toybox-sd"
    """A shipped checkpoint, a folder, or a Hub id."""
    dtype: Literal["fp32", "bf16"] = "bf16"
    repeats: int = 3
    """Times that training is measured."""
    together: int = 16
    """Experts of a fleet, and words, that train in one batch."""
    out: Path | None = None
    """Folder for pictures and seconds; None: they are not kept."""
    device: str = "auto"
    json: Path | None = None
    """File to write the rows to."""


def main(settings: Settings) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(settings, settings.out or Path(folder))
    print_table(sorted(rows, key=lambda row: (row.protocol, settings.kinds.index(row.row))))
    if settings.json is not None:
        write_json(rows, settings.json)


def measured(settings: Settings, out: Path) -> list[Row]:
    """The rows of all kinds; what `out` holds is not made again."""
    bench = SubjectsBench(subjects=settings.toys, renders=settings.renders)
    experts = {kind: expert_of(kind, settings) for kind in settings.kinds}
    marked = answers_marked(out, list(experts.values()), bench, device=settings.device, workers=1)
    rows = [row for kind in experts for row in rows_of(bench, marked[kind]) if row.metric in MARKS]
    asked, took = assignments(out, questions(bench)), seconds(settings, out / SECONDS, experts)
    for kind in experts:
        rows += kept_rows(kind, kept(settings, out / kind, asked), took[kind], bench)
    return rows


def expert_of(kind: Kind, settings: Settings) -> Expert:
    """An expert as a bench asks it."""
    if kind == "fleet":
        fleet = replace(EXPERTS, size=settings.together, base=checkpoint(settings.base), dtype=settings.dtype)
        return Expert(teacher=replace(fleet, device=settings.device), base=settings.base, called=kind)
    told = replace(TOYBOX, sampling=EXPERTS.sampling)
    made = expert("expert" if kind == "all-weights" else kind, settings.base, told, device=settings.device)
    size = {"size": settings.together} if kind == "textual-inversion" else {}
    return replace(made, teacher=replace(made.teacher, dtype=settings.dtype, **size), called=kind)


def kept(settings: Settings, pictures: Path, asked: Sequence[Assignment]) -> np.ndarray:
    """Pictures of each toy that the recipe's judges keep (toys,)."""
    made = [
        Triplet(
            id=one.id,
            target=(pictures / file_name(one.id)).read_bytes(),
            text=one.text,
            references=one.cluster.references,
            subject=one.cluster.subject,
            skill=one.skill,
            cluster=one.cluster.id,
            provenance=Provenance(teacher=pictures.name, base=settings.base, seed=0),
        )
        for one in asked
    ]
    verdicts = replace(suti(), device=settings.device).panel().judge(made)
    rejected = {verdict.triplet for verdict in verdicts if not verdict.keep}
    numbers = [int(one.cluster) for one in made if one.id not in rejected]
    return np.bincount(numbers, minlength=settings.toys).astype(float)


def kept_rows(kind: Kind, right: np.ndarray, took: Sequence[float], bench: SubjectsBench) -> list[Row]:
    """The share that is kept, the seconds of training, and what is kept for each of them."""
    drawn, median = float(len(bench.skills)), float(np.median(took))

    def row(metric: str, protocol: str, interval: Interval, count: int) -> Row:
        value, low, high = interval
        return Row(bench="toybox", protocol=protocol, row=kind, metric=metric, value=value, low=low, high=high, n=count)

    share = bootstrap_ratio(right, np.full(len(right), drawn), bench.seed)
    rate = Interval(*(None if end is None else end * drawn / median for end in share))
    return [
        row("kept", bench.protocol, share, int(drawn) * len(right)),
        row("seconds of training", machine(), Interval(median, min(took), max(took)), len(took)),
        row(f"of {drawn:.0f} pictures, kept for each second of training", machine(), rate, len(right)),
    ]


def seconds(settings: Settings, folder: Path, experts: Mapping[Kind, Expert]) -> dict[Kind, list[float]]:
    """What training took for one expert of each kind, as often as it is asked for; what is noted is not done again."""
    folder.mkdir(exist_ok=True)
    for kind, one in experts.items():
        noted = sum(row["kind"] == kind for row in read_log(folder))
        for repeat in range(noted, settings.repeats):
            append_log(folder, {"kind": kind, "seconds": training(one, repeat, warm=repeat == noted)})
    rows = list(read_log(folder))
    return {kind: [row["seconds"] for row in rows if row["kind"] == kind] for kind in experts}


def training(expert: Expert, repeat: int, *, warm: bool) -> float:
    """Seconds to train one expert, of those that are trained together; other toys at every repeat."""
    teacher = replace(expert.teacher, sampling=Sampling(samples=1, steps=1, guidance=1.0))
    count = teacher.at_once
    clusters = toy_clusters(count, first=1000 + repeat * count, pictures=4)
    asked = [Assignment(id=f"{one.id}/00", cluster=one, text=f"a {one.subject}", skill="view") for one in clusters]
    if warm:  # kernels are compiled
        tuple(replace(teacher, training=replace(teacher.training, steps=2)).teach(asked))
    teacher._model  # noqa: B018  # it is loaded
    clock = time.process_time if teacher._model.pipeline.device.type == "cpu" else time.perf_counter
    started = clock()
    assert len(tuple(teacher.teach(asked))) == count, "an expert diverged"
    return (clock() - started) / count


if __name__ == "__main__":
    main(tyro.cli(Settings))
