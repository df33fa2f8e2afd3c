"""Alt text and captions of a page → one short name for its subject (SuTI, §3.1).

Alt text is specific (brand, name) and full of noise; a caption is generic and clean. A language model merges them, or
the built-in rule does: words that most pictures' captions, or alt texts, use for the thing itself.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from tutelage.chat.base import Message, Request
from tutelage.mining.language import LanguageModel
from tutelage.mining.words import PASSING, cleaned, names, normalised, noun_phrase, phrase_of

LONGEST: Final = 8
"""Words of a description."""

TASK: Final = "describe"
SYSTEM: Final = f"""\
You name what a set of pictures from one web page shows. All of them show the same subject.
You are given JSON with the alt text and a caption of each picture. Alt texts are specific but noisy; captions are
generic but clean. Merge them into one noun phrase of at most {LONGEST} words that names the subject: keep its name,
brand, kind, colour and material where several pictures agree; leave out the place, the pose, what it wears, prices,
article numbers and words of advertisement; no article in front.
Example: alt "Hey Duggee plush £9.99", caption "a toy on the table" -> Hey Duggee plush toy
Answer with the phrase alone."""


def describe(pages: Sequence[Sequence[tuple[str, str]]], model: LanguageModel, seed: int = 0) -> list[str]:
    """The name of each page's subject from (alt text, caption) of its pictures; empty if the model gives none."""
    return [tidy(answer) for answer in model.reply([request(pairs, seed) for pairs in pages])]


def request(pairs: Sequence[tuple[str, str]], seed: int) -> Request:
    """What a language model is asked about one page."""
    shown = [{"alt": alt, "caption": caption} for alt, caption in pairs]
    told = json.dumps({"task": TASK, "pictures": shown}, ensure_ascii=False)
    return Request(messages=(Message(role="system", text=SYSTEM), Message(role="user", text=told)), seed=seed)


def tidy(answer: str) -> str:
    """A model's answer as a name: its first line without quotes, article, full stop; empty if it is no short name."""
    line = answer.strip().partition("\n")[0].strip(" \"'`*.")
    first, _, rest = line.partition(" ")
    name = rest if first.lower() in ("a", "an", "the") else line
    return name if 0 < len(normalised(name).split()) <= LONGEST else ""


def by_rule(pairs: Sequence[tuple[str, str]], vocabulary: Collection[str] | None = None) -> str:
    """The name by consensus: words that the noun phrases of more than half of the pictures' texts have.

    What only alt texts say comes first, then what captions say. Where nothing is agreed on, the last word of most
    captions is the name. Moods and the like pass, and name nobody.

    Args:
        pairs: (alt text, caption) of each picture; either may be empty.
        vocabulary: words that may be used, in lower case; any if None.
    """
    alts = [_named(cleaned(alt), vocabulary) for alt, _ in pairs]
    captions = [_named(caption, vocabulary) for _, caption in pairs]
    said = [{word.lower() for word in [*alt, *caption]} for alt, caption in zip(alts, captions, strict=True)]
    votes = Counter(word for words in said for word in words)
    agreed = {word for word, count in votes.items() if 2 * count > sum(map(bool, said))}
    generic = _most(captions, agreed) or _commonest_end(captions)
    specific = _most(alts, agreed - {word.lower() for word in generic})
    return " ".join([*specific, *generic][-LONGEST:])


def retitled(caption: str, subject: str) -> str:
    """A caption that names the subject in place of whatever its captioner took it for; as it is if it names it already.

    >>> retitled("a sad dog toy in the snow", "bear toy")
    'a sad bear toy in the snow'
    """
    if not caption or names(caption, subject):
        return caption or subject
    phrase = phrase_of(caption)
    words = phrase.split()
    kept = words[: max(0, len(words) - len(subject.split()))]
    named = " ".join([*kept, subject])
    return with_article(caption.replace(phrase, named, 1), named) if phrase else f"{subject}, {caption}"


def with_article(sentence: str, phrase: str) -> str:
    """The sentence with the right one of "a" and "an" before the phrase, where one of them was."""
    article, wrong = ("an", "a") if phrase[:1].lower() in "aeiou" else ("a", "an")
    return re.sub(rf"(^| ){wrong} (?={re.escape(phrase)})", rf"\1{article} ", sentence, count=1)


def answer(task: Mapping[str, Any], vocabulary: Collection[str] | None) -> str:
    """What the built-in language model answers to `request`."""
    return by_rule([(row["alt"], row["caption"]) for row in task["pictures"]], vocabulary)


def _named(sentence: str, vocabulary: Collection[str] | None) -> list[str]:
    words = [word for word in noun_phrase(sentence) if word.lower() not in PASSING]
    return words if vocabulary is None else [word.lower() for word in words if word.lower() in vocabulary]


def _most(phrases: Sequence[Sequence[str]], wanted: Collection[str]) -> list[str]:
    """The wanted words of the phrase that has most of them, in its order."""
    return max(([word for word in phrase if word.lower() in wanted] for phrase in phrases), key=len, default=[])


def _commonest_end(phrases: Sequence[Sequence[str]]) -> list[str]:
    ends = Counter(phrase[-1].lower() for phrase in phrases if phrase)
    return [ends.most_common(1)[0][0]] if ends else []
