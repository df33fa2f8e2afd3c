"""Figure 6, the filter and the first version: one student, or one corpus, and one thing that is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from tutelage.benches.subjects.figures import METRICS
from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.generators.fewer import Fewer
from tutelage.generators.networks import Student
from tutelage.reproduce import parts
from tutelage.reproduce.claims import Claim, Said, above, check
from tutelage.reproduce.measured import Measured, measured
from tutelage.reproduce.paper import FIGURE6, FILTERED, UNFILTERED
from tutelage.reproduce.result import Result
from tutelage.reproduce.settings import MOST, Experiment, Filter
from tutelage.reproduce.students import Trained, copy_paste, learning, named_alone, suti, train
from tutelage.stages.taught import CORPUS

JUDGE: Final = "delta-clip"
LIKENESS: Final = "likeness"
AS_FEW: Final = "as-few"
MANY: Final = 5
"""Demonstrations, at most, in Figure 6."""
WELL: Final = 0.10
"""What "well below" is taken to mean."""


def figure6(experiment: Experiment) -> Result:
    """Figure 6: the student by how many demonstrations it is shown."""
    student = suti(experiment)
    generators = [Fewer(generator=_student(experiment, student), demonstrations=count) for count in range(MANY + 1)]
    found = measured(experiment, generators, "figure6", demonstrations=MANY)
    return Result(
        name="figure6",
        title="Figure 6: number of demonstrations",
        about="One student, shown the first 0 to 5 of the same pictures of each toy, with the same noise.",
        metrics=tuple(METRICS),
        rows=found.rows,
        said=_checked(figure6_claims(), found, experiment),
        paper=FIGURE6,
        students={"student": {"triplets": student.triplets, "steps": student.steps}},
        experiment=experiment,
        folder=found.folder,
        axis={f"student-{count}": float(count) for count in range(MANY + 1)},
    )


def figure6_claims() -> list[Claim]:
    """It "first increases drastically and then gradually converges"."""
    marks = {count: FIGURE6[f"student-{count}"]["overall"] for count in range(1, MANY + 1)}
    steps = [
        above(f"{count} demonstrations are better than {count - 1}", "overall", f"student-{count}",
              f"student-{count - 1}", paper=round(marks[count] - marks[count - 1], 3))
        for count in range(2, MANY + 1)
    ]  # fmt: skip
    early = {"student-3": 2.0, "student-1": -1.0, "student-5": -1.0}
    return [
        above("Without demonstrations the subject is not known", "subject", "student-1", "student-0"),
        above("5 demonstrations are better than 1", "overall", "student-5", "student-1", paper=0.18),
        Claim(text="From 1 to 3 more is gained than from 3 to 5", metric="overall", weights=early, paper=0.10),
        *steps,
    ]


def filter_(experiment: Filter) -> Result:
    """Section 5.3: students of one corpus by the ΔCLIP that is asked of its triplets, all with the same steps."""
    students = {name_of(least): _filtered(experiment, least) for least in (None, *experiment.thresholds)}
    names = list(students)
    students[AS_FEW] = _as_few(experiment, students[names[-1]].triplets)
    generators = [replace(_student(experiment, made), name=name) for name, made in students.items()]
    found = measured(experiment, generators, "filter")
    return Result(
        name="filter",
        title="The filter: ΔCLIP and the student",
        about="One corpus, one limit moved: every student has the same steps, batch and learning rate, and sees what "
        "passes. Likeness "
        + ("has the run's limits. " if experiment.likeness else "has no limits. ")
        + "A stricter filter leaves less to learn from, so one student more is shown as many triplets as pass the "
        "strictest, drawn by chance from all.",
        metrics=tuple(METRICS),
        rows=found.rows,
        said=_checked(filter_claims(names), found, experiment),
        paper={names[0]: {"overall": UNFILTERED}, names[-1]: {"overall": FILTERED}},
        students={name: {"triplets": made.triplets, "steps": made.steps} for name, made in students.items()},
        experiment=experiment,
        folder=found.folder,
        axis={name: float(place) for place, name in enumerate(names)},
    )


def name_of(least: float | None) -> str:
    """The student of a threshold."""
    return "unfiltered" if least is None else f"delta-{least:g}"


def filter_claims(names: Sequence[str]) -> list[Claim]:
    """The score "can steadily increase from 0.54 to 0.82"."""
    first, *_, last = names
    middle = (len(names) - 1) / 2
    rising = {name: place - middle for place, name in enumerate(names)}
    return [
        above("The strictest filter is better than none", "overall", last, first, paper=FILTERED - UNFILTERED),
        above("… by following the text better", "text", last, first),
        above("… and keeping the subject better", "subject", last, first),
        Claim(text="Quality rises with the threshold (slope over its ranks)", metric="overall", weights=rising),
        *(above(f"{name} is better than none", "overall", name, first) for name in names[1:-1]),
        above("The strictest filter is better than as few triplets by chance", "overall", last, AS_FEW),
        above("… by following the text better", "text", last, AS_FEW),
        above("Fewer triplets are worse, by chance as well", "overall", first, AS_FEW),
    ]


def copied(experiment: Experiment) -> Result:
    """The first version, trained from one picture of a subject to another, beside the real one."""
    students = {"student": suti(experiment), "copy-paste": copy_paste(experiment)}
    students["named-alone"] = named_alone(experiment)
    generators = [replace(_student(experiment, made), name=name) for name, made in students.items()]
    found = measured(experiment, generators, "copy-paste")
    claims = [
        above(f"The first version follows the text worse, by more than {WELL:g}", "text", "student", "copy-paste",
              least=WELL),
        above("It hands back demonstrations more often", "copy", "copy-paste", "student"),
        above("It is worse in all", "overall", "student", "copy-paste"),
        above(f"Where captions name the subject alone it follows the text worse, by more than {WELL:g}", "text",
              "student", "named-alone", least=WELL),
        above("… and hands back demonstrations more often", "copy", "named-alone", "student"),
        above("Captions that say what is shown are why it follows the text", "text", "copy-paste", "named-alone"),
    ]  # fmt: skip
    return Result(
        name="copy-paste",
        title="The first version: copy and paste",
        about="Students of the same subjects with the same steps, batch and learning rate: of experts' pictures of "
        "unseen prompts, and of the subjects' own pictures (the k-th as the target of the others), by captions that "
        "say what is shown or name the subject alone. The paper's talk says that the second copies and pastes "
        "whatever the text; it gives no figures.",
        metrics=tuple(METRICS),
        rows=found.rows,
        said=_checked(claims, found, experiment),
        paper={},
        students={name: {"triplets": made.triplets, "steps": made.steps} for name, made in students.items()},
        experiment=experiment,
        folder=found.folder,
        axis={},
    )


def _filtered(experiment: Filter, least: float | None) -> Trained:
    how = learning(experiment)
    gate = gate_of(how.gate, least, experiment.likeness)
    return train(experiment, name_of(least), replace(how, gate=gate), experiment.run / CORPUS)


def _as_few(experiment: Filter, count: int) -> Trained:
    """A student of so many triplets of those that the first one sees."""
    how, corpus = learning(experiment), Corpus(experiment.run / CORPUS)
    rows = corpus.rows(Gate(bands=gate_of(how.gate, None, experiment.likeness)))
    part = parts.write_part(
        corpus, parts.draw_part(corpus, rows, count).tolist(), experiment.out / parts.CORPORA / AS_FEW
    )
    return train(experiment, AS_FEW, replace(how, gate={}), part)


def gate_of(
    run: Mapping[str, tuple[float, float]], least: float | None, likeness: bool
) -> dict[str, tuple[float, float]]:
    """A run's limits with another ΔCLIP, and without one on likeness if it is not asked."""
    free = {} if likeness else {LIKENESS: (-MOST, MOST)}
    return {**run, JUDGE: (-MOST if least is None else least, MOST), **free}


def _student(experiment: Experiment, made: Trained) -> Student:
    return Student(
        model=made.model,
        seed=experiment.seed,
        steps=experiment.steps,
        text=experiment.text_guidance,
        references=experiment.subject_guidance,
        device=experiment.device,
    )


def _checked(claims: Sequence[Claim], found: Measured, experiment: Experiment) -> list[Said]:
    return [said for claim in claims if (said := check(claim, found.sums, experiment.seed))]
