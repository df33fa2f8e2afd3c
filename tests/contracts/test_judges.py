"""Every registered judge obeys its contract."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from tutelage.chat.fake_server import FakeServer
from tutelage.errors import BadInput
from tutelage.judges import JUDGES, judge
from tutelage.judges.base import Cost, Judge
from tutelage.judging.fingerprint import write_known
from tutelage.triplet import Triplet
from tutelage.viescore.pretend import MODEL, say

BLIND = {"leakage-text"}
"""Judges that look at no picture."""


class Unmoved:
    """Gives every triplet the same marks."""

    def rate(self, triplets: Sequence[Triplet]) -> list[tuple[float, float] | str]:
        return [(1.0, 0.25) for _ in triplets]


@pytest.fixture(scope="session")
def values(
    tiny_clip: Path,
    tiny_classifier: Path,
    tiny_tagger: Path,
    make_triplet: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """Field that a judge may need → a value that fits. Other fields that name a network get the tiny CLIP."""
    from tutelage.diffusion.features import picture_features

    folder, known = (tmp_path_factory.mktemp(name) for name in ("pictures", "known"))
    (folder / "one.png").write_bytes(make_triplet("another").target)
    write_known(folder, known, picture_features(tiny_clip, "cpu"))
    networks = {"classifier": tiny_classifier, "tagger": tiny_tagger}
    return {"high": 0.9, "against": (known,), "rater": Unmoved(), **networks}


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """Address of a model that chats."""
    with FakeServer(say) as server:
        yield f"{server.url}#{MODEL}"


@pytest.fixture(params=sorted(JUDGES))
def made(
    request: pytest.FixtureRequest, tiny_clip: Path, tiny_scorer: Path, values: dict[str, Any], served: str
) -> Judge:
    """A judge of each name, with all that it needs."""
    kind = judge(request.param)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    networks = {name: tiny_clip for name in fields if get_type_hints(kind)[name] == str | Path}
    model = tiny_scorer if request.param == "distilled" else served
    given = {name: value for name, value in {**values, "model": model}.items() if name in fields}
    return kind(**networks | given, **{"device": "cpu"} if "device" in fields else {})


def test_names_are_the_registered_ones(made: Judge) -> None:
    assert judge(made.name) is type(made)
    assert dataclasses.is_dataclass(made)
    assert made.cost in Cost


def test_one_verdict_a_triplet_in_order(made: Judge, make_triplet: Any) -> None:
    triplets = [make_triplet(key) for key in "abcab"]
    verdicts = made.judge(triplets)
    assert [verdict.triplet for verdict in verdicts] == [triplet.id for triplet in triplets]
    assert {verdict.judge for verdict in verdicts} == {made.name}
    assert verdicts[0] == verdicts[3]
    assert all(verdict.score is not None and verdict.keep == (not verdict.reason) for verdict in verdicts)


def test_edits_are_judged_too(made: Judge, make_triplet: Any) -> None:
    edits = [make_triplet(key, "make it night", skill="environment", caption=f"a {key} at night") for key in "ab"]
    together = made.judge(edits)
    assert all(one.score is not None and one.keep == (not one.reason) for one in together)
    assert [one.keep for one in together] == [made.judge([edit])[0].keep for edit in edits]


def test_nothing_is_judged_as_nothing(made: Judge) -> None:
    assert made.judge([]) == []


def test_a_verdict_does_not_depend_on_the_others(made: Judge, make_triplet: Any) -> None:
    triplets = [make_triplet(key) for key in "abcdefg"]
    together = made.judge(triplets)
    alone = [made.judge([triplet])[0] for triplet in reversed(triplets)][::-1]
    assert [one.keep for one in together] == [one.keep for one in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-5)


@pytest.mark.parametrize("fault", [{"target": b"no picture"}, {"references": ()}])
def test_what_cannot_be_judged_says_why(made: Judge, make_triplet: Any, fault: dict[str, Any]) -> None:
    if made.name in BLIND and "target" in fault:
        pytest.skip("it does not look at the target")
    sound, broken = made.judge([make_triplet("a"), make_triplet("b", **fault)])
    assert (broken.score, broken.keep) == (None, False)
    assert broken.reason
    assert sound == made.judge([make_triplet("a")])[0]


def test_an_unknown_name_is_answered() -> None:
    with pytest.raises(BadInput, match=r"no judge 'delta-clp'\. Did you mean 'delta-clip'\?"):
        judge("delta-clp")


def test_judges_are_light_until_they_judge() -> None:
    """The command line shows their settings."""
    code = "import sys; from tutelage.judges import *; [judge(name) for name in JUDGES]; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
