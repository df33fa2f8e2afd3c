"""One instruction in several ways (OmniEdit: every pair has a rewritten instruction).

A language model is asked; the built-in one knows families of patterns, whatever things they are about.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from tutelage.chat.base import Message, Request
from tutelage.mining.words import normalised
from tutelage.toybox.scene import COLOURS, PATTERNS

TASK: Final = "reword"
SYSTEM: Final = """\
You rewrite instructions for editing pictures. You are given JSON with an instruction, what the picture shows before
and after, and a count. Write so many other ways in which people would ask for exactly this edit, some short, some
detailed, all of at most 40 words, one a line, nothing else."""
LONGEST: Final = 40
"""Words of an instruction."""
_STREAM: Final = 33
"""Word of the random keys."""

_ANY: Final = ".+"
_PLACE: Final = "(?:on|in|under|at) .+"
FAMILIES: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    (
        (_ANY, _ANY),
        (
            "replace the {0} with {1}",
            "swap the {0} for {1}",
            "turn the {0} into {1}",
            "exchange the {0} for {1}",
            "I want {1} instead of the {0}",
            "there should be {1} where the {0} is",
        ),
    ),
    (
        (_ANY,),
        (
            "take the {0} out of the picture",
            "remove the {0}",
            "take away the {0}",
            "get rid of the {0}",
            "erase the {0} from the scene",
            "the {0} should be gone",
        ),
    ),
    (
        (_ANY,),
        (
            "put {0} in the picture",
            "let there be {0}",
            "add {0}",
            "insert {0} into the scene",
            "I would like to see {0} here",
        ),
    ),
    (
        ("\\w+", "|".join(COLOURS)),
        ("make its {0} {1}", "change the colour of its {0} to {1}", "paint its {0} {1}", "its {0} should be {1}"),
    ),
    (
        ("\\w+", "|".join(PATTERNS)),
        ("make its {0} {1}", "its {0} should be {1}", "let its {0} look {1}", "give it a {1} {0}"),
    ),
    (
        ("(?:it|the .+?)", _PLACE),
        ("put {0} {1}", "move {0} so that it is {1}", "show {0} {1} instead", "let {0} be {1}"),
    ),
    (
        (_PLACE,),
        (
            "change the background: {0}",
            "make it look as if taken {0}",
            "set the scene {0}",
            "the same picture, but {0}",
        ),
    ),
    ((_ANY,), ("turn it into {0}", "redraw it as {0}", "make it look like {0}", "I want this as {0}")),
    (
        ("\\w+", "smile|scream|look \\w+"),
        ("make the {0} toy {1}", "let the {0} toy {1}", "the {0} toy should {1}", "I want the {0} toy to {1}"),
    ),
    ((), ("make it night", "let it be dark outside", "change the time to night", "turn day into night")),
    ((), ("make it rain", "let it rain", "add rain", "give it rainy weather")),
    ((), ("let it snow", "make snow fall", "add falling snow", "give it snowy weather")),
    ((), ("make the sun set", "show it at sunset", "give it evening light", "let the sun go down")),
    ((), ("make it a clear day", "show it in clear daylight", "let the weather be clear", "give it a bright sky")),
)
"""What may stand in the places, and the ways to say one thing."""


def request(instruction: str, before: str, after: str, count: int, seed: int) -> Request:
    """What a language model is asked for other ways to say an instruction."""
    task = {"task": TASK, "instruction": instruction, "before": before, "after": after, "count": count}
    told = Message(role="user", text=json.dumps(task, ensure_ascii=False))
    return Request(messages=(Message(role="system", text=SYSTEM), told), seed=seed, temperature=1.0)


def wordings(reply: str, instruction: str, count: int) -> tuple[str, ...]:
    """The usable lines of a reply, at most `count`: each once, none the instruction itself, none too long."""
    lines = (line.strip().lstrip("-*0123456789.) ").strip(" \"'`*") for line in reply.splitlines())
    found = {normalised(line): line for line in reversed([line for line in lines if line])}
    found.pop(normalised(instruction), None)
    return tuple(line for line in reversed(found.values()) if len(line.split()) <= LONGEST)[:count]


def answer(task: Mapping[str, Any], seed: int) -> str:
    """What the built-in language model answers: other patterns of the instruction's family, in random order."""
    said = str(task["instruction"])
    matched = ((ways, things) for slots, ways in FAMILIES if (things := _matched(slots, ways, said)) is not None)
    ways, things = next(matched, ((), ()))
    others = [sentence for way in ways if (sentence := way.format(*things)) != said]
    order = np.random.default_rng([_STREAM, seed]).permutation(len(others))
    return "\n".join([others[at] for at in order][: int(task["count"])])


def _matched(slots: Sequence[str], ways: Sequence[str], said: str) -> tuple[str, ...] | None:
    """What stands in a family's places if the instruction is of one of its patterns."""
    for way in ways:
        pattern = re.escape(way)
        for number, slot in enumerate(slots):
            pattern = pattern.replace(re.escape(f"{{{number}}}"), f"(?P<s{number}>{slot})")
        if found := re.fullmatch(pattern, said):
            return tuple(found[f"s{number}"] for number in range(len(slots)))
    return None
