"""Pages → unit features of their pictures, whose dot products are cosines. Any CLIP, ViT, DINO or DINOv2.

What "alike" means is the encoder's: CLIP's features follow what a caption would say, a DINO's who is seen.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.diffusion.features import PictureFeatures, picture_features
from tutelage.diffusion.pictures import decode
from tutelage.mining.group import Page
from tutelage.toybox.vision import folder_of

TOGETHER: Final = 64
"""Pages that an accelerator sees at once. On a CPU it is one, so that a page's features do not depend on others."""


def encoder(name_or_path: str, device: str = "auto") -> PictureFeatures:
    """A network that looks at pictures, by shipped name, folder or Hub id.

    Raises:
        BadInput: there is no such network or device.
    """
    return picture_features(folder_of(name_or_path), device)


def embed_pages(looks: PictureFeatures, pages: Sequence[Page]) -> Iterator[NDArray[np.float32]]:
    """Unit features (N, D) of each page's N pictures, page by page; without pictures, none.

    Raises:
        BadInput: bytes that are no picture, though their source found no fault with them.
    """
    together = 1 if looks.device.type == "cpu" else TOGETHER
    for first in range(0, len(pages), together):
        several = pages[first : first + together]
        images = [decode(picture.data, f"picture {picture.url}") for page in several for picture in page.pictures]
        features = looks.pictures(images, batch=max(1, len(images))).numpy()
        ends = np.cumsum([0, *(len(page.pictures) for page in several)])
        yield from (features[start:end] for start, end in pairwise(ends))
