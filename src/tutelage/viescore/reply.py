"""What a judge said → scores, or why there are none."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

LEAST: Final = 0
MOST: Final = 10
LONGEST_REPLY: Final = 100_000
"""Characters; what is longer is no judgement."""
SHOWN: Final = 80
"""Characters of a reply that a reason quotes."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A reply, read."""

    scores: dict[str, int] = field(default_factory=dict)
    """Sub-score → 0 to 10: every one that was asked for, or none."""
    reasoning: str = ""
    fault: str = ""
    """What is wrong with the reply; empty if nothing is."""


def read(reply: str, names: Sequence[str]) -> Reading:
    """The last judgement in a reply: a JSON object whose `scores` hold each of `names`, by name or as a list in order.

    Words, code fences and other objects around it are passed over, since models think aloud. A score that is no whole
    number from 0 to 10, or is given twice, makes the judgement unreadable: nothing is rounded, clipped or guessed.
    """
    if len(reply) > LONGEST_REPLY:
        return Reading(fault=f"the reply is longer than {LONGEST_REPLY:,} characters")
    judgements = [found for found in objects(reply) if "scores" in found or "score" in found]
    if not judgements:
        return Reading(fault=f"no JSON object with scores in the reply '{_shown(reply)}'")
    last = judgements[-1]
    if len(last.keys() & {"scores", "score"}) == 2 or _DOUBLED in last:
        return Reading(fault="the reply gives scores twice")
    scores, fault = _scores(last.get("scores", last.get("score")), names)
    reasoning = last.get("reasoning", "")
    return Reading(scores=scores, fault=fault, reasoning=reasoning if isinstance(reasoning, str) else "")


def objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text, outermost ones only."""
    decoder, at = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number), text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
            yield found
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)


_DOUBLED: Final = "\0doubled"
"""Marks an object that has a key twice; no text that a model writes has this key by accident."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else {**made, _DOUBLED: True}


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _scores(given: Any, names: Sequence[str]) -> tuple[dict[str, int], str]:
    """Sub-scores by name, or what is wrong with them."""
    if isinstance(given, list) and len(given) == len(names):
        given = dict(zip(names, given, strict=True))
    elif len(names) == 1 and _whole(given) is not None:
        given = {names[0]: given}
    if not isinstance(given, dict) or _DOUBLED in given:
        return {}, f"scores are '{_shown(json.dumps(given))}', not one for each of {', '.join(names)}"
    scores = {name: _whole(given.get(name)) for name in names}
    for name, score in scores.items():
        if score is None:
            told = _shown(json.dumps(given[name])) if name in given else "missing"
            return {}, f"the score '{name}' is {told}, not a whole number from {LEAST} to {MOST}"
    return {name: score for name, score in scores.items() if score is not None}, ""


def _whole(value: Any) -> int | None:
    """A whole number from 0 to 10, as a number or in digits."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value.strip()) <= 2:
        value = int(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float) or not LEAST <= value <= MOST:
        return None
    return int(value) if value == int(value) else None


def _shown(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}…"
