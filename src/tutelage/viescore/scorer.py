"""Items → SC, PQ and O, by asking a model: at most three times for each half, then it is missing and says why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tutelage.chat.base import LATER, Answer, ChatModel, Request
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.viescore.items import SIDES, Half, Item, Scored, Side
from tutelage.viescore.reply import read
from tutelage.viescore.rubric import Wording, rubric_of

TRIES: Final = 3
LONGEST: Final = 512
"""Tokens of a reply."""
WARMTH: Final = 0.7
"""Temperature of the second and third try: what a model always says at 0 will not change by asking again."""
UNREADABLE: Final = "unreadable"
NO_PICTURE: Final = "no picture"

SHOWN: Final = 200
"""Characters of a reason."""


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """VIEScore by one model. What it answered is in the model's cache, so asking for the same again costs nothing."""

    model: ChatModel
    wording: Wording = Wording()
    tries: int = TRIES
    """For each half. Where more were granted later, the earlier tries are remembered and not asked again."""
    longest: int = LONGEST
    """Tokens of a reply."""

    def __post_init__(self) -> None:
        if self.tries < 1 or self.longest < 1:
            raise BadInput(f"tries {self.tries}, longest {self.longest}: give at least 1 of each")

    def score(self, items: Sequence[Item]) -> list[Scored]:
        """One result an item, in their order; none depends on the others.

        Raises:
            BadInput: the model cannot be had, or nothing at all comes from it.
        """
        faults = [_unreadable(item) for item in items]
        asked = [(at, side) for at, fault in enumerate(faults) if not fault for side in SIDES]
        tries = [[self.request(items[at], side, attempt) for attempt in range(self.tries)] for at, side in asked]
        names = [[one.name for one in rubric_of(items[at].task, side).questions] for at, side in asked]
        answers = self.model.ask(tries, lambda number, answer: not _heard(answer, names[number]).causes)
        rows = zip(asked, answers, names, strict=True)
        halves = {key: self._half(said, wanted) for key, said, wanted in rows}
        none = [Half(missing=fault, causes=(NO_PICTURE,)) for fault in faults]
        return [
            self._scored(item, *(halves.get((at, side), none[at]) for side in SIDES)) for at, item in enumerate(items)
        ]

    def request(self, item: Item, side: Side, attempt: int) -> Request:
        """What the model is asked in one try; the tries differ, and each is remembered by itself."""
        told = self.wording.conversation(item, side)
        return Request(messages=told, seed=attempt, temperature=WARMTH if attempt else 0.0, longest=self.longest)

    def _half(self, answers: Sequence[Answer], names: Sequence[str]) -> Half:
        """What the tries came to: the scores of the last, or why there are none."""
        read = [_heard(answer, names) for answer in answers]
        last, causes = read[-1], tuple(cause for half in read for cause in half.causes)
        if last.scores or last.later:
            return replace(last, causes=causes)
        return Half(
            missing=f"missing after {self.tries} tries: {'; '.join(half.missing for half in read)}", causes=causes
        )

    def _scored(self, item: Item, sc: Half, pq: Half) -> Scored:
        prompt = self.wording.hash(item.task)
        return Scored(item=item.id, task=item.task, sc=sc, pq=pq, judge=self.model.id, prompt=prompt)


def _heard(answer: Answer, names: Sequence[str]) -> Half:
    """One answer as a half: scores, or the reason why there are none."""
    if answer.outcome in LATER:
        return Half(missing=answer.why, causes=(answer.outcome,), later=True)
    cause, told = answer.outcome if answer.outcome != "said" else UNREADABLE, answer.why or answer.text
    if answer.outcome in ("said", "cut"):
        reading = read(answer.text, names)
        if not reading.fault:
            return Half(scores=reading.scores, reasoning=reading.reasoning)
        told = reading.fault
    return Half(missing=f"{cause} ({told[:SHOWN]})" if told else cause, causes=(cause,))


def _unreadable(item: Item) -> str:
    """Why one of the pictures cannot be shown; empty if all can."""
    for number, picture in enumerate(item.pictures, start=1):
        try:
            decode(picture, f"picture {number}")
        except BadInput as fault:
            return str(fault)
    return ""
