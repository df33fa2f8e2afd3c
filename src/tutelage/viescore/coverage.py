"""How much of what was to be scored has a score, and why the rest has none."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tutelage.viescore.items import Scored, Side


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Of one of SC, PQ and O."""

    name: str
    items: int
    scored: int
    causes: dict[str, int]
    """Cause of the last try → items without a score, commonest first."""

    @property
    def share(self) -> float:
        """Scored items of all; 1 if there are none."""
        return self.scored / self.items if self.items else 1.0

    def __str__(self) -> str:
        why = ", ".join(f"{count:,} {cause}" for cause, count in self.causes.items())
        missing = f"; {self.items - self.scored:,} missing: {why}" if why else ""
        return f"{self.name}: {self.scored:,} of {self.items:,} scored ({100 * self.share:.1f} %){missing}"


def coverage(scored: Sequence[Scored]) -> list[Coverage]:
    """SC, PQ and O, to be printed beside every mean."""
    sides: tuple[Side, ...] = ("SC", "PQ")
    rows = [_of(side, [one.halves[side].causes[-1] for one in scored if one.halves[side].missing], len(scored))
            for side in sides]  # fmt: skip
    return [*rows, _of("O", [_cause(one) for one in scored if one.missing], len(scored))]


def _of(name: str, causes: Sequence[str], items: int) -> Coverage:
    return Coverage(name=name, items=items, scored=items - len(causes), causes=dict(Counter(causes).most_common()))


def _cause(one: Scored) -> str:
    return next(half.causes[-1] for half in (one.sc, one.pq) if half.missing)
