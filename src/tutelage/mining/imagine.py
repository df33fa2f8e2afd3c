"""Clusters → unseen prompts by skill (SuTI, §3.2), each checked before anything is made from it.

The skill of a prompt and its random numbers follow from (seed, cluster, number): neither depends on the other clusters,
and over a run every skill is asked for equally often.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tutelage.chat.base import Message, Request
from tutelage.mining.grammar import TASK
from tutelage.mining.language import LanguageModel
from tutelage.mining.words import names, normalised
from tutelage.triplet import SKILLS, Assignment, Cluster

PROMPTS: Final = len(SKILLS)
"""Prompts for a cluster: one of each skill."""
TRIES: Final = 8
"""Answers asked for before a prompt is given up."""
LONGEST: Final = 40
"""Words of a prompt; CLIP reads 77 tokens."""
TOGETHER: Final = 256
"""Clusters that a language model is asked about at a time."""

MEANING: Final = {
    "recontextualisation": "put the subject in a new place, time of day or weather",
    "stylisation": "show the subject in another medium or style of art",
    "view": "show the subject from another viewpoint: from behind, from the left or right, from above",
    "attribute": "change a property or the expression of the subject, such as its mood",
    "accessory": "have the subject wear or hold something new",
    "composition": "ask for two of these at once: another style, viewpoint, property or accessory",
}
SYSTEM: Final = f"""\
You write prompts for a text-to-image model. You are given JSON with a subject, a skill and texts to avoid.
Write one short plain prompt of at most {LONGEST} words that names the subject word for word as given, exercises the
skill, and is none of the texts to avoid. Answer with the prompt alone, on one line.
Skills:
""" + "\n".join(f"{skill}: {meaning}." for skill, meaning in MEANING.items())


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A prompt that could not be had: stored, so that what is missing can be counted."""

    id: str
    """The assignment's."""
    skill: str
    text: str
    """The last answer."""
    reason: str


def imagine(
    clusters: Iterable[Cluster], model: LanguageModel, *, prompts: int = PROMPTS, seed: int = 0
) -> Iterator[Assignment | Refusal]:
    """`prompts` assignments for each cluster, cluster by cluster; what no valid prompt was found for is a `Refusal`.

    Raises:
        BadInput: the model cannot be reached.
    """
    rest = iter(clusters)
    while several := list(islice(rest, TOGETHER)):
        made: list[list[Assignment | Refusal]] = [[] for _ in several]
        for number in range(prompts):
            for results, result in zip(made, _round(several, made, number, model, seed), strict=True):
                results.append(result)
        yield from (result for results in made for result in results)


def skill_of(cluster: str, number: int, seed: int = 0) -> str:
    """The skill of a cluster's prompt `number`: all in turn, from one that the cluster's id decides."""
    return SKILLS[(_key(seed, cluster, "skill") + number) % len(SKILLS)]


def request(cluster: Cluster, skill: str, avoid: Sequence[str], seed: int) -> Request:
    """What a language model is asked for one prompt."""
    task = {"task": TASK, "subject": cluster.subject, "skill": skill, "avoid": list(avoid)}
    told = Message(role="user", text=json.dumps(task, ensure_ascii=False))
    return Request(messages=(Message(role="system", text=SYSTEM), told), seed=seed, temperature=1.0)


def fault(text: str, cluster: Cluster, avoid: Sequence[str]) -> str:
    """What is wrong with a prompt; empty if nothing is."""
    if not names(text, cluster.subject):
        return "does not name the subject"
    if len(text.split()) > LONGEST:
        return f"is longer than {LONGEST} words"
    plain = normalised(text)
    if plain == normalised(cluster.subject):
        return "asks for nothing but the subject"
    return "is a text the cluster has" if plain in {normalised(other) for other in avoid} else ""


def _round(
    clusters: Sequence[Cluster],
    made: Sequence[Sequence[Assignment | Refusal]],
    number: int,
    model: LanguageModel,
    seed: int,
) -> list[Assignment | Refusal]:
    """Prompt `number` of every cluster; those without a valid answer are asked for again."""
    texts = [""] * len(clusters)
    reasons = ["was never asked for"] * len(clusters)
    avoid = [_texts_of(cluster, results) for cluster, results in zip(clusters, made, strict=True)]
    skills = [skill_of(cluster.id, number, seed) for cluster in clusters]
    for attempt in range(TRIES):
        open_ones = [at for at, reason in enumerate(reasons) if reason]
        asked = [
            request(clusters[at], skills[at], avoid[at], _key(seed, clusters[at].id, number, attempt))
            for at in open_ones
        ]
        for at, answer in zip(open_ones, model.reply(asked) if asked else [], strict=True):
            texts[at] = tidy(answer)
            reasons[at] = fault(texts[at], clusters[at], avoid[at])
    rows = zip(clusters, skills, texts, reasons, strict=True)
    return [_result(cluster, number, skill, text, reason) for cluster, skill, text, reason in rows]


def tidy(answer: str) -> str:
    """A model's answer as a prompt: its first line that says something, without number, quotes and full stop."""
    line = next((line for line in answer.splitlines() if line.strip()), "")
    return line.strip().lstrip("-*0123456789.) ").strip(" \"'`*.")


def _result(cluster: Cluster, number: int, skill: str, text: str, reason: str) -> Assignment | Refusal:
    name = f"{cluster.id}/{number:02d}"
    if reason:
        return Refusal(id=name, skill=skill, text=text, reason=reason)
    return Assignment(id=name, cluster=cluster, text=text, skill=skill)


def _texts_of(cluster: Cluster, results: Sequence[Assignment | Refusal]) -> list[str]:
    captions = [reference.caption for reference in cluster.references if reference.caption]
    return [*captions, *(result.text for result in results if isinstance(result, Assignment))]


def _key(*parts: str | int) -> int:
    """A number in [0, 2**31), which every server takes for a seed."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4]) >> 1
