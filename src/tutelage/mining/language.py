"""Who says what is seen and who writes: captioners and language models.

To add one, write a class with the one method of its protocol in a file of its own and give it a line in `captioner` or
`language_model`. There are three of each: an endpoint that speaks the OpenAI protocol (vLLM, Ollama, hosted models), a
local model in transformers' layout (both through `talker`), and the built-in ones, which know the toybox and the
grammar of prompts.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from tutelage.chat.base import Request
from tutelage.mining.talker import Talker

BUILT_IN: Final = "toybox"
"""Name of the captioner and the language model that come with the package and know the toybox's words."""
IN_FULL: Final = "toybox-full"
"""Name of the same captioner, which says every colour."""
OPEN_GRAMMAR: Final = "grammar"
"""Name of the same language model for words it does not know."""


class Captioner(Protocol):
    """Something that says what pictures show."""

    def caption(self, pictures: Sequence[bytes]) -> list[str]:
        """One sentence for each picture file (PNG, JPEG, …); empty if there is nothing to say.

        Raises:
            BadInput: the model cannot be reached or does not answer.
        """
        ...


class LanguageModel(Protocol):
    """Something that writes."""

    def reply(self, requests: Sequence[Request]) -> list[str]:
        """The answer to each request; empty if there is none.

        Raises:
            BadInput: the model cannot be reached or does not answer.
        """
        ...


def captioner(name: str, cache: Path, device: str = "auto") -> Captioner:
    """A captioner by name.

    Args:
        name: `toybox` or, with every colour, `toybox-full`; `http://host:port/v1#model` of an endpoint; or a folder or
            Hub id of an image-text-to-text model.
        cache: Folder for what models answered.
        device: For local networks: auto, cpu, cuda, …

    Raises:
        BadInput: there is no such endpoint, model or device.
    """
    if name in (BUILT_IN, IN_FULL):
        from tutelage.mining.toys import ToyCaptioner

        return ToyCaptioner.load(device=device, level="full" if name == IN_FULL else "short")
    if "://" in name:
        from tutelage.chat.endpoint import Endpoint

        return Talker(Endpoint.at(name, cache))
    from tutelage.chat.local import LocalChat

    return Talker(LocalChat.load(name, "image-text-to-text", device, cache))


def language_model(name: str, cache: Path, device: str = "auto") -> LanguageModel:
    """A language model by name.

    Args:
        name: `toybox` (its answers are made of the toybox's words) or `grammar` (of any); `http://host:port/v1#model`
            of an endpoint; or a folder or Hub id of a text-generation model.
        cache: Folder for what models answered.
        device: For local networks: auto, cpu, cuda, …

    Raises:
        BadInput: there is no such endpoint, model or device.
    """
    if name in (BUILT_IN, OPEN_GRAMMAR):
        from tutelage.mining.toys import Grammar, known_words

        return Grammar(known_words() if name == BUILT_IN else None)
    if "://" in name:
        from tutelage.chat.endpoint import Endpoint

        return Talker(Endpoint.at(name, cache))
    from tutelage.chat.local import LocalChat

    return Talker(LocalChat.load(name, "text-generation", device, cache))
