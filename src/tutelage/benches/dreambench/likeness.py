"""DreamBench's figures: likeness by three protocols beside what real photos score, fidelity to the text, and copies.

Two different photos of one subject are as like each other as the subject is to itself. A generator whose pictures are
more like the photos than these are is likely to copy; `above real photos` is by how much, and its interval says whether
for certain. `copies` is the share of pictures that are nearer to some photo than any two photos of the subject are.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tutelage.benches.base import Row
from tutelage.benches.dreambench.figures import Found, Frame, costs, reading
from tutelage.benches.dreambench.items import Fed
from tutelage.benches.dreambench.measures import Comparing, Told
from tutelage.benches.dreambench.protocols import PROTOCOLS, Protocol
from tutelage.benches.intervals import NOTHING, Floats, Interval, bootstrap, bootstrap_mean

REAL: Final = "real photos"
ABOVE: Final = " above real photos"
COPIES: Final = "copies by "

Pairs = Mapping[str, Sequence[float]]
"""Subject → cosines of each two of its photos; empty of a single photo."""


def likeness_rows(frame: Frame, found: Sequence[Found], networks: Sequence[Comparing], fed: Fed) -> list[Row]:
    """All figures of every generator, protocol by protocol, then what does not depend on the protocol."""
    pairs = pairs_of(frame, networks)
    rows = []
    for protocol in PROTOCOLS:
        title = protocol.title(fed)
        rows += [_oracle(frame, title, name, of) for name, of in pairs.items()]
        for one in found:
            for network in networks:
                rows += _compared(frame, protocol, title, one, network.name, pairs[network.name])
    for one in found:
        rows += general_rows(frame, one, networks, pairs)
    return rows


def pairs_of(frame: Frame, networks: Sequence[Comparing]) -> dict[str, Pairs]:
    """Network → subject → cosines of each two of its photos."""
    subjects = frame.collection.subjects
    return {one.name: {subject.name: one.pairs(subject) for subject in subjects} for one in networks}


def general_rows(frame: Frame, found: Found, networks: Sequence[Comparing], pairs: Mapping[str, Pairs]) -> list[Row]:
    """Text, copies, coverage and costs."""
    rows = []
    for network in networks:
        if name := network.look.text_name:
            rows.append(frame.mean("", found.name, name, reading(found, network.name, lambda told: told["text"])))
        values = _copies(frame, found, network.name, pairs[network.name])
        rows.append(frame.mean("", found.name, f"{COPIES}{network.name}", values))
    return [*rows, *costs(frame, found)]


def flagged(rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    """(protocol, generator) → why its pictures look like copies; those that do not are left out."""
    flags: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.metric.endswith(ABOVE) and row.value is not None and row.value > 0:
            sure = row.low is not None and row.low > 0
            why = (
                "looks copied, more like the photos than photos are"
                if sure
                else "above real photos, but its interval reaches below them"
            )
            if sure or (row.protocol, row.row) not in flags:
                flags[row.protocol, row.row] = why
    return flags


def _oracle(frame: Frame, title: str, metric: str, pairs: Pairs) -> Row:
    means = np.asarray([np.mean(values) for values in pairs.values() if values])
    n, alone = sum(len(values) for values in pairs.values()), sum(not values for values in pairs.values())
    return frame.row(title, REAL, metric, bootstrap_mean(means, frame.seed) if n else NOTHING, n, alone)


def _compared(frame: Frame, protocol: Protocol, title: str, found: Found, metric: str, pairs: Pairs) -> list[Row]:
    told: Mapping[str, Told] = found.told[metric]
    values = {item.id: protocol.likeness(item, told[item.id]["photos"]) for item in frame.asked if item.id in told}
    sums, counts = frame.by_subject(values)
    real = np.asarray([np.mean(pairs[one.name]) if pairs[one.name] else np.nan for one in frame.collection.subjects])
    above = _above(sums, counts, real, frame.seed)
    both = int(counts[np.isfinite(real)].sum())
    return [
        frame.mean(title, found.name, metric, values),
        frame.row(title, found.name, f"{metric}{ABOVE}", above, both, frame.whole - both),
    ]


def _above(sums: Floats, counts: Floats, real: Floats, seed: int) -> Interval:
    """Mean over pictures less the mean over the same subjects' pairs of photos."""
    both = np.isfinite(real) & (counts > 0)
    right, of, oracle = sums[both], counts[both], real[both]
    if not both.any():
        return NOTHING
    return bootstrap(lambda w: w @ right / (w @ of) - w @ (oracle * of) / (w @ of), int(both.sum()), seed)


def _copies(frame: Frame, found: Found, metric: str, pairs: Pairs) -> dict[str, float]:
    nearest = reading(found, metric, lambda told: max(told["photos"]))
    limits = {name: max(values) for name, values in pairs.items() if values}
    return {
        item.id: float(nearest[item.id] > limits[item.subject.name])
        for item in frame.asked
        if item.id in nearest and item.subject.name in limits
    }
