"""Limits for another encoder: the rule that does best on labelled pages, or one that drops as many as the paper's did.

Both read the numbers that mining stored, so nothing is looked at again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.errors import BadInput
from tutelage.mining.cluster import FEW, SAME, Measured, decide
from tutelage.mining.records import read_pages
from tutelage.mining.settings import PAPER, Rule

SIZE_DROPPED: Final = 0.778
BAND_DROPPED: Final = 0.811
"""Shares of groups that the paper's size filter, and then its band, threw out (SuTI, §3.1)."""
TOO_LOW: Final = 0.9
"""Share of what the band throws out that is below it. The paper does not say; most pages show many things."""
DUPLICATES: Final = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995)
"""Limits for near-duplicates that are tried."""
GOOD_KINDS: Final = ("cluster", "branded")
"""Kinds of toybox pages that show one subject in three different pictures or more."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A rule, and what it does to the pages it was found on (not what it will do to others)."""

    rule: Rule
    kept: int
    pages: int
    good: int = 0
    """Pages labelled good; 0 without labels."""
    right: int = 0
    """Of them, how many are kept."""

    @property
    def precision(self) -> float:
        """Share of the kept pages that are good."""
        return self.right / self.kept if self.kept else 0.0

    @property
    def recall(self) -> float:
        """Share of the good pages that are kept."""
        return self.right / self.good if self.good else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return 2 * self.right / (self.kept + self.good) if self.kept + self.good else 0.0


def calibrate_command(
    pages: Path,
    /,
    *,
    labels: Path | None = None,
    recall: float | None = None,
    good: tuple[str, ...] = GOOD_KINDS,
    dropped: float = BAND_DROPPED,
    too_low: float = TOO_LOW,
    duplicate: float | None = None,
) -> None:
    """Find the limits of mining for the encoders that a crawl was mined with.

    With labels, the rule with the best F1, or the best precision at a recall asked for; without, a band that drops the
    share of pages that the paper's did.

    Args:
        pages: Folder of page verdicts that mining wrote.
        labels: Lines of JSON with page_url and either good (true or false) or kind.
        recall: Share of the good pages that must be kept; by default F1 decides.
        good: Kinds that count as good, for labels with kind.
        dropped: Without labels: share of the pages with enough pictures to drop.
        too_low: Without labels: share of those that is to fall below the band.
        duplicate: Cosine from which two pictures are one; by default the best of several, or 0.98 without labels.

    Raises:
        BadInput: a file cannot be read, a share is out of range, or no page has both numbers and a label.
    """
    for name, share in (("recall", recall), ("dropped", dropped), ("too-low", too_low)):
        if share is not None and not 0 <= share <= 1:
            raise BadInput(f"--{name} {share}: give a share within 0 to 1")
    measured = [page for page, _ in read_pages(pages)]
    limits = DUPLICATES if duplicate is None else (duplicate,)
    if labels is not None:
        found = best_rule(measured, read_labels(labels, good), recall=recall, duplicates=limits)
    else:
        rule = PAPER if duplicate is None else replace(PAPER, duplicate=duplicate)
        found = survival_rule(measured, rule, dropped=dropped, too_low=too_low)
    print("\n".join(told(found, measured)))


def told(found: Found, measured: Sequence[Measured]) -> list[str]:
    """What is printed: the limits as flags, and what they do."""
    rule, few = found.rule, sum(decide(page, found.rule).reason == FEW for page in measured)
    lines = [f"--rule.low {rule.low:.3f} --rule.high {rule.high:.3f} --rule.duplicate {rule.duplicate:g}"]
    lines.append(f"keeps {found.kept} of {found.pages} pages; {few / len(measured):.1%} have too few pictures")
    if found.good:
        lines.append(f"precision {found.precision:.3f}, recall {found.recall:.3f}, F1 {found.f1:.3f}, on these pages")
    return lines


def best_rule(
    pages: Iterable[Measured],
    good: Mapping[str, bool],
    *,
    recall: float | None = None,
    duplicates: Sequence[float] = DUPLICATES,
    least: int = PAPER.least,
) -> Found:
    """The rule with the best F1, or the best precision among those with at least a `recall`, on labelled pages.

    `good` is page URL → whether it is one; pages without a label are left out.

    Raises:
        BadInput: no page has a label, none of the good ones can be kept, or no rule reaches the recall.
    """
    labelled = [(page, good[page.page]) for page in pages if page.page in good]
    total = sum(label for _, label in labelled)
    if not total:
        raise BadInput(f"{len(labelled)} pages have a label and none is good; label some good ones among those mined")
    tried = [_best_band(labelled, total, Rule(least=least, low=-1, high=1, duplicate=d), recall) for d in duplicates]
    reached = [found for found in tried if found is not None]
    if not reached:
        raise BadInput(f"no limits keep {recall or 0:.0%} of the good pages; ask for less recall")
    return max(reached, key=lambda found: found.f1 if recall is None else found.precision)


def survival_rule(
    pages: Iterable[Measured], rule: Rule = PAPER, *, dropped: float = BAND_DROPPED, too_low: float = TOO_LOW
) -> Found:
    """`rule` with the band that drops a share of the pages with enough pictures, as the paper's did.

    A share `too_low` of the dropped ones falls below it; pages of near-duplicates count among those above it.

    Raises:
        BadInput: no page has enough different pictures.
    """
    decisions = [decide(page, replace(rule, low=-1, high=1)) for page in pages]
    means = np.sort([decision.mean for decision in decisions if decision.mean is not None])
    if not len(means):
        raise BadInput("no page has enough different pictures to find a band; mine more pages")
    duplicates = sum(decision.reason == SAME for decision in decisions)
    out = dropped * (len(means) + duplicates)
    below = min(round(out * too_low), len(means) - 1)
    above = min(max(0, round(out * (1 - too_low)) - duplicates), len(means) - 1 - below)
    low, high = _between(means, below, len(means) - 1 - above)
    return Found(rule=replace(rule, low=low, high=high), kept=len(means) - below - above, pages=len(decisions))


def read_labels(path: Path, good: Sequence[str] = GOOD_KINDS) -> dict[str, bool]:
    """Page URL → whether the page is good, from lines of JSON: `page_url`, and `good` or the `kind` of page.

    Raises:
        BadInput: the file cannot be read, or a line lacks these; the message names the line.
    """
    labels = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); give a file of labels") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            labels[str(row["page_url"])] = bool(row["good"] if "good" in row else row["kind"] in good)
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{path}, line {number}: no page_url with good or kind ({error!r}); correct it") from error
    return labels


def _best_band(labelled: Sequence[tuple[Measured, bool]], total: int, rule: Rule, recall: float | None) -> Found | None:
    """The best band for a rule's limit for duplicates; `total` good pages, of which some may have no mean."""
    scored = [(decide(page, rule).mean, label) for page, label in labelled]
    means = np.asarray([mean for mean, _ in scored if mean is not None])
    order = np.argsort(means, kind="stable")
    right = np.cumsum([0, *np.asarray([label for mean, label in scored if mean is not None])[order]])
    best, at = -1.0, (0, 0)
    for first in range(len(means)):
        hits, kept = right[first + 1 :] - right[first], np.arange(1, len(means) - first + 1)
        score = 2 * hits / (kept + total) if recall is None else np.where(hits >= recall * total, hits / kept, -1.0)
        last = len(score) - 1 - int(np.argmax(score[::-1]))
        if score[last] > best:
            best, at = float(score[last]), (first, first + last)
    if best < 0:
        return None
    low, high = _between(means[order], *at)
    hits = int(right[at[1] + 1] - right[at[0]])
    found = replace(rule, low=low, high=high)
    return Found(rule=found, kept=at[1] - at[0] + 1, pages=len(labelled), good=total, right=hits)


def _between(means: NDArray[np.float64], first: int, last: int) -> tuple[float, float]:
    """Limits half-way between the sorted means first to last, which are kept, and their neighbours, which are not."""
    low = -1.0 if first == 0 else float(means[first - 1] + means[first]) / 2
    high = 1.0 if last == len(means) - 1 else float(means[last] + means[last + 1]) / 2
    return low, high
