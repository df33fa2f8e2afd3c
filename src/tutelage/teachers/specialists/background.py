"""Background swap: the complement of the mask is inpainted (OmniEdit, §3)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tutelage.teachers.specialists.filling import Filling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class Background(Filling):
    """The phrase names what stays. The mask of the rest is dilated, so that no rim of the old place is left."""

    dilation: float = 0.01
    name: ClassVar[str] = "background"

    def found(self, picture: "Image", phrase: str) -> "NDArray[np.bool_] | None":
        from tutelage.diffusion.regions import dilated

        kept = self.masks.of(picture, phrase, self.device)
        return None if kept is None else dilated(~kept, self.dilation)
