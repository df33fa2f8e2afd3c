"""The record: what teachers make, judges weigh, the corpus keeps and the student learns from. Imports nothing of ours.

A *triplet* is a target picture, a text, and references. In subject-driven generation the text is a prompt and the
references are captioned demonstrations of one subject; in editing the text is an instruction and the one reference is
the source picture.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

SKILLS: Final = ("recontextualisation", "stylisation", "view", "attribute", "accessory", "composition")
"""What a prompt for a subject asks for (SuTI, §3.2); a composition asks for two at once."""

EDITS: Final = ("swap", "removal", "addition", "attribute", "background", "environment", "style")
"""What an instruction for a picture asks for (OmniEdit's seven tasks)."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture as it was found, and where: what lineage, licences and removal on request go by."""

    data: bytes
    """The file as it came: PNG, JPEG, WebP, …"""
    url: str = ""
    page: str = ""
    """URL of the page it was on."""
    alt: str = ""
    """What the page says it shows."""
    licence: str = ""

    @cached_property
    def key(self) -> str:
        """First 32 hex digits of the SHA-256 of the bytes: equal pictures are stored once."""
        return hashlib.sha256(self.data).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A picture and what it shows: a demonstration of a subject, or the source of an edit."""

    picture: Picture
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Pictures of one subject (SuTI, §3.1)."""

    id: str
    subject: str
    """Short description of who or what it is: alt text and captions merged."""
    references: tuple[Reference, ...]
    similarity: float | None = None
    """Mean cosine of all pairs of its pictures; None if it was not mined."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be done to a picture so that it follows an instruction: what a specialist is told besides it."""

    phrase: str
    """Names what of the picture is masked, such as `the hat`; empty where all of it may change."""
    caption: str
    """What the picture that is made shows."""
    fill: str = ""
    """What is to be drawn inside the mask; empty: as the caption says."""
    wordings: tuple[str, ...] = ()
    """Other ways to say the instruction."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A text that a teacher is to make a target for."""

    id: str
    """The cluster's id and a number within it, such as `3f2a/04`."""
    cluster: Cluster
    text: str
    skill: str
    """One of `SKILLS`, or of `EDITS`."""
    order: Order | None = None
    """Where the text is an instruction for the cluster's first picture."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a target came to be."""

    teacher: str
    """Its registered name."""
    base: str
    """Hash of the weights it started from; `+` and a branch's, where one stood beside them."""
    seed: int
    """Of the noise the target was drawn from."""


@dataclass(frozen=True, kw_only=True)
class Triplet:
    """One training example, whether or not a judge will keep it."""

    id: str
    """The assignment's id and the number of the sample, such as `3f2a/04/1`."""
    target: bytes
    """PNG; of a set that was read in, the file as it came."""
    text: str
    references: tuple[Reference, ...]
    subject: str
    skill: str
    cluster: str
    provenance: Provenance
    caption: str = ""
    """What the target shows, where the text is an instruction; empty where the text says it."""
    wordings: tuple[str, ...] = ()
    """Other ways to say the text."""
    mask: bytes = b""
    """PNG of the target's size, white where an edit was allowed to change the source; empty: everywhere."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of the scores that a verdict's score is made of."""

    name: str
    """Such as `SC`, or `SC.prompt` for a part of that."""
    score: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one judge says of one triplet. A rejection is data: it is stored like an acceptance."""

    triplet: str
    """Its id."""
    judge: str
    """Its registered name."""
    score: float | None
    """None: the judge could not say; the reason tells why."""
    keep: bool
    """By the threshold the judge was given; readers of the corpus may apply another one to the score."""
    reason: str = ""
    """Why it was rejected or is missing; empty if kept."""
    parts: tuple[Part, ...] = ()
    """Those that there are; readers of the corpus may apply thresholds to them too, as `judge.part`."""
    words: str = ""
    """What the judge says for its score, in its own words."""
    model: str = ""
    """Which model judged, if the judge may use several."""
    prompt: str = ""
    """Hash of the words it was asked with, if it was asked."""
