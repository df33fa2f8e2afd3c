"""The built-in captioner and language model: no download, and all the toybox and the debug runs need.

The captioner reads the attributes of a toy back and says them as a short caption. The language model answers what
`describe` and `imagine` ask by rule and grammar; it reads the same JSON as any other model would.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tutelage.chat.base import Request
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.mining import describe, edit_grammar, grammar, rewording
from tutelage.toybox.captions import Level, caption, vocabulary
from tutelage.toybox.reader import Reader, Reading
from tutelage.toybox.scene import COLOURS, OUTDOORS, Scene, Subject

ANSWERS: Final[Mapping[str, Callable[[Mapping[str, Any], Collection[str] | None, int], str]]] = {
    describe.TASK: lambda task, words, _: describe.answer(task, words),
    grammar.TASK: lambda task, _, seed: grammar.answer(task, seed),
    edit_grammar.TASK: lambda task, _, seed: edit_grammar.answer(task, seed),
    rewording.TASK: lambda task, _, seed: rewording.answer(task, seed),
}


@dataclass(frozen=True)
class ToyCaptioner:
    """A captioner of toybox pictures."""

    reader: Reader
    level: Level = "short"

    @staticmethod
    def load(name_or_path: str = "toybox-reader", device: str = "auto", level: Level = "short") -> "ToyCaptioner":
        """From a shipped name, a folder or a Hub id of an attribute reader.

        Raises:
            BadInput: there is no such reader or device.
        """
        return ToyCaptioner(Reader.load(name_or_path, device), level)

    def caption(self, pictures: Sequence[bytes]) -> list[str]:
        """A caption of each picture, at the captioner's level; see `language.Captioner`."""
        readings = [reading for picture in pictures for reading in self.reader.read([decode(picture)])]
        return [sentence(reading, self.level) for reading in readings]


def sentence(reading: Reading, level: Level = "short") -> str:
    """What was read, in the toybox's own words; by default at the level of a prompt."""
    values: dict[str, Any] = dict(reading.values)
    paints: dict[str, Any] = {part: COLOURS[values[part]] for part in ("body", "head", "accent")}
    who = Subject(kind=values["kind"], pattern=values["pattern"], **paints)
    seen = {name: values[name] for name in ("view", "accessory", "expression", "style")}
    seen["environment"] = values["environment"] if values["scene"] in OUTDOORS else "day"
    return caption(Scene(subject=who, place=values["scene"], **seen), level)


def known_words() -> frozenset[str]:
    """The words that the toybox's text encoder knows."""
    return frozenset(vocabulary())


@dataclass(frozen=True)
class Grammar:
    """A language model that knows the tasks of `ANSWERS`."""

    words: Collection[str] | None = None
    """Words it may use for a subject, in lower case; any if None."""

    def reply(self, requests: Sequence[Request]) -> list[str]:
        """The answer to each request; see `language.LanguageModel`.

        Raises:
            BadInput: a request is none that mining makes.
        """
        return [self._reply(request) for request in requests]

    def _reply(self, request: Request) -> str:
        try:
            task = json.loads(request.messages[-1].text)
            say = ANSWERS[task["task"]]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise BadInput("the built-in language model knows mining's tasks alone; name another model") from error
        return say(task, self.words, request.seed)
