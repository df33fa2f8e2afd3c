"""The three benches of photographs as tasks: what looks at pictures, and what figures are made of that."""

from collections.abc import Sequence

from tutelage.benches.base import Row
from tutelage.benches.dreambench.figures import Found, Frame, reading
from tutelage.benches.dreambench.items import Fed
from tutelage.benches.dreambench.likeness import general_rows, likeness_rows, pairs_of
from tutelage.benches.dreambench.marks import Marks, mark_rows, rated
from tutelage.benches.dreambench.measures import Comparing, Measure
from tutelage.benches.dreambench.rating import Rater
from tutelage.benches.dreambench.scales import REPEATS, ratings, scale_rows
from tutelage.generators.photographs import Task


def likeness_task(frame: Frame, fed: Fed, networks: Sequence[Comparing]) -> Task:
    """DreamBench."""
    return Task(frame=frame, fed=fed, measures=networks, rows=lambda found: likeness_rows(frame, found, networks, fed))


def marks_task(frame: Frame, fed: Fed, networks: Sequence[Comparing], rater: Rater | None = None) -> Task:
    """Compositional prompts, judged by a rater, or else by the first two networks, a DINO and a CLIP.

    Raises:
        BadInput: networks are to judge, and there is too little to compare with.
    """
    dino, clip = networks[:2]
    judges: list[Measure] = [*rated(rater)] if rater else [Marks(collection=frame.collection, dino=dino, clip=clip)]
    judged_by = rater.name if rater else f"{dino.name} and {clip.look.text_name}"

    def rows(found: Sequence[Found]) -> list[Row]:
        pairs = pairs_of(frame, networks)
        marks = [row for one in found for row in mark_rows(frame, one, judged_by)]
        return [*marks, *(row for one in found for row in general_rows(frame, one, networks, pairs))]

    return Task(frame=frame, fed=fed, measures=[*judges, *networks], rows=rows)


def scales_task(
    frame: Frame, fed: Fed, networks: Sequence[Comparing], rater: Rater | None = None, repeats: int = REPEATS
) -> Task:
    """DreamBench++; without a rater by networks alone."""
    asked: list[Measure] = [*ratings(rater, repeats)] if rater else []

    def rows(found: Sequence[Found]) -> list[Row]:
        pairs = pairs_of(frame, networks)
        made = [row for one in found for row in (scale_rows(frame, one, rater.name, repeats) if rater else [])]
        made += [row for one in found for row in _likeness(frame, one, networks)]
        return [*made, *(row for one in found for row in general_rows(frame, one, networks, pairs))]

    return Task(frame=frame, fed=fed, measures=[*asked, *networks], rows=rows)


def _likeness(frame: Frame, found: Found, networks: Sequence[Comparing]) -> list[Row]:
    """Cosine with the one reference."""
    names = [network.name for network in networks]
    return [
        frame.mean("against the reference", found.name, name, reading(found, name, lambda told: told["photos"][0]))
        for name in names
    ]
