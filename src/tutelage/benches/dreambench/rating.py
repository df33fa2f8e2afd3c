"""What a rater is asked about a picture, and what it may answer. Raters are judges behind endpoints, people, code."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tutelage.benches.dreambench.items import Item, Subject
from tutelage.benches.dreambench.look import digest
from tutelage.benches.dreambench.measures import Told, photos_of

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One thing to rate."""

    name: str
    """Such as `concept preservation`."""
    most: int
    """Scores are whole numbers from 0 to this."""
    rubric: str
    """What each score means."""
    sees_photos: bool
    """Whether the rater is shown the subject's photos, before the picture."""
    sees_text: bool
    """Whether the rater is told the prompt."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question to a rater."""

    id: str
    """Of the item."""
    criterion: Criterion
    photos: "Sequence[Image]"
    """RGB; empty if they are not to be seen."""
    picture: "Image"
    """RGB."""
    text: str
    """The prompt; empty if it is not to be read."""
    subject: str
    """What prompts call the subject."""
    repeat: int
    """The same question is asked several times; a rater that draws its answers keys them by this."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A score, or why there is none."""

    score: float | None
    reason: str = ""


class Rater(Protocol):
    """Somebody who rates. It makes its own attempts; an answer without a score is final and counts as missing."""

    @property
    def name(self) -> str:
        """Who it is and how it is told, such as a model and the hash of its prompt: equal names answer alike."""
        ...

    def rate(self, asked: Sequence[Asked]) -> Iterator[Answer]:
        """Yield an answer to each question, in order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Called:
    """Any function as a rater."""

    name: str
    function: Callable[[Asked], Answer]

    def rate(self, asked: Sequence[Asked]) -> Iterator[Answer]:
        """See `Rater`."""
        return map(self.function, asked)


@dataclass(frozen=True, kw_only=True)
class Rating:
    """A rater's opinion as a measure. Finds `score`, a float or None, and `reason`."""

    rater: Rater
    criterion: Criterion
    style: Criterion | None = None
    """What is rated in place of `criterion` of subjects whose photo shows a style."""
    repeat: int = 0

    @property
    def name(self) -> str:
        """Such as `concept preservation 0`."""
        return f"{self.criterion.name} {self.repeat}"

    def key(self, item: Item) -> str:
        """Rater, rubric, photos, text and repeat."""
        what = self._of(item.subject)
        photos = digest(*map(digest, item.subject.data)) if what.sees_photos else ""
        return digest(self.rater.name, what, photos, item.prompt.text if what.sees_text else "", self.repeat)

    def measure(self, items: Sequence[Item], pictures: "Sequence[Image]") -> list[Told]:
        """See `measures.Measure`."""
        subjects = {item.subject.name: item.subject for item in items if self._of(item.subject).sees_photos}
        photos = {name: photos_of(subject) for name, subject in subjects.items()}  # decoded once, large as they are
        pairs = zip(items, pictures, strict=True)
        asked = [self._asked(item, picture, photos.get(item.subject.name, ())) for item, picture in pairs]
        answers = zip(asked, self.rater.rate(asked), strict=True)
        return [_told(one, answer) for one, answer in answers]

    def _of(self, subject: Subject) -> Criterion:
        return self.style if self.style is not None and subject.group == "style" else self.criterion

    def _asked(self, item: Item, picture: "Image", photos: "Sequence[Image]") -> Asked:
        what = self._of(item.subject)
        return Asked(
            id=item.id,
            criterion=what,
            photos=photos,
            picture=picture,
            text=item.prompt.text if what.sees_text else "",
            subject=item.subject.kind,
            repeat=self.repeat,
        )


def _told(asked: Asked, answer: Answer) -> Told:
    """A score out of range is no score."""
    most, score = asked.criterion.most, answer.score
    if score is not None and not 0 <= score <= most:
        return {"score": None, "reason": f"the score {score:g} is not from 0 to {most}"}
    return {"score": score, "reason": answer.reason or ("" if score is not None else "no reason given")}
