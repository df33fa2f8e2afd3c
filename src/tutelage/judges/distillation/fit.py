"""A scorer learns a strong judge's marks: the same marks and seed give the same weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from tutelage.errors import BadInput
from tutelage.judges.distillation.features import Told
from tutelage.judges.distillation.scorer import TOLD, Scorer, ScorerConfig

LEAST: Final = 20
"""Labelled triplets below which there is nothing to learn."""


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """How a scorer is trained."""

    steps: int = 300
    batch: int = 256
    lr: float = 1e-3
    weight_decay: float = 0.05
    hidden: int = 64
    seed: int = 0


def fit(
    told: Told, marks: Mapping[str, Tensor], clip: str, network: str, how: Fitting, *, captions: bool = False
) -> Scorer:
    """Train on CPU by cross-entropy with marks in [0, 1], whose minimum is their mean given the features.

    Args:
        told: what is known of N triplets.
        marks: mark → (N,) in [0, 1]; nan where the strong judge gave none.
        clip: hash of the CLIP that looked.
        network: hash of the other network, or empty.
        how: length and width of the training.
        captions: whether `told` has what captions say.

    Raises:
        BadInput: fewer than 20 triplets are labelled.
    """
    labels = torch.stack(list(marks.values()), 1).float()
    there = torch.nonzero(told.sound & labels.isfinite().all(1))[:, 0]
    if len(there) < LEAST:
        raise BadInput(f"{len(there)} triplets to learn from; label at least {LEAST}")
    chosen = told.at(there)
    widths = tuple(getattr(chosen, TOLD[mark]).shape[1] for mark in marks)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(how.seed)
        scorer = Scorer(
            ScorerConfig(
                marks=tuple(marks),
                widths=widths,
                hidden=how.hidden,
                clip=clip,
                network=network,
                thresholds={},
                precision=0.0,
                captions=captions,
            )
        )
        _train(scorer, chosen, labels[there], how)
    return scorer.eval()


def _train(scorer: Scorer, told: Told, labels: Tensor, how: Fitting) -> None:
    for mark in scorer.config.marks:
        scorer.head(mark).standardise_by(getattr(told, TOLD[mark]))
    optimiser = torch.optim.AdamW(scorer.parameters(), lr=how.lr, weight_decay=how.weight_decay)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, how.steps)
    scorer.train()
    for _ in range(how.steps):
        rows = torch.randint(len(labels), (how.batch,))
        logits = torch.stack(list(scorer.logits(told.at(rows)).values()), 1)
        optimiser.zero_grad()
        loss: Any = F.binary_cross_entropy_with_logits(logits, labels[rows])
        loss.backward()
        optimiser.step()
        rate.step()
