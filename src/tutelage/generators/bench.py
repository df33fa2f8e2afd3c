"""The toybox bench from questions to figures: every generator answers, every answer is marked, a sheet shows some."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tutelage.benches.base import AtMost, Row, Targets
from tutelage.benches.subjects.examiner import Examiner
from tutelage.benches.subjects.figures import BENCH, Marked, comparison, rows_of
from tutelage.benches.subjects.questions import Question, SubjectsBench, questions
from tutelage.errors import BadInput
from tutelage.generators.base import Generator
from tutelage.generators.experts import Expert
from tutelage.generators.folder import (
    DEMONSTRATIONS,
    assignments,
    draw_answers,
    pictures_of,
    seconds_of,
    shown,
    whole_seconds_of,
    write_questions,
)
from tutelage.generators.given import Images, Renders, file_name
from tutelage.generators.networks import Student
from tutelage.generators.sheet import write_sheet
from tutelage.run import open_run, write_atomic

ROWS: Final = "rows.json"

REACHED: Final[Mapping[str, float | AtMost]] = {
    "subject": 0.80,
    "text": 0.90,
    "overall": 0.65,
    "copy": AtMost(0.03),
}
"""Metric → what a student must reach."""
BESIDE_EXPERTS: Final[Mapping[str, float]] = {"subject above": -0.10, "text above": -0.02, "times faster than": 20}
"""The same of figures beside an expert's."""
EXPERTS: Final = ("expert", "fleet")
"""Those that a student learns from."""


def run_bench(
    out: Path,
    generators: Sequence[Generator],
    bench: SubjectsBench,
    *,
    device: str = "auto",
    workers: int = 2,
) -> list[Row]:
    """Have the generators answer, mark them beside real renders, and write `rows.json` and `sheet.png` into `out`.

    The same call resumes. Later calls may have more generators, questions or candidates.

    Args:
        out: run directory, as in `folder`.
        generators: who answers; students are compared with experts.
        bench: which questions.
        device: of the networks that mark.
        workers: processes that render.

    Raises:
        BadInput: two generators have one name, `out` holds another bench, or a generator cannot answer.
    """
    every = [Renders(bench=bench), *generators]
    marked = answers_marked(out, every, bench, device=device, workers=workers)
    rows = figures_of(marked, bench)
    rows += [row for pair in _pairs(every) for row in comparison(bench, *(marked[one.name] for one in pair))]
    write_figures(out, rows, marked, bench)
    return rows


def figures_of(marked: Mapping[str, Marked], bench: SubjectsBench) -> list[Row]:
    """The figures of each generator."""
    return [row for one in marked.values() for row in rows_of(bench, one)]


def write_figures(out: Path, rows: Sequence[Row], names: Iterable[str], bench: SubjectsBench) -> None:
    """Write `rows.json`, and `sheet.png` of the generators of these names."""
    write_atomic(out / ROWS, (json.dumps([asdict(row) for row in rows], indent=1, allow_nan=False) + "\n").encode())
    write_sheet(out, list(names), questions(bench))


def answers_marked(
    out: Path, generators: Sequence[Generator], bench: SubjectsBench, *, device: str, workers: int
) -> dict[str, Marked]:
    """Have the generators answer what they have not, and mark all answers; name → marks. See `run_bench`."""
    _check_names([generator.name for generator in generators])
    open_run(bench, out)
    asked = questions(bench)
    write_questions(out, asked)
    given = assignments(out, asked)
    for generator in generators:
        draw_answers(out, generator, generator.there(given) if isinstance(generator, Images) else given)
    examiner = Examiner.prepare(bench, device, workers)
    return {generator.name: _marked(out, generator, asked, examiner) for generator in generators}


def targets(generators: Sequence[Generator]) -> Targets:
    """What the students among them must reach."""
    goals = dict(REACHED)
    for one in generators:
        if isinstance(one, Expert) and one.name in EXPERTS:
            goals |= {f"{metric} {one.name}": least for metric, least in BESIDE_EXPERTS.items()}
    names = [generator.name for generator in generators if isinstance(generator, Student)]
    return {(BENCH, name, metric): least for name in names for metric, least in goals.items()}


def _check_names(names: Sequence[str]) -> None:
    if twice := [name for at, name in enumerate(names) if name in (*names[:at], DEMONSTRATIONS)]:
        raise BadInput(f"two parts of the bench are called '{twice[0]}'; give the generator another name")


def _marked(out: Path, generator: Generator, every: Sequence[Question], examiner: Examiner) -> Marked:
    asked = [question for question in every if (out / generator.name / file_name(question.id)).exists()]
    answers = pictures_of(out / generator.name / file_name(question.id) for question in asked)
    files = {question.toy: shown(question) for question in asked}
    demonstrations = {toy: pictures_of(out / name for name in names) for toy, names in files.items()}
    numbers, folder = {question.number for question in asked}, out / generator.name
    seconds = seconds_of(folder) if generator.timed else {}
    return Marked(
        name=generator.name,
        questions=asked,
        marks=examiner.mark(asked, answers, demonstrations),
        seconds={number: taken for number, taken in seconds.items() if number in numbers},
        whole_seconds=whole_seconds_of(folder, asked) if generator.timed else {},
        bytes_kept=generator.bytes_kept(len(asked) // len(numbers)),
    )


def _pairs(generators: Sequence[Generator]) -> list[tuple[Generator, Generator]]:
    students = [one for one in generators if isinstance(one, Student)]
    return [(student, expert) for student in students for expert in generators if isinstance(expert, Expert)]
