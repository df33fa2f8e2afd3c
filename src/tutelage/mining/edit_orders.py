"""Captioned pictures → what is to be done to them, task by task, each checked before anything is made from it.

The tasks of a picture and their random numbers follow from (seed, cluster, number): neither depends on other pictures.
A task that a picture does not allow gives its turn to the next one.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from tutelage.chat.base import Message, Request
from tutelage.mining import rewording
from tutelage.mining.edit_grammar import TASK
from tutelage.mining.imagine import Refusal
from tutelage.mining.language import LanguageModel
from tutelage.mining.words import normalised
from tutelage.triplet import EDITS, Assignment, Cluster, Order

TOGETHER: Final = 256
"""Pictures that a language model is asked about at a time."""
LONGEST: Final = 60
"""Words of a caption; CLIP reads 77 tokens."""
PAPER: Final[Mapping[str, float]] = {
    "swap": 1.5,
    "removal": 1.0,
    "addition": 1.0,
    "attribute": 0.3,
    "background": 0.5,
    "environment": 0.5,
    "style": 0.25,
}
"""Task → pairs that OmniEdit's specialists made, in millions."""

MEANING: Final = {
    "swap": "exchange one thing for another: phrase names the old thing",
    "removal": "take one thing away: phrase names it, fill says what background belongs there",
    "addition": "this thing was added: phrase names a thing that is in the picture, caption and fill describe the "
    "picture without it, and instruction asks for it to be added",
    "attribute": "change one property of a thing, such as its colour, material or expression: phrase names the thing",
    "background": "put the main thing somewhere else: phrase names the main thing, which stays, fill the new place",
    "environment": "another time of day, season or weather: phrase is empty",
    "style": "another medium or style of art: phrase is empty",
}
SYSTEM: Final = """\
You plan edits of pictures. You are given JSON with the caption of a picture and a kind of edit. Answer with JSON alone:
{"phrase": "...", "caption": "...", "fill": "...", "instruction": "..."}
phrase: the few words by which a detector finds what is concerned, such as "the red hat".
caption: what the picture shows afterwards, in the words of the given caption wherever nothing changes.
fill: what is to be painted where the phrase was found.
instruction: how a person would ask for it.
If the picture does not allow this kind of edit, answer {}.
Kinds of edit:
""" + "\n".join(f"{task}: {meaning}." for task, meaning in MEANING.items())
KEYS: Final = ("phrase", "caption", "fill", "instruction")


@dataclass(frozen=True, kw_only=True)
class Ordering:
    """What is asked for of each picture."""

    edits: int = 2
    """Orders for a picture, of different tasks."""
    wordings: int = 3
    """Other ways to say each instruction."""
    tasks: Mapping[str, float]
    """Task → how often it is asked for, relative to the others."""
    shown: bool = False
    """Show the language model the picture too; it must be one that sees."""


def order_edits(
    clusters: Iterable[Cluster], model: LanguageModel, how: Ordering, seed: int = 0
) -> Iterator[Assignment | Refusal]:
    """Assignments for each cluster's first picture, cluster by cluster; tasks that are not allowed are `Refusal`s.

    Raises:
        BadInput: the model cannot be reached.
    """
    rest = iter(clusters)
    while several := list(islice(rest, TOGETHER)):
        made: list[list[Assignment | Refusal]] = [[] for _ in several]
        for turn in range(len(how.tasks)):
            open_ones = [at for at, results in enumerate(made) if _had(results) < how.edits]
            asked = [(several[at], _turns(several[at].id, how.tasks, seed)[turn], turn) for at in open_ones]
            for at, result in zip(open_ones, _ordered(asked, model, how, seed), strict=True):
                made[at].append(result)
        yield from (result for results in made for result in _reworded(results, model, how, seed))


def request(cluster: Cluster, task: str, seed: int, *, shown: bool = False) -> Request:
    """What a language model is asked for one order."""
    reference = cluster.references[0]
    asked = json.dumps({"task": TASK, "caption": reference.caption, "edit": task}, ensure_ascii=False)
    pictures = (reference.picture.data,) if shown else ()
    told = Message(role="user", text=asked, pictures=pictures)
    return Request(messages=(Message(role="system", text=SYSTEM), told), seed=seed, temperature=1.0)


def parse(reply: str, task: str, before: str) -> tuple[Order, str] | str:
    """The order and the instruction of a reply, or what is wrong with it."""
    start, end = reply.find("{"), reply.rfind("}")
    try:
        said = json.loads(reply[start : end + 1]) if start >= 0 else {}
    except ValueError:
        return "no JSON"
    if not isinstance(said, dict) or not all(isinstance(said.get(key, ""), str) for key in KEYS):
        return "not the fields that were asked for"
    phrase, caption, fill, instruction = (said.get(key, "").strip() for key in KEYS)
    if not caption or not instruction:
        return "not possible"
    if (task in ("environment", "style")) == bool(phrase):
        return "a phrase where everything may change" if phrase else "names nothing to be found"
    if normalised(caption) == normalised(before):
        return "nothing changes"
    if max(len(text.split()) for text in (caption, fill, instruction)) > LONGEST:
        return f"longer than {LONGEST} words"
    return Order(phrase=phrase, caption=caption, fill=fill), instruction


def _ordered(
    asked: Sequence[tuple[Cluster, str, int]], model: LanguageModel, how: Ordering, seed: int
) -> list[Assignment | Refusal]:
    requests = [request(cluster, task, _key(seed, cluster.id, task), shown=how.shown) for cluster, task, _ in asked]
    results: list[Assignment | Refusal] = []
    for (cluster, task, turn), reply in zip(asked, model.reply(requests), strict=True):
        name, found = f"{cluster.id}/{turn:02d}", parse(reply, task, cluster.references[0].caption)
        if isinstance(found, str):
            results.append(Refusal(id=name, skill=task, text=reply, reason=found))
        else:
            results.append(Assignment(id=name, cluster=cluster, text=found[1], skill=task, order=found[0]))
    return results


def _reworded(
    results: Sequence[Assignment | Refusal], model: LanguageModel, how: Ordering, seed: int
) -> Iterator[Assignment | Refusal]:
    """With other ways to say each instruction."""
    asked = [one for one in results if isinstance(one, Assignment) and how.wordings]
    replies = model.reply([_rewording(one, how.wordings, seed) for one in asked]) if asked else []
    said = {
        one.id: rewording.wordings(reply, one.text, how.wordings) for one, reply in zip(asked, replies, strict=True)
    }
    for one in results:
        if isinstance(one, Assignment) and one.order is not None and one.id in said:
            yield replace(one, order=replace(one.order, wordings=said[one.id]))
        else:
            yield one


def _rewording(one: Assignment, count: int, seed: int) -> Request:
    assert one.order is not None
    before, after = one.cluster.references[0].caption, one.order.caption
    if one.skill == "addition":  # the order is of the removal
        before, after = after, before
    return rewording.request(one.text, before, after, count, _key(seed, one.id, rewording.TASK))


def _turns(cluster: str, tasks: Mapping[str, float], seed: int) -> list[str]:
    """All tasks in the order in which a picture is asked for them: a draw without replacement by their weights."""
    names = [task for task in EDITS if task in tasks]
    rng = np.random.default_rng(_key(seed, cluster, "tasks"))
    ranks = rng.exponential(size=len(names)) / np.asarray([tasks[name] for name in names])
    return [names[at] for at in np.argsort(ranks)]


def _had(results: Sequence[Assignment | Refusal]) -> int:
    return sum(isinstance(one, Assignment) for one in results)


def _key(*parts: str | int) -> int:
    """A number in [0, 2**31), which every server takes for a seed."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4]) >> 1
