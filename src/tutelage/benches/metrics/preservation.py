"""How much of what was not to be edited is as it was.

`published`  both pictures are black inside the mask and figures are means over the whole frame, as PIE-Bench publishes
             them: the larger the mask, the better every figure, and MSE of an edit of half the frame is halved
`masked`     the edited picture is the source inside the mask, so that nothing of the edit shows, and figures are means
             over the pixels outside it alone
"""

from collections.abc import Callable, Mapping
from typing import Final

from tutelage.benches.metrics.lpips import Lpips
from tutelage.benches.metrics.pixels import Planes, Region, mse, psnr, ssim

Distance = Callable[[Planes, Planes, Region | None], float]


def distances(lpips: Lpips | None) -> dict[str, Distance]:
    """Name → distance; without LPIPS where there is none."""
    found: dict[str, Distance] = {"PSNR": psnr, "MSE": mse, "SSIM": ssim}
    return found if lpips is None else found | {"LPIPS": lpips}


def published(source: Planes, edited: Planes, mask: Region, measures: Mapping[str, Distance]) -> dict[str, float]:
    """Every distance, with what may be edited black in both pictures."""
    left, right = source * ~mask, edited * ~mask
    return {name: measure(left, right, None) for name, measure in measures.items()}


def masked(source: Planes, edited: Planes, mask: Region, measures: Mapping[str, Distance]) -> dict[str, float]:
    """Every distance over the pixels that must not be edited; nan if there are none."""
    beside = source.where(mask, edited)
    return {name: measure(source, beside, ~mask) for name, measure in measures.items()}


KINDS: Final = {"published": published, "masked": masked}
"""Name → how the mask is used."""
