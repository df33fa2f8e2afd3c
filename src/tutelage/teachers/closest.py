"""Which picture of a subject an editor starts from."""

import torch
from torch.nn import functional as F

from tutelage.diffusion.text import encode_text
from tutelage.teachers.model import Model
from tutelage.triplet import Assignment


@torch.no_grad()
def closest(model: Model, assignment: Assignment) -> int:
    """Number of the picture whose caption is nearest to the assignment's text, so that least is left to be changed.

    Nearness is the cosine of what the base's own text encoder makes of them, averaged over tokens.
    """
    cluster = assignment.cluster
    captions = [reference.caption or cluster.subject for reference in cluster.references]
    wanted, *shown = (encode_text(model.pipeline, [text]).hidden.mean(1) for text in (assignment.text, *captions))
    return int(F.cosine_similarity(wanted, torch.cat(shown)).argmax())
