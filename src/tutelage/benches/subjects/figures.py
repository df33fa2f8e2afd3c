"""Marks → rows. Pictures of one toy are not independent, so every interval is a bootstrap over toys."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from tutelage.benches.base import Row, interval_row
from tutelage.benches.intervals import Floats, Interval, bootstrap, bootstrap_ratio
from tutelage.benches.subjects.examiner import Mark
from tutelage.benches.subjects.questions import Question, SubjectsBench

BENCH: Final = "toybox"

METRICS: Final[Mapping[str, Callable[[Mark], tuple[float, float]]]] = {
    "subject": lambda mark: (mark.subject, 1),
    "text": lambda mark: (sum(mark.named.values()), len(mark.named)),
    "photo": lambda mark: (mark.photo, 1),
    "overall": lambda mark: (mark.overall, 1),
    "texture": lambda mark: (mark.texture, 1),
    "copy": lambda mark: (mark.copy, 1),
}
"""Metric → what a picture adds to it: how much is right, and of how much. "text" is a share of attributes; for
"overall" all of a prompt's must be there."""
COMPARED: Final = ("subject", "text", "overall")
"""Metrics that a student's experts are the measure of."""
SECONDS: Final = "seconds an image"
WHOLE_SECONDS: Final = "seconds a subject"
BYTES: Final = "bytes a subject"


class Marked(NamedTuple):
    """All answers of one generator; a picture that somebody else was to make may be missing."""

    name: str
    questions: Sequence[Question]
    marks: Sequence[Mark]
    seconds: Mapping[int, float]
    """Number of a toy → what its first picture took, all that is done for a new toy included."""
    whole_seconds: Mapping[int, float] = MappingProxyType({})
    """The same of all its pictures together."""
    bytes_kept: int | None = None
    """What must be kept of a toy to draw its pictures anew; None: nothing is drawn."""


def rows_of(bench: SubjectsBench, marked: Marked) -> list[Row]:
    """Every metric over all pictures, then for each skill; then the median seconds of a new toy's first picture and of
    all its pictures, and the bytes that must be kept of a toy.
    """
    rows = [_share(bench, marked, metric, metric, len(bench.skills)) for metric in METRICS]
    for skill in bench.skills:
        asked = [at for at, question in enumerate(marked.questions) if question.skill == skill]
        part = marked._replace(
            questions=[marked.questions[at] for at in asked], marks=[marked.marks[at] for at in asked]
        )
        rows += [_share(bench, part, metric, f"{metric}: {skill}", 1) for metric in METRICS]
    rows += [_median(bench, marked.name, SECONDS, marked.seconds)] if marked.seconds else []
    rows += [_median(bench, marked.name, WHOLE_SECONDS, marked.whole_seconds)] if marked.whole_seconds else []
    if marked.bytes_kept is not None:
        rows.append(_row(bench, marked.name, BYTES, Interval(marked.bytes_kept, None, None), bench.subjects))
    return rows


def comparison(bench: SubjectsBench, student: Marked, expert: Marked) -> list[Row]:
    """How far a student is above an expert (below: negative), on the same questions; and how many times faster."""
    rows = []
    for metric in COMPARED:
        above = bootstrap(_difference(student, expert, METRICS[metric], bench), bench.subjects, bench.seed)
        rows.append(_row(bench, student.name, f"{metric} above {expert.name}", above, len(student.marks)))
    if both := sorted(student.seconds.keys() & expert.seconds.keys()):
        quick, slow = (np.asarray([one.seconds[toy] for toy in both]) for one in (student, expert))
        ratio = bootstrap(lambda w: weighted_median(slow, w) / weighted_median(quick, w), len(both), bench.seed)
        name = f"times faster than {expert.name}"
        rows.append(_row(bench, student.name, name, ratio, len(both), bench.subjects - len(both)))
    return rows


def _median(bench: SubjectsBench, name: str, metric: str, by_subject: Mapping[int, float]) -> Row:
    times = np.asarray([by_subject[toy] for toy in sorted(by_subject)])
    median = bootstrap(lambda weights: weighted_median(times, weights), len(times), bench.seed)
    return _row(bench, name, metric, median, len(times), bench.subjects - len(times))


def weighted_median(values: Floats, weights: Floats) -> Floats:
    """The lower median (R,) of values (n,) that count as often as weights (R, n) say."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[:, order], 1)
    return np.asarray(values[order][(below >= below[:, -1:] / 2).argmax(1)])


def by_toy(marked: Marked, gives: Callable[[Mark], tuple[float, float]], subjects: int) -> tuple[Floats, Floats]:
    """What the pictures of each toy add up to: right (subjects,), and of how much (subjects,)."""
    right, whole = np.zeros(subjects), np.zeros(subjects)
    for question, mark in zip(marked.questions, marked.marks, strict=True):
        part, of = gives(mark)
        right[question.number] += part
        whole[question.number] += of
    return right, whole


def _difference(
    student: Marked, expert: Marked, gives: Callable[[Mark], tuple[float, float]], bench: SubjectsBench
) -> Callable[[Floats], Floats]:
    mine, theirs = (by_toy(one, gives, bench.subjects) for one in (student, expert))

    def statistic(weights: Floats) -> Floats:
        shares = [(weights @ right) / (weights @ whole) for right, whole in (mine, theirs)]
        return np.asarray(shares[0] - shares[1])

    return statistic


def _share(bench: SubjectsBench, marked: Marked, metric: str, name: str, questions: int) -> Row:
    """Of a metric, where each toy has so many questions."""
    right, whole = by_toy(marked, METRICS[metric], bench.subjects)
    n, interval = len(marked.marks), bootstrap_ratio(right, whole, bench.seed)
    return _row(bench, marked.name, name, interval, n, questions * bench.subjects - n)


def _row(bench: SubjectsBench, name: str, metric: str, interval: Interval, n: int, missing: int = 0) -> Row:
    return interval_row(BENCH, bench.protocol, name, metric, interval, n, missing)
