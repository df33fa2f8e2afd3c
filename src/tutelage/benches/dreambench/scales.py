"""DreamBench++'s figures: concept preservation (CP) and prompt following (PF), 0 to 4 by a rater, divided by 4.

Each is asked for `REPEATS` times, as the paper does; the headline is the product of the two means. Krippendorff's alpha
(interval) says how far the repeats agree. As in the paper, CP goes by what is shown, PF by what is asked for.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from tutelage.benches.agreement.alpha import alpha, coincidences
from tutelage.benches.base import Row
from tutelage.benches.dreambench.figures import Found, Frame, reading, unrated_rows
from tutelage.benches.dreambench.rating import Criterion, Rater, Rating
from tutelage.benches.dreambench.rubrics import CONCEPT, PROMPT, STYLE
from tutelage.benches.intervals import NOTHING, Floats, bootstrap, bootstrap_ratio

REPEATS: Final = 3
CP, PF, BOTH = "CP", "PF", "CP x PF"
SHORT: Final[Mapping[str, Criterion]] = {CP: CONCEPT, PF: PROMPT}


def ratings(rater: Rater, repeats: int = REPEATS) -> list[Rating]:
    """All that a rater is asked."""
    told = [(CONCEPT, STYLE), (PROMPT, None)]
    return [Rating(rater=rater, criterion=a, style=b, repeat=n) for a, b in told for n in range(repeats)]


def scale_rows(frame: Frame, found: Found, rater: str, repeats: int = REPEATS) -> list[Row]:
    """CP by category of subject, PF by kind of prompt, their product, and how far the repeats agree."""
    protocol = f"rated by {rater}, {repeats} times"
    means = {short: _means(found, criterion, repeats) for short, criterion in SHORT.items()}
    rows = [frame.mean(protocol, found.name, short, values) for short, values in means.items()]
    rows.append(_product(frame, protocol, found.name, means))
    for category in dict.fromkeys(one.group for one in frame.collection.subjects):
        among = [item for item in frame.asked if item.subject.group == category]
        values = {item.id: means[CP][item.id] for item in among if item.id in means[CP]}
        sums, counts = frame.by_subject(values)
        interval = bootstrap_ratio(sums, counts, frame.seed)
        rows.append(
            frame.row(protocol, found.name, f"{CP}: {category}", interval, len(values), len(among) - len(values))
        )
    rows += [frame.mean(protocol, found.name, PF, means[PF], group) for group in frame.groups]
    for short, criterion in SHORT.items():
        rows += [_agreement(frame, protocol, found, short, criterion, repeats)]
        asked = [f"{criterion.name} {repeat}" for repeat in range(repeats)]
        rows += unrated_rows(frame, protocol, found, short, asked)
    return rows


def _means(found: Found, criterion: Criterion, repeats: int) -> dict[str, float]:
    """Item → its mean score over the repeats that have one, from 0 to 1."""
    each = [_scores(found, criterion, repeat) for repeat in range(repeats)]
    rated = {item for scores in each for item in scores}
    return {item: float(np.mean([scores[item] for scores in each if item in scores])) for item in sorted(rated)}


def _scores(found: Found, criterion: Criterion, repeat: int) -> dict[str, float]:
    scores = reading(found, f"{criterion.name} {repeat}", lambda told: told["score"])
    return {item: score / criterion.most for item, score in scores.items()}


def _product(frame: Frame, protocol: str, name: str, means: Mapping[str, Mapping[str, float]]) -> Row:
    cp, pf = (frame.by_subject(means[short]) for short in (CP, PF))
    interval = bootstrap(lambda w: _ratio(w, *cp) * _ratio(w, *pf), len(cp[0]), frame.seed)
    n = sum(item in means[PF] for item in means[CP])
    return frame.row(protocol, name, BOTH, interval, n, frame.whole - n)


def _ratio(weights: Floats, sums: Floats, counts: Floats) -> Floats:
    whole = weights @ counts
    ratio: Floats = np.divide(weights @ sums, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return ratio


def _agreement(frame: Frame, protocol: str, found: Found, short: str, criterion: Criterion, repeats: int) -> Row:
    """Alpha of the repeats, resampled by subject."""
    each = [_scores(found, criterion, repeat) for repeat in range(repeats)]
    names = [one.name for one in frame.collection.subjects]
    items = [item for item in frame.asked if sum(item.id in scores for scores in each) > 1]
    table = np.asarray([[scores.get(item.id, np.nan) for item in items] for scores in each]).reshape(repeats, -1)
    at = np.asarray([names.index(item.subject.name) for item in items], dtype=int)

    together = coincidences(table) if items else None
    interval = NOTHING
    if together is not None:
        interval = bootstrap(lambda weights: alpha(together, weights[:, at]), len(names), frame.seed)
    return frame.row(protocol, found.name, f"{short}: agreement of repeats (alpha)", interval, len(items))
