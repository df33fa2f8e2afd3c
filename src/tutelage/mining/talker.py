"""A captioner and a language model over any model that one talks to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tutelage.chat.base import HEARD, ChatModel, Message, Request, ask_once
from tutelage.errors import BadInput

ASK: Final = (
    "Say in one short sentence what this picture shows: the main thing, what it wears or does, and where it is."
)


@dataclass(frozen=True)
class Talker:
    """See `language.Captioner` and `language.LanguageModel`."""

    model: ChatModel

    def caption(self, pictures: Sequence[bytes]) -> list[str]:
        """One sentence for each picture; empty if the model will not say."""
        asked = [(Message(role="user", text=ASK, pictures=(picture,)),) for picture in pictures]
        return self.reply([Request(messages=messages) for messages in asked])

    def reply(self, requests: Sequence[Request]) -> list[str]:
        """The answer to each request; empty if the model will not say.

        Raises:
            BadInput: the model does not answer.
        """
        answers = ask_once(self.model, requests)
        for answer in answers:
            if answer.outcome not in HEARD:
                raise BadInput(answer.why)
        return ["" if answer.outcome == "refused" else answer.text for answer in answers]
