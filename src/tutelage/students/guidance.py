"""Classifier-free guidance over two conditions, text T and references D.

A guided prediction is a *chain*: start at what the network says under one condition, and at every link go `weight`
times the way to what it says under the next:

    ẽ = e(c₀) + w₁ (e(c₁) − e(c₀)) + w₂ (e(c₂) − e(c₁)) + …

With one link from nothing to the text it is ordinary guidance, number for number.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from tutelage.errors import BadInput

START: Final = 0.8
"""Where SDXL's best interval begins in that paper (σ = 5.4), and what suits toybox-suti; see docs/log.md."""
INTERVAL: Final = (START, 0.0)
"""Where nobody says another."""


class Condition(NamedTuple):
    """What the network is shown."""

    text: bool
    references: bool


NOTHING: Final = Condition(text=False, references=False)
TEXT: Final = Condition(text=True, references=False)
REFERENCES: Final = Condition(text=False, references=True)
BOTH: Final = Condition(text=True, references=True)


class Link(NamedTuple):
    """Go `weight` times the way to `condition`."""

    condition: Condition
    weight: float


class Chain(NamedTuple):
    """A start and the way from there."""

    start: Condition
    links: tuple[Link, ...]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the network has to be asked, in order."""
        return self.start, *(link.condition for link in self.links)

    def shortened(self, has_references: bool) -> "Chain":
        """The same prediction with as few questions as possible.

        Without references to show, two conditions that differ in them alone are one. A link to where one stands leads
        nowhere, as does a last one of weight 0; two links of one weight are one link, and a first one of weight 1 is a
        start.
        """
        start, links = self.start._replace(references=self.start.references and has_references), list[Link]()
        for condition, weight in self.links:
            seen = condition._replace(references=condition.references and has_references)
            if seen == (links[-1].condition if links else start):
                continue
            if weight == 1 and not links:
                start = seen
            elif links and links[-1].weight == weight:
                links[-1] = Link(seen, weight)
            else:
                links.append(Link(seen, weight))
        while links and links[-1].weight == 0:
            links.pop()
        return Chain(start, tuple(links))

    def unguided(self) -> "Chain":
        """What is followed more strictly than the network does by itself is followed as it does; the rest as it was."""
        return self._replace(links=tuple(link._replace(weight=min(1.0, link.weight)) for link in self.links))


class Guidance(Protocol):
    """How strictly to follow text and references."""

    def chain(self, draw: float, time: float) -> Chain:
        """The chain of one evaluation of one picture.

        `draw` is uniform in [0, 1), its own and keyed by its seed. `time` is the timestep as a share of all those of
        training: 1 is noise alone, 0 a finished picture.
        """


@dataclass(frozen=True, kw_only=True)
class TwoWeights:
    """First towards the text, then from the text towards text and references:

        ẽ = e(∅, ∅) + text · (e(T, ∅) − e(∅, ∅)) + references · (e(T, D) − e(T, ∅))

    It is InstructPix2Pix's formula with the conditions in the other order, so that without references it is the base's
    own guidance with weight `text`. Equal weights need two evaluations a step instead of three, and are SuTI's single
    guidance weight.
    """

    text: float = 4.0
    references: float = 4.0

    def __post_init__(self) -> None:
        _check(text=self.text, references=self.references)

    def chain(self, draw: float, time: float) -> Chain:
        return Chain(NOTHING, (Link(TEXT, self.text), Link(BOTH, self.references)))


@dataclass(frozen=True, kw_only=True)
class ImageFirst:
    """First towards the source picture I, then from it towards picture and instruction T (InstructPix2Pix, Eq. 3):

    ẽ = e(∅, ∅) + image · (e(∅, I) − e(∅, ∅)) + text · (e(T, I) − e(∅, I))
    """

    text: float = 7.5
    image: float = 1.5

    def __post_init__(self) -> None:
        _check(text=self.text, image=self.image)

    def chain(self, draw: float, time: float) -> Chain:
        return Chain(NOTHING, (Link(REFERENCES, self.image), Link(BOTH, self.text)))


@dataclass(frozen=True, kw_only=True)
class Interleaved:
    """Re-Imagen's: at each step, with probability `ratio` the text is enforced, else the references (Chen et al. 2023):

        ẽ = e(∅, D) + text · (e(T, D) − e(∅, D))      or      ẽ = e(T, ∅) + references · (e(T, D) − e(T, ∅))

    Without references the first is ordinary guidance, and the second none.
    """

    text: float = 4.0
    references: float = 4.0
    ratio: float = 0.5

    def __post_init__(self) -> None:
        _check(text=self.text, references=self.references)
        if not 0 <= self.ratio <= 1:
            raise BadInput(f"ratio of guidance is {self.ratio}; give a share of the steps, from 0 to 1")

    def chain(self, draw: float, time: float) -> Chain:
        if draw < self.ratio:
            return Chain(REFERENCES, (Link(BOTH, self.text),))
        return Chain(TEXT, (Link(BOTH, self.references),))


def within(interval: tuple[float, float], guidance: Guidance | None = None) -> "Within":
    """`guidance`, by default `TwoWeights()`, from the first share of the time to the second.

    Raises:
        BadInput: the interval is none.
    """
    start, stop = interval
    return Within(guidance=guidance or TwoWeights(), start=start, stop=stop)


@dataclass(frozen=True, kw_only=True)
class Within:
    """Guidance in an interval of time alone; outside it no weight is above 1.

    Guidance while there is nearly nothing but noise overshoots, which ends in glaring pictures, and late it changes
    little (Kynkäänniemi et al. 2024, "Applying Guidance in a Limited Interval"). Each evaluation without it costs one
    question instead of two or three.
    """

    guidance: Guidance
    start: float = START
    stop: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.stop <= self.start <= 1:
            raise BadInput(f"guidance from {self.start} to {self.stop}; give two shares of time, from 1 down to 0")

    def chain(self, draw: float, time: float) -> Chain:
        chain = self.guidance.chain(draw, time)
        return chain if self.stop <= time <= self.start else chain.unguided()


def _check(**weights: float) -> None:
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise BadInput(f"guidance for {name} is {weight}; give a number from 0 (1: none), such as 4")
