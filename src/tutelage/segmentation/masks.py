"""How masks are found, as settings; light to import."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tutelage.errors import BadInput

if TYPE_CHECKING:  # PyTorch
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from tutelage.segmentation.base import Segmenter


@dataclass(frozen=True, kw_only=True)
class Masks:
    """Masks by phrase."""

    segmenter: str | Path = "toybox-seg"
    """Who draws masks: a shipped name, a folder or a Hub id; with a detector, of a SAM."""
    detector: str | Path = ""
    """Who finds what a phrase names: a folder or Hub id of a Grounding DINO; empty: the segmenter does."""
    box: float = 0.35
    """Least score of a detector's box."""
    text: float = 0.25
    """Least score of a detector's word."""
    least: float = 0.002
    """Least share of a picture that a phrase must cover; with less it is not there."""
    most: float = 0.9
    """Greatest share; with more there is nothing left to keep."""

    def __post_init__(self) -> None:
        for name in ("box", "text", "least", "most"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"{name} of masks is {getattr(self, name)}; give a share from 0 to 1")

    def of(self, image: "Image", phrase: str, device: str = "auto") -> "NDArray[np.bool_] | None":
        """The mask (H, W) of what a phrase names in a picture; None if it is not there, or is nearly all of it.

        Raises:
            BadInput: a network cannot be loaded, or the phrase cannot be understood.
        """
        [found] = load_segmenter(self, device).mask([image], phrase)
        return found if self.least <= found.mean() <= self.most else None


@lru_cache(maxsize=4)
def load_segmenter(masks: Masks, device: str = "auto") -> "Segmenter":
    """Who finds masks by these settings, loaded once in a process.

    Raises:
        BadInput: a folder or the device is absent, or a folder holds something else.
    """
    if masks.detector:
        from tutelage.segmentation.grounded import GroundedSam

        return GroundedSam.load(masks.detector, masks.segmenter, masks.box, masks.text, device)
    from tutelage.toybox.masks import Segmenter as Parts

    return Parts.load(masks.segmenter, device)
