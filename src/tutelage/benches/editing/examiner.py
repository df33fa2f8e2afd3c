"""Who marks edited pictures, and with which networks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tutelage.benches.editing.questions import EditQuestion
from tutelage.benches.metrics.lpips import Lpips, load_lpips
from tutelage.benches.metrics.pixels import Planes, planes
from tutelage.benches.metrics.preservation import KINDS, distances
from tutelage.benches.metrics.structure import FULL_SCALE, structure_distance
from tutelage.benches.metrics.words import clip_score, cosines, direction_similarity
from tutelage.diffusion.features import ClipFeatures, PictureFeatures, clip_features, picture_features
from tutelage.diffusion.pictures import decode
from tutelage.toybox.vision import folder_of

CLIP: Final = "openai/clip-vit-large-patch14"
DINO: Final = "facebook/dino-vitb8"
LPIPS: Final = "squeeze"
NONE: Final = "none"
"""The model of a figure that is left out."""

Marks = dict[str, float]
"""Figure → its value for one picture; nan or infinite where it has none."""


@dataclass(frozen=True)
class EditExaminer:
    """Networks that look, and their names in figures."""

    clip: ClipFeatures
    dino: PictureFeatures | None
    lpips: Lpips | None
    named: dict[str, str]
    """Network → what is added to the names of its figures: nothing if it is the one people publish with."""

    def hashes(self) -> dict[str, str]:
        """Network → hash of its weights."""
        found = {"CLIP": self.clip.weights}
        found |= {} if self.dino is None else {"DINO": self.dino.weights}
        return found if self.lpips is None else found | {f"LPIPS {self.lpips.net}": self.lpips.weights}

    def mark(self, questions: Sequence[EditQuestion], answers: Sequence[Image.Image]) -> list[Marks]:
        """Marks of the answers, which are resized to their sources first.

        Raises:
            BadInput: a picture cannot be read.
        """
        sources = [decode(question.source, question.id) for question in questions]
        edited = [_of_size(answer, source.size) for answer, source in zip(answers, sources, strict=True)]
        words = self._words(questions, sources, edited)
        return [
            self._apart(question, planes(source), planes(picture)) | {name: float(one[at]) for name, one in words}
            for at, (question, source, picture) in enumerate(zip(questions, sources, edited, strict=True))
        ]

    def _words(
        self, questions: Sequence[EditQuestion], sources: Sequence[Image.Image], edited: Sequence[Image.Image]
    ) -> list[tuple[str, Tensor]]:
        """CLIP's figures, each (N,); nan where a caption, a mask or the set's own edit is not there."""
        before, after = self.clip.pictures(sources), self.clip.pictures(edited)
        first, second = (self.clip.texts([getattr(one, which) for one in questions]) for which in ("before", "after"))
        region = self.clip.pictures([_inside(one, picture) for one, picture in zip(questions, edited, strict=True)])
        wanted = self.clip.pictures([_truth(one, source) for one, source in zip(questions, sources, strict=True)])
        told = torch.tensor([bool(one.before and one.after) for one in questions])
        masked = told & torch.tensor([one.mask is not None for one in questions])
        known = torch.tensor([one.truth is not None for one in questions])
        direction = direction_similarity(before, after, first, second)
        found = {
            "CLIP image similarity": cosines(before, after),
            "CLIP direction similarity": direction.where(told, math.nan),
            "CLIP score": clip_score(after, second).where(told, math.nan),
            "CLIP score, edited region": clip_score(region, second).where(masked, math.nan),
            "CLIP score of the source": clip_score(before, first).where(told, math.nan),
            "CLIP-I to the set's edit": cosines(after, wanted).where(known, math.nan),
        }
        return [(f"{name}{self.named['clip']}", values) for name, values in found.items()]

    def _apart(self, question: EditQuestion, source: Planes, edited: Planes) -> Marks:
        """Distances from the source: of structure, and of what was not to be edited."""
        marks: Marks = {}
        if self.dino is not None:
            marks[f"structure distance{self.named['dino']}"] = structure_distance(self.dino, source, edited)
            name = f"structure distance, published scale{self.named['dino']}"
            marks[name] = structure_distance(self.dino, source, edited, FULL_SCALE)
        measures = distances(self.lpips)
        given = np.ones(source.shape[1:], np.bool_) if question.mask is None else question.mask
        mask = torch.from_numpy(given)
        for kind, measured in KINDS.items():
            full = given.all()
            found = dict.fromkeys(measures, math.nan) if full else measured(source, edited, mask, measures)
            marks |= {f"background {self._labelled(name)}, {kind}": value for name, value in found.items()}
        return marks

    def _labelled(self, name: str) -> str:
        return f"LPIPS{self.named['lpips']}" if name == "LPIPS" else name


def edit_examiner(clip: str, dino: str, lpips: str, lpips_weights: Path | None, device: str) -> EditExaminer:
    """An examiner with these networks: shipped names, folders or Hub ids; `none` leaves DINO's or LPIPS's figures out.

    Raises:
        BadInput: a network or its weights are not there.
    """
    return EditExaminer(
        clip=clip_features(folder_of(clip), device),
        dino=None if dino == NONE else picture_features(folder_of(dino), device),
        lpips=None if lpips == NONE else load_lpips(lpips, lpips_weights, device),
        named={
            key: "" if name == usual else f" ({Path(name).name})"
            for key, name, usual in (("clip", clip, CLIP), ("dino", dino, DINO), ("lpips", lpips, LPIPS))
        },
    )


def _of_size(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


def _inside(question: EditQuestion, edited: Image.Image) -> Image.Image:
    """The picture, black outside its mask."""
    return edited if question.mask is None else Image.fromarray(np.asarray(edited) * question.mask[..., None])


def _truth(question: EditQuestion, source: Image.Image) -> Image.Image:
    return source if question.truth is None else decode(question.truth, f"the edit of {question.id}")
