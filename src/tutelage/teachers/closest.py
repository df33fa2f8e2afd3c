"""Which picture of a subject an editor starts from."""

from typing import Any

import torch
from torch.nn import functional as F

from tutelage.diffusion.text import encode_text
from tutelage.triplet import Assignment


@torch.no_grad()
def closest(pipeline: Any, assignment: Assignment) -> int:
    """Number of the picture whose caption is nearest to the assignment's text, so that least is left to be changed.

    Nearness is the cosine of what the base's own text encoder makes of them, averaged over tokens.
    """
    cluster = assignment.cluster
    captions = [reference.caption or cluster.subject for reference in cluster.references]
    wanted, *shown = (encode_text(pipeline, [text]).hidden.mean(1) for text in (assignment.text, *captions))
    return int(F.cosine_similarity(wanted, torch.cat(shown)).argmax())
