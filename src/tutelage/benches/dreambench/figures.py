"""Findings → rows. Pictures of one subject are not independent, so every interval is a bootstrap over subjects."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tutelage.benches.base import Row, interval_row
from tutelage.benches.dreambench.items import Collection, Item, absent_items
from tutelage.benches.dreambench.measures import Told
from tutelage.benches.intervals import Floats, Interval, bootstrap, bootstrap_ratio
from tutelage.benches.subjects.figures import BYTES, SECONDS, WHOLE_SECONDS, weighted_median

COVERAGE: Final = "coverage"
MISSING: Final = "missing: "
"""Begins the name of a figure that counts pictures which gave none, by reason."""

UNRATED: Final = "unrated: "
"""Begins the name of a figure that counts ratings which a rater did not give, by reason."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """All that was found about the pictures of one generator, or of one folder."""

    name: str
    told: Mapping[str, Mapping[str, Told]]
    """Measure → item → its finding."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Item → why there is no picture that can be read."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Subject → what its first picture took, all that is done for a new subject included."""
    whole_seconds: Mapping[str, float] = field(default_factory=dict)
    """The same of all its pictures together."""
    bytes_kept: int | None = None
    """What must be kept of a subject; None: nobody says."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What the rows of one bench have in common."""

    collection: Collection
    asked: Sequence[Item]
    samples: int
    fed: str
    seed: int

    @property
    def size(self) -> str:
        """What was asked for, in words: figures of different sizes are not to be compared."""
        prompts = {len(texts) for texts in self.collection.prompts.values()}
        each = f"{min(prompts)}" if len(prompts) == 1 else f"{min(prompts)} to {max(prompts)}"
        return f"{len(self.collection.prompts)} subjects x {each} prompts x {self.samples}"

    @property
    def whole(self) -> int:
        """Pictures that the bench asks for, those of absent subjects included."""
        return len(self.asked) + sum(absent_items(self.collection, self.samples).values())

    def row(self, protocol: str, name: str, metric: str, interval: Interval, n: int, missing: int = 0) -> Row:
        """A figure; `protocol` is what it is called beyond the bench's size."""
        told = f"{self.size}{', ' if protocol else ''}{protocol}"
        return interval_row(self.collection.bench, told, name, metric, interval, n, missing)

    def by_subject(self, values: Mapping[str, float], among: Sequence[Item] | None = None) -> tuple[Floats, Floats]:
        """Sums (S,) and counts (S,) of pictures' values, item → number, for each subject."""
        at = {subject.name: number for number, subject in enumerate(self.collection.subjects)}
        sums, counts = np.zeros(len(at)), np.zeros(len(at))
        for item in self.asked if among is None else among:
            if item.id in values:
                sums[at[item.subject.name]] += values[item.id]
                counts[at[item.subject.name]] += 1
        return sums, counts

    def mean(self, protocol: str, name: str, metric: str, values: Mapping[str, float], group: str = "") -> Row:
        """The mean over pictures; with `group`, over those whose prompt is of it."""
        among = [item for item in self.asked if group in ("", item.prompt.group)]
        sums, counts = self.by_subject(values, among)
        n, whole = int(counts.sum()), len(among) if group else self.whole
        label = f"{metric}: {group}" if group else metric
        return self.row(protocol, name, label, bootstrap_ratio(sums, counts, self.seed), n, whole - n)

    @property
    def groups(self) -> list[str]:
        """Groups of prompts, if there are any."""
        return [group for group in dict.fromkeys(item.prompt.group for item in self.asked) if group]


def costs(frame: Frame, found: Found) -> list[Row]:
    """Coverage, what is missing and why, and the seconds and bytes a subject."""
    reasons: dict[str, int] = dict(absent_items(frame.collection, frame.samples))
    for why in found.missing.values():
        reasons[why] = reasons.get(why, 0) + 1
    lost, whole = sum(reasons.values()), frame.whole
    rows = [frame.row("", found.name, COVERAGE, Interval((whole - lost) / whole, None, None), whole - lost, lost)]
    rows += [
        frame.row("", found.name, f"{MISSING}{why}", Interval(count, None, None), whole, count)
        for why, count in sorted(reasons.items())
    ]
    for metric, taken in ((SECONDS, found.seconds), (WHOLE_SECONDS, found.whole_seconds)):
        rows += [_median(frame, found.name, metric, taken)] if taken else []
    if found.bytes_kept is not None:
        kept = Interval(found.bytes_kept, None, None)
        rows.append(frame.row("", found.name, BYTES, kept, len(frame.collection.subjects)))
    return rows


def reading(found: Found, measure: str, value: Callable[[Told], float | None]) -> dict[str, float]:
    """Item → the number that `value` reads in a finding; items without one are left out."""
    read = {item: value(told) for item, told in found.told[measure].items()}
    return {item: number for item, number in read.items() if number is not None}


def _median(frame: Frame, name: str, metric: str, taken: Mapping[str, float]) -> Row:
    times = np.asarray([taken[key] for key in sorted(taken)])
    median = bootstrap(lambda weights: weighted_median(times, weights), len(times), frame.seed)
    fed = {item.subject.name if frame.fed == "all" else f"{item.subject.name}@{item.lead}" for item in frame.asked}
    return frame.row("", name, metric, median, len(times), len(fed) - len(times))


def unrated_rows(frame: Frame, protocol: str, found: Found, label: str, measures: Sequence[str]) -> list[Row]:
    """Why a rater gave no score when it was asked for `measures`, and how often."""
    told = [one for measure in measures for one in found.told[measure].values()]
    reasons = Counter(one["reason"] for one in told if one["score"] is None)
    n = len(measures) * len(frame.asked)
    return [
        frame.row(protocol, found.name, f"{UNRATED}{label}: {why}", Interval(count, None, None), n, count)
        for why, count in sorted(reasons.items())
    ]
