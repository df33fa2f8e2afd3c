from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tutelage.errors import BadInput
from tutelage.judges.panel import Panel
from tutelage.triplet import Triplet, Verdict


@dataclass
class Keeps:
    """Keeps the triplets whose id begins with one of `first`."""

    name: str
    first: str
    asked: list[str] = field(default_factory=list)

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        self.asked += [triplet.id for triplet in triplets]
        keeps = [triplet.id[0] in self.first for triplet in triplets]
        return [Verdict(triplet=t.id, judge=self.name, score=1.0, keep=k) for t, k in zip(triplets, keeps, strict=True)]


@pytest.mark.parametrize(("ask_all", "second"), [(False, ["a/0/0", "b/0/0"]), (True, ["a/0/0", "b/0/0", "c/0/0"])])
def test_later_judges_see_what_is_still_kept(make_triplet: Any, ask_all: bool, second: list[str]) -> None:
    cheap, dear = Keeps("cheap", "ab"), Keeps("dear", "bc")
    verdicts = Panel(judges=(cheap, dear), ask_all=ask_all).judge([make_triplet(key) for key in "abc"])
    assert (cheap.asked, dear.asked) == (["a/0/0", "b/0/0", "c/0/0"], second)
    assert [(v.judge, v.triplet) for v in verdicts] == [
        *(("cheap", t) for t in cheap.asked),
        *(("dear", t) for t in second),
    ]


def test_a_panel_of_none_says_nothing(make_triplet: Any) -> None:
    assert Panel(judges=()).judge([make_triplet("a")]) == []


def test_verdicts_must_be_told_apart() -> None:
    with pytest.raises(BadInput, match="'dear' sits twice"):
        Panel(judges=(Keeps("dear", ""), Keeps("dear", "")))
