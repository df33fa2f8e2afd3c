"""A fleet's experts are done in any order; their triplets come in the order of the subjects."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from tutelage.teachers.base import Diverged, Fate
from tutelage.teachers.fleet_training import Done
from tutelage.triplet import Cluster, Triplet


def in_order(experts: Iterable[Done], drawn: Callable[[Done], Iterator[Triplet]]) -> Iterator[Triplet]:
    """Yield what the experts of tasks 0, 1, … draw; one that is done too early draws at once, and its pictures wait."""
    held: dict[int, list[Triplet]] = {}
    due = 0
    for done in experts:
        if done.number == due:
            yield from drawn(done)
            due += 1
        else:
            held[done.number] = list(drawn(done))
        while due in held:
            yield from held.pop(due)
            due += 1


def fate(done: Done, clusters: Sequence[Cluster], lr: float) -> Fate:
    """What became of a cluster's expert.

    Raises:
        Diverged: it diverged, and there is no other.
    """
    key = clusters[done.number].id
    if not done.sound and len(clusters) == 1:
        raise Diverged(f"the expert of cluster {key} diverged twice; give a lower lr than {lr:g}")
    return Fate(cluster=key, steps=done.steps, tries=done.tries, sound=done.sound)
