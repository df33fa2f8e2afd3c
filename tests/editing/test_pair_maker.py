"""Pairs by Prompt-to-Prompt, and which of them are kept."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tutelage.editing.pairs import PairMaker, Wish, best_pairs
from tutelage.editing.settings import Drawing
from tutelage.errors import BadInput
from tutelage.triplet import Provenance, Triplet, Verdict

SWAP = Wish(id="swap", before="a red bear", after="a blue bunny", instruction="make it a blue bunny", task="swap")
MOVE = Wish(id="move", before="a bear", after="a bear in the snow", instruction="put it in the snow")
QUICK = Drawing(steps=2, scheduler="EulerAncestralDiscreteScheduler")


def maker(base: Path, **changes: Any) -> PairMaker:
    return PairMaker(**({"base": base, "tries": 2, "drawing": QUICK, "device": "cpu"} | changes))


@pytest.mark.parametrize("name", ["tiny_sd", "tiny_sdxl"])
def test_every_try_of_every_wish(name: str, request: pytest.FixtureRequest) -> None:
    """The same alone, beside others, and from another maker with the same settings."""
    base: Path = request.getfixturevalue(name)
    made = list(maker(base).make([SWAP, MOVE]))
    assert [one.id for one in made] == ["swap/0", "swap/1", "move/0", "move/1"]
    first = made[0]
    assert (first.text, first.caption, first.skill) == (SWAP.instruction, SWAP.after, "swap")
    assert [reference.caption for reference in first.references] == [SWAP.before]
    for one in made:
        source = Image.open(io.BytesIO(one.references[0].picture.data))
        assert source.format == "PNG"
        assert source.size == Image.open(io.BytesIO(one.target)).size
        assert source.tobytes() != Image.open(io.BytesIO(one.target)).tobytes()
    assert len({one.references[0].picture.data for one in made}) == 4
    assert list(maker(base).make([MOVE])) == made[2:]
    assert list(maker(base, seed=1).make([MOVE])) != made[2:]


def test_shares_and_guidance_are_drawn_from_their_ranges(tmp_path: Path) -> None:
    made = maker(tmp_path, share=(0.2, 0.4), guidance=(3.0, 5.0))
    edits = [made._edit(SWAP, number) for number in range(200)]
    shares, guidance = (
        np.array([get(one) for one in edits]) for get in (lambda e: e.control.cross, lambda e: e.guidance)
    )
    assert 0.2 <= shares.min() < 0.22 < 0.38 < shares.max() <= 0.4
    assert 3 <= guidance.min() < 3.2 < 4.8 < guidance.max() <= 5
    assert all(one.control.cross == one.control.self_attention for one in edits)
    assert abs(np.corrcoef(shares, guidance)[0, 1]) < 0.3
    assert len({one.seed for one in edits}) == 200


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tries": 0}, "tries of a pair is 0"),
        ({"share": (0.1, 1.9)}, "share of held steps is 1.9"),
        ({"share": (0.9, 0.1)}, "end before they begin"),
        ({"guidance": (-1.0, 2.0)}, "guidance is -1"),
    ],
)
def test_numbers_out_of_range_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        maker(Path(), **changes)


def tried(wish: str, number: int) -> Triplet:
    provenance = Provenance(teacher="prompt-to-prompt", base="", seed=0)
    names = {"id": f"{wish}/{number}", "cluster": wish, "subject": "", "skill": "edit", "text": ""}
    return Triplet(target=b"", references=(), provenance=provenance, **names)


def verdict(triplet: Triplet, judge: str, score: float, keep: bool) -> Verdict:
    return Verdict(triplet=triplet.id, judge=judge, score=score, keep=keep)


SCORES = st.lists(st.tuples(st.floats(-1, 1), st.booleans(), st.booleans()), max_size=12)


@given(st.lists(SCORES, max_size=3), st.integers(1, 5))
def test_of_each_wish_the_best_that_all_judges_keep(wishes: list[Any], keep: int) -> None:
    triplets = [tried(str(w), n) for w, wish in enumerate(wishes) for n in range(len(wish))]
    scores = [score for wish in wishes for score in wish]
    verdicts = {
        "clip-direction": [verdict(t, "clip-direction", s[0], s[1]) for t, s in zip(triplets, scores, strict=True)],
        "clip-image": [verdict(t, "clip-image", 0.5, s[2]) for t, s in zip(triplets, scores, strict=True)],
    }
    chosen = best_pairs(triplets, verdicts, keep)
    told = dict(zip([t.id for t in triplets], scores, strict=True))
    assert chosen == [t for t in triplets if t in chosen], "in their own order"
    for w in range(len(wishes)):
        good = sorted((told[t.id][0] for t in triplets if t.cluster == str(w) and all(told[t.id][1:])), reverse=True)
        kept = sorted((told[t.id][0] for t in chosen if t.cluster == str(w)), reverse=True)
        assert kept == good[:keep]


def test_who_was_not_judged_is_named() -> None:
    triplets = [tried("a", 0), tried("a", 1)]
    said = [verdict(triplets[0], "clip-direction", 0.5, True)]
    with pytest.raises(BadInput, match="'clip-direction' has not judged a/1 and 0 others"):
        best_pairs(triplets, {"clip-direction": said})
    with pytest.raises(BadInput, match="no verdicts of 'clip-direction'"):
        best_pairs(triplets, {"clip-image": said})
    assert best_pairs([dataclasses.replace(triplets[0], id="a/0")], {"clip-direction": said}) == triplets[:1]
