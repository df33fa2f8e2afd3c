"""How to mine: settings alone, light to import."""

from dataclasses import dataclass, field
from typing import Final

from tutelage.errors import BadInput

LEAST: Final = 3
MOST: Final = 10
"""Pictures of a cluster (SuTI, §3.1: 3 to 10)."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which pages are kept. The limits belong to the encoders they were found for."""

    least: int = LEAST
    """Pictures that must be left."""
    low: float = 0.82
    """Least mean cosine: below it, a page is not one subject. The paper's, for CLIP ViT-L/14."""
    high: float = 0.98
    """Greatest mean cosine: above it, a page is one picture many times. The paper's, likewise."""
    duplicate: float = 0.98
    """Cosine from which two pictures count as one. The paper has only the band; this is its upper end for pairs."""

    def __post_init__(self) -> None:
        if self.least < 2 or not -1 <= self.low <= self.high <= 1 or self.duplicate < -1:
            raise BadInput(f"{self}: needs 2 pictures at least and cosines with low up to high, both within -1 to 1")


PAPER: Final = Rule()
TOYBOX: Final = Rule(low=0.46, high=0.98, duplicate=0.75)
"""For the band by `toybox-dino` and duplicates by `toybox-clip`, as `tutelage calibrate` finds it on two crawls.

Who a toy is, a DINO knows; whether two pictures of it are one, a CLIP, for which the scene counts. Each alone is worse.
"""


@dataclass(frozen=True, kw_only=True)
class Mining:
    """How to mine."""

    encoder: str = "toybox-dino"
    """Network whose cosines say whether pictures show one subject: a shipped name, a folder or a Hub id."""
    duplicates: str = "toybox-clip"
    """Network whose cosines say whether two pictures are one; empty: the same."""
    rule: Rule = TOYBOX
    """Limits for the cosines; another encoder needs others (`tutelage calibrate`)."""
    captioner: str = "toybox"
    """`toybox`, `http://host:port/v1#model`, a folder or a Hub id; empty: alt texts are the captions, or
    where there is none the words in the page's address."""
    language_model: str = "toybox"
    """`toybox`, `grammar`, `http://host:port/v1#model`, a folder or a Hub id."""
    parts: int = 16
    """Pieces that the crawl is split into. One is in memory at a time: at the paper's size, thousands."""
    seed: int = 0
    """Of the choice among more than ten pictures, and of language models."""
    device: str = field(default="auto", metadata={"resume": "free"})
    """auto, cpu, cuda, cuda:1, ... or mps."""
