"""Compositional prompts for DreamBench's subjects, each chain asking for one thing, then two, then three at once.

SuTI (§5.1) wrote 220 such prompts, "DreamBench-v2", and did not publish them; these are ours. `{}` is the class word.
A chain takes a skill of SuTI's (a view, a style, an attribute, something worn, a place) and adds to it, so that the
level at which a generator loses the subject or the text can be read off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from tutelage.benches.dreambench.items import Collection, Prompt

BENCH: Final = "dreambench_v2"

Chain = tuple[str, str, str]
"""What each level adds to the one before."""

ANIMAL: Final[Sequence[Chain]] = (
    ("back view of a {}", " watching a thunderstorm", " through a round window"),
    ("a {} wearing a knitted scarf", " and ski goggles", ", riding a sledge down a hill"),
    ("a watercolour painting of a {}", " asleep on a stack of books", " beside a lit lantern"),
)
PLUSH: Final[Sequence[Chain]] = (
    ("side view of a {}", " fishing from a wooden pier", " at sunrise"),
    ("a {} wearing a paper crown", " and a cape", ", sitting on a throne of cushions"),
)
TOY: Final[Sequence[Chain]] = (
    ("top view of a {}", " on a chessboard", " among wine glasses"),
    ("a {} made of transparent glass", " on a mossy rock", " with a waterfall behind it"),
)
CHAINS: Final[Mapping[str, Sequence[Chain]]] = {
    "cat": ANIMAL,
    "dog": ANIMAL,
    "stuffed animal": PLUSH,
    "toy": TOY,
    "cartoon": (
        ("a {} as a bronze statue", " in a city park", " covered with pigeons"),
        ("a {} wearing a raincoat", " and rubber boots", ", jumping over a puddle"),
    ),
    "backpack": (
        ("back view of a {}", " hanging on a tree", " in a foggy forest"),
        ("a {} made of denim", " with sunflowers sticking out of it", ", standing on a railway platform"),
    ),
    "bowl": (
        ("top view of a {}", " filled with ramen", " on a tatami mat"),
        ("an oil painting of a {}", " with pears in it", " beside a melting candle"),
    ),
    "can": (
        ("a {} lying on its side", " in wet sand", " with a crab beside it"),
        ("a pencil sketch of a {}", " used as a flower vase", " on a window sill"),
    ),
    "candle": (
        ("a {} burning", " on a birthday cake", " in a dark room"),
        ("a {} in the shape of a cube", " floating on a pond", " among water lilies"),
    ),
    "clock": (
        ("side view of a {}", " half buried in a desert", " under a starry sky"),
        ("a green {}", " hanging on a brick wall", " between two paintings of ships"),
    ),
    "sneaker": (
        ("bottom view of a {}", " stepping into a puddle", " that mirrors neon lights"),
        ("a {} made of wood", " on a workbench", " with wood shavings around it"),
    ),
    "boot": (
        ("back view of a {}", " on a doormat", " in front of a red door"),
        ("a {} made of ice", " on a snowy roof", " with an owl sitting on it"),
    ),
    "glasses": (
        ("{} folded", " on an open newspaper", " beside a cup of coffee"),
        ("{} worn by a snowman", " holding a broom", " in front of a barn"),
    ),
    "teapot": (
        ("a {} pouring tea", " into a seashell", " on a rocky coast"),
        ("a {} painted with stripes", " on a picnic blanket", " in an orchard in bloom"),
    ),
    "vase": (
        ("top view of a {}", " with tulips in it", " on a piano"),
        ("a stained glass window of a {}", " with a bird sitting on its rim", " under a full moon"),
    ),
}
"""Class word → its chains."""


def level(number: int) -> str:
    """The name of a level.

    >>> level(2)
    'level 2'
    """
    return f"level {number}"


def compositional(whole: Collection) -> Collection:
    """DreamBench with these prompts in place of its own; subjects of other classes count as absent."""
    strange = {name: f"no prompts for the class '{kind}'" for name, kind in whole.kinds.items() if kind not in CHAINS}
    return replace(
        whole,
        bench=BENCH,
        subjects=tuple(one for one in whole.subjects if one.name not in strange),
        prompts={name: _prompts(kind) for name, kind in whole.kinds.items()},
        absent={**whole.absent, **strange},
    )


def _prompts(kind: str) -> tuple[Prompt, ...]:
    """All levels of all chains."""
    told: list[Prompt] = []
    for chain, parts in enumerate(CHAINS.get(kind, ())):
        for depth in range(len(parts)):
            text = "".join(parts[: depth + 1]).replace("{}", kind)
            told.append(Prompt(number=len(told), text=text, group=level(depth + 1), chain=chain))
    return tuple(told)
