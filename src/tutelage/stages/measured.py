"""The student beside its experts and real renders, on toys that nobody has seen."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from tutelage.benches.subjects.questions import SubjectsBench
from tutelage.generators.base import Generator
from tutelage.generators.bench import run_bench
from tutelage.generators.experts import Expert, expert
from tutelage.generators.networks import Student
from tutelage.stages.learnt import MODEL
from tutelage.stages.settings import Benching
from tutelage.teachers.base import Teacher
from tutelage.teachers.fleet import Fleet

BENCH: Final = "bench"
"""Folder of a run: questions, answers and figures."""


def measure(how: Benching, teacher: Teacher | None, base: str, device: str, out: Path) -> dict[str, int]:
    """Ask the student of `out` and whoever stands beside it; how many pictures were measured.

    Raises:
        BadInput: a student or the base cannot be loaded.
    """
    bench, generators = bench_of(how), answering(how, teacher, base, device, out)
    run_bench(out / BENCH, generators, bench, device=device)
    return {"pictures": how.subjects * len(bench.skills) * (1 + len(generators))}


def answering(how: Benching, teacher: Teacher | None, base: str, device: str, out: Path) -> list[Generator]:
    """Who answers: the student, others like it, experts and baselines."""
    generators: list[Generator] = [Student(model=out / MODEL, interleaved=how.interleaved, device=device)]
    generators += [Student(model=name, name=name, device=device) for name in how.beside]
    if how.experts and teacher is not None:
        generators.append(Expert(teacher=_alone(teacher), base=base))
    return [*generators, *(expert(name, base, device=device) for name in how.baselines)]


def bench_of(how: Benching) -> SubjectsBench:
    """Which questions are asked."""
    return SubjectsBench(subjects=how.subjects, renders=how.renders)


def _alone(teacher: Teacher) -> Teacher:
    """One expert after another: what one takes is part of what is measured. Their adapters are not the run's."""
    return replace(teacher, size=1, keep=None) if isinstance(teacher, Fleet) else teacher
