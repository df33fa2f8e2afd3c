"""Tables 1 to 3: the student beside what it replaces, and what it becomes when it is trained once more."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tutelage.benches.base import Row
from tutelage.benches.subjects.figures import BYTES, METRICS, WHOLE_SECONDS
from tutelage.generators.base import Generator
from tutelage.generators.command import ToyboxBench
from tutelage.reproduce.claims import Claim, Said, above, check
from tutelage.reproduce.measured import AUTOMATIC, Measured, measured
from tutelage.reproduce.paper import SECONDS, TABLE1, TABLE2, TABLE3, Figures
from tutelage.reproduce.result import Result
from tutelage.reproduce.settings import Tables
from tutelage.reproduce.students import Trained, re_imagen, suti

FOLDER: Final = "tables"
PAR: Final = 0.02
"""Figures within this are "on par": the paper calls .304 and .306 that."""

DINO, CLIP_I, CLIP_T = AUTOMATIC
CLAIMS1: Final = (
    above("SuTI keeps the subject better than DreamBooth", DINO, "student", "dreambooth", paper=0.741 - 0.696),
    above("… by CLIP-I it is at least on par", CLIP_I, "student", "dreambooth", least=-PAR, paper=0.819 - 0.812),
    above("… and on par in the text", CLIP_T, "student", "dreambooth", least=-PAR, paper=0.304 - 0.306),
    above("SuTI keeps the subject better than Textual Inversion", DINO, "student", "textual-inversion",
          paper=0.741 - 0.569),
    above("… and follows the text better", CLIP_T, "student", "textual-inversion", paper=0.304 - 0.255),
    above("SuTI keeps the subject better than Re-Imagen", DINO, "student", "re-imagen", paper=0.741 - 0.600),
    above("… and follows the text better", CLIP_T, "student", "re-imagen", paper=0.304 - 0.270),
)  # fmt: skip
CLAIMS2: Final = (
    above("SuTI is better than DreamBooth", "overall", "student", "dreambooth", paper=0.82 - 0.77),
    above("… mainly by following the text better", "text", "student", "dreambooth", paper=0.90 - 0.82),
    above("… while DreamBooth's pictures look more real", "photo", "dreambooth", "student", paper=0.98 - 0.92),
    above("SuTI is better than Textual Inversion", "overall", "student", "textual-inversion", paper=0.82 - 0.14),
    above("SuTI is better than null-text inversion", "overall", "student", "null-text", paper=0.82 - 0.10),
    above("SuTI is better than Imagic", "overall", "student", "imagic", paper=0.82 - 0.28),
    above("SuTI is better than Re-Imagen", "overall", "student", "re-imagen", paper=0.82 - 0.42),
    above("… and keeps the subject better", "subject", "student", "re-imagen", paper=0.90 - 0.70),
    above("Imagic follows the text worse than DreamBooth", "text", "dreambooth", "imagic", paper=0.82 - 0.34),
)
CLAIMS3: Final = (
    above("Dream-SuTI is better than SuTI", "overall", "dream-suti", "student", paper=0.87 - 0.82),
    above("… it keeps the subject better", "subject", "dream-suti", "student", paper=0.92 - 0.90),
    above("… and follows the text better", "text", "dream-suti", "student", paper=0.92 - 0.90),
    above("Dream-SuTI is better than DreamBooth", "overall", "dream-suti", "dreambooth", paper=0.87 - 0.77),
)
ABOUT: Final = (
    "All draw the same toys, which no training has seen, from the same four pictures and prompts, in as many steps and "
    "with the same weight of guidance, students from .8 of the time on and the others throughout. The student and "
    "Re-Imagen are trained on the same subjects, for as many steps, with the same batch and learning rate; the others "
    "start from the same base and are tuned on each toy."
)


def table1(experiment: Tables) -> Result:
    """Table 1: automatic evaluation."""
    return _table(experiment, "table1", "Table 1: automatic evaluation", AUTOMATIC, CLAIMS1, TABLE1)


def table2(experiment: Tables) -> Result:
    """Table 2: subject, text, photorealism and all three, which people marked there and known truth does here."""
    metrics = (*METRICS, WHOLE_SECONDS, BYTES)
    return _table(experiment, "table2", "Table 2: all baselines", metrics, CLAIMS2, TABLE2)


def table3(experiment: Tables) -> Result:
    """Table 3: the student, trained once more on each subject."""
    metrics = (*METRICS, WHOLE_SECONDS, BYTES)
    return _table(experiment, "table3", "Table 3: Dream-SuTI", metrics, CLAIMS3, TABLE3, ("dream-suti", "dreambooth"))


def _table(
    experiment: Tables,
    name: str,
    title: str,
    metrics: Sequence[str],
    claims: Sequence[Claim],
    paper: Figures,
    only: Sequence[str] | None = None,
) -> Result:
    students = {"student": suti(experiment)}
    if only is None:
        students["re-imagen"] = re_imagen(experiment)
    beside = [one for one in experiment.beside if only is None or one in only]
    found = measured(experiment, _generators(experiment, students, beside), FOLDER, first="student")
    said = [one for claim in claims if (one := check(claim, found.sums, experiment.seed))]
    return Result(
        name=name,
        title=title,
        about=ABOUT,
        metrics=metrics,
        rows=found.rows,
        said=[*said, *(_faster(found) if name == "table2" else ())],
        paper=paper,
        students={one: {"triplets": made.triplets, "steps": made.steps} for one, made in students.items()},
        experiment=experiment,
        folder=found.folder,
        axis={},
    )


def _generators(experiment: Tables, students: dict[str, Trained], beside: Sequence[str]) -> list[Generator]:
    sampling = replace(experiment.experts.sampling, steps=experiment.steps, guidance=experiment.text_guidance)
    told = ToyboxBench(
        student=str(students["student"].model),
        re_imagen=str(students["re-imagen"].model) if "re-imagen" in students else None,
        beside=tuple(beside),
        seed=experiment.seed,
        steps=experiment.steps,
        text_guidance=experiment.text_guidance,
        subject_guidance=experiment.subject_guidance,
        base=experiment.base,
        experts=replace(experiment.experts, sampling=sampling),
        tuning=experiment.tuning,
        device=experiment.device,
    )
    told.check()
    return told.generators()


def _faster(found: Measured) -> list[Said]:
    """How many times faster the student draws a new subject; the paper's are of what its Table 2 says of time."""
    rows = {row.metric: row for row in found.rows if row.row == "student"}
    names = [one for one in SECONDS if f"times faster than {one}" in rows]
    return [_said(rows[f"times faster than {one}"], one) for one in names if one != "student"]


def _said(row: Row, other: str) -> Said:
    claim = Claim(
        text=f"SuTI draws a new subject faster than {other} (times)",
        metric=row.metric,
        weights={"student": 1.0},
        least=1.0,
        paper=SECONDS[other] / SECONDS["student"],
    )
    return Said(claim=claim, value=row.value, low=row.low, high=row.high, subjects=row.n)
