"""CLIP's figures of pictures and captions, from unit features (N, D) as `diffusion.features` gives them."""

from torch import Tensor
from torch.nn import functional as F


def cosines(left: Tensor, right: Tensor) -> Tensor:
    """CLIP-I of two sets of pictures, CLIP-T of pictures and captions: (N,) in [-1, 1]."""
    return (left * right).sum(-1)


def clip_score(pictures: Tensor, captions: Tensor) -> Tensor:
    """100 · max(cosine, 0) (Hessel et al. 2021, without its factor 2.5): (N,) in [0, 100]."""
    return 100 * cosines(pictures, captions).clamp(min=0)


def direction_similarity(before: Tensor, after: Tensor, words_before: Tensor, words_after: Tensor) -> Tensor:
    """Does the picture change as the caption does? cos(I₁ − I₀, T₁ − T₀) of unit features (InstructPix2Pix, §3.1).

    (N,) in [-1, 1]; 0 where the picture or the caption does not change.
    """
    return F.cosine_similarity(after - before, words_after - words_before, dim=-1)
