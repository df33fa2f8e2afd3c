from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from tutelage.errors import BadInput
from tutelage.judges.base import Cost
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.judges.delta_clip import DeltaClip
from tutelage.judges.likeness import Likeness
from tutelage.judges.panel import Panel
from tutelage.triplet import Triplet, Verdict


@dataclass
class Keeps:
    """Keeps the triplets whose id begins with one of `first`."""

    name: str
    first: str
    cost: Cost = Cost.READING
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


def test_the_cheap_are_asked_first(make_triplet: Any) -> None:
    costs = {"c": Cost.ASKING, "a": Cost.READING, "d": Cost.ASKING, "b": Cost.LOOKING}
    panel = Panel(judges=tuple(Keeps(name, "x", cost) for name, cost in costs.items()), ask_all=True)
    assert [verdict.judge for verdict in panel.judge([make_triplet("x")])] == ["a", "b", "c", "d"]


def test_what_is_known_is_not_asked(make_triplet: Any) -> None:
    first, second = Keeps("first", "ab"), Keeps("second", "ab")
    triplets = [make_triplet(key) for key in "abc"]
    Panel(judges=(first, second)).judge(triplets, {("a/0/0", "first"), ("b/0/0", "second")})
    assert (first.asked, second.asked) == (["b/0/0", "c/0/0"], ["a/0/0"])


def test_judges_with_one_network_look_once(
    tiny_clip: Path, tiny_vit: Path, make_triplet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tutelage.diffusion.pictures as pictures

    opened = []
    real = pictures.decode
    monkeypatch.setattr(pictures, "decode", lambda data: opened.append(data) or real(data))
    clip: dict[str, Any] = {"clip": tiny_clip, "device": "cpu"}
    judges = (DeltaClip(**clip), ClipDirection(**clip), ClipImage(**clip))
    triplets = [make_triplet("a"), make_triplet("b", target=b"no picture")]
    shared = Panel(judges=judges, ask_all=True).judge(triplets)
    assert opened.count(triplets[0].target) == 1
    assert shared == [verdict for judge in judges for verdict in judge.judge(triplets)]


@pytest.mark.parametrize(("room", "times"), [(1_000_000, 1), (0, 2)])
def test_with_another_network_pictures_are_decoded_once_if_there_is_room(
    tiny_clip: Path, tiny_vit: Path, make_triplet: Any, monkeypatch: pytest.MonkeyPatch, room: int, times: int
) -> None:
    import tutelage.diffusion.pictures as pictures
    from tutelage.judges import looking

    opened = []
    real = pictures.decode
    monkeypatch.setattr(pictures, "decode", lambda data: opened.append(data) or real(data))
    monkeypatch.setattr(looking.Memory, "__init__", partialmethod(looking.Memory.__init__, room=room))
    judges = (DeltaClip(clip=tiny_clip, device="cpu"), Likeness(network=tiny_vit, high=1.0, device="cpu"))
    triplet = make_triplet("a")
    verdicts = Panel(judges=judges, ask_all=True).judge([triplet])
    assert {opened.count(picture.data) for picture in looking.pictures_of(triplet)} == {times}
    assert verdicts == [verdict for judge in judges for verdict in judge.judge([triplet])]
