"""Which registered judges can be measured in the toybox, with which settings; and the metrics beside them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tutelage.benches.intervals import Floats
from tutelage.diffusion.features import ClipFeatures, PictureFeatures
from tutelage.judges import JUDGES, judge
from tutelage.judges.base import Judge
from tutelage.judges.looking import Seen
from tutelage.triplet import Triplet

METRICS: Final = ("clip-t", "clip-i", "dino")
"""Metrics of DreamBench, triplet by triplet: cosine of target and text; mean cosine of target and demonstrations by a
CLIP, and by an identity network."""
BATCH: Final = 64
AGAINST: Final = "against"
"""Field that names what a judge compares with; some can do without, and keep everything then."""


@dataclass(frozen=True, kw_only=True)
class Networks:
    """What judges look with."""

    clip: Path
    network: Path
    """For who is shown."""
    device: str = "auto"


def seats(networks: Networks, extra: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Judge], dict[str, str]]:
    """The judges that can be made from these networks, by name, and why the others cannot.

    `extra` is judge → settings for it alone; whatever else a judge requires and `Networks` has is given to it. A judge
    that compares with what is known from elsewhere has nothing to say without it.

    Raises:
        BadInput: a setting is wrong.
    """
    made: dict[str, Judge] = {}
    absent: dict[str, str] = {}
    for name in JUDGES:
        kind = judge(name)
        fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        given: dict[str, Any] = {"device": networks.device} if "device" in fields else {}
        wanted = [field.name for field in fields.values() if _required(field) or field.name == AGAINST]
        given |= {field: getattr(networks, field, None) for field in wanted} | dict(extra.get(name, {}))
        lacking = [field for field in wanted if given[field] is None]
        if lacking:
            absent[name] = f"needs {' and '.join(lacking)}"
        else:
            made[name] = kind(**given)
    return made, absent


def metric_scores(triplets: Sequence[Triplet], clip: ClipFeatures, network: PictureFeatures) -> dict[str, Floats]:
    """Metric → (N,), nan where a picture cannot be read."""
    if not triplets:
        return {name: np.empty(0) for name in METRICS}
    texts = dict.fromkeys(triplet.text for triplet in triplets)
    read = dict(zip(texts, clip.texts(list(texts)), strict=True))
    shown, known = Seen(triplets, clip, BATCH), Seen(triplets, network, BATCH)
    rows = [
        (np.nan,) * len(METRICS)
        if shown.fault(one)
        else (
            float(shown.target(one) @ read[one.text]),
            float((shown.references(one) @ shown.target(one)).mean()),
            float((known.references(one) @ known.target(one)).mean()),
        )
        for one in triplets
    ]
    return dict(zip(METRICS, np.asarray(rows).T, strict=True))


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
