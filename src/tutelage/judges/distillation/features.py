"""What a scorer is told of a triplet: frozen features of target, references and texts, and how near they are.

Consistency (SC) sees all of them. Quality (PQ) sees the target alone, as in VIEScore: its feature, and what it is made
of, which is the mean and spread over places of an early layer's patches. Later layers forget blur and noise.

Of edits SC sees what the captions of both pictures say too: how the picture changes beside how its caption does tells
more than the instruction. PQ sees what the source is made of, for of an addition that is the picture that was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from tutelage.diffusion.features import ClipFeatures, PictureFeatures, clip_features
from tutelage.diffusion.vision import pixels
from tutelage.judges.looking import Seen
from tutelage.judges.pairs import captions_of
from tutelage.triplet import Triplet

EARLY: Final = 2
"""Layer whose patches say what a picture is made of."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is known of N triplets."""

    consistency: Tensor
    """(N, S) for SC."""
    quality: Tensor
    """(N, Q) for PQ."""
    faults: tuple[str, ...]
    """Why a triplet cannot be judged, empty if it can; its rows are zero then."""

    @property
    def sound(self) -> Tensor:
        """(N,): where there is no fault."""
        return torch.tensor([not fault for fault in self.faults], dtype=torch.bool)

    def at(self, rows: Tensor) -> "Told":
        """Some of them: their numbers, or (N,) whether they are meant."""
        numbers = torch.arange(len(self.faults))[rows].tolist()
        return Told(
            consistency=self.consistency[rows],
            quality=self.quality[rows],
            faults=tuple(self.faults[row] for row in numbers),
        )

    @staticmethod
    def joined(parts: "Sequence[Told]") -> "Told":
        """Several, one after the other."""
        return Told(
            consistency=_joined([part.consistency for part in parts]),
            quality=_joined([part.quality for part in parts]),
            faults=tuple(fault for part in parts for fault in part.faults),
        )


@dataclass(frozen=True)
class Grained(ClipFeatures):
    """A CLIP that says of a picture what it shows and what it is made of, in one look."""

    @torch.inference_mode()
    def pictures(self, images: Sequence[Image.Image], batch: int = 64) -> Tensor:
        """(N, D + G) of RGB pictures: the unit feature, then mean and spread of patches after layer `EARLY`."""
        parts = []
        for first in range(0, len(images), batch):
            seen = pixels(self.processor, images[first : first + batch], self.device)
            shown, patches = self._layers(seen)
            grain = torch.cat([patches.mean(1), patches.std(1)], -1)
            parts.append(torch.cat([F.normalize(shown, dim=-1), grain], -1).float().cpu())
        return torch.cat(parts) if parts else torch.empty(0, 0)

    def _layers(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) → the feature (B, D) and early patches (B, P, C)."""
        network: Any = self.network
        told = network.vision_model(seen, output_hidden_states=True)
        return network.visual_projection(told.pooler_output), told.hidden_states[EARLY][:, 1:]


@lru_cache(maxsize=8)
def grained_features(name_or_path: str | Path, device: str = "auto") -> Grained:
    """A CLIP, by folder or Hub id; loaded once in a process.

    Raises:
        BadInput: there is no such CLIP or device.
    """
    clip = clip_features(name_or_path, device)
    return Grained(clip.network, clip.processor, clip.device, clip.folder, clip.tokenizer)


def tell(
    triplets: Sequence[Triplet], clip: Grained, network: PictureFeatures | None, batch: int, *, captions: bool = False
) -> Told:
    """Look at triplets with a CLIP and, for who somebody is, maybe with another network.

    With `captions` they are told what they see of edits; the text stands in for a target's caption that is missing.
    """
    seen = [Seen(triplets, look, batch) for look in (clip, network) if look is not None]
    said = [(triplet.text, *(captions_of(triplet) if captions else ())) for triplet in triplets]
    texts = list(dict.fromkeys(text for some in said for text in some))
    read = dict(zip(texts, clip.texts(texts), strict=True))
    faults = tuple(seen[0].fault(triplet) for triplet in triplets)
    rows = [
        None if fault else _row(triplet, seen, [read[text] for text in some])
        for triplet, some, fault in zip(triplets, said, faults, strict=True)
    ]
    consistency, quality = (_stacked([row and row[at] for row in rows]) for at in range(2))
    return Told(consistency=consistency, quality=quality, faults=faults)


def _row(triplet: Triplet, seen: Sequence[Seen], texts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """What SC and what PQ is told of one triplet, from its text and maybe the captions of source and target."""
    text, *captions = texts
    width = len(text)
    target, references = seen[0].target(triplet), seen[0].references(triplet)
    shown, grain = target[:width], target[width:]
    others = references[:, :width]
    parts = [_words(shown, others, text), _alike(shown, others), shown * text, shown, text]
    parts += [_alike(other.target(triplet), other.references(triplet)) for other in seen[1:]]
    if captions:
        parts.append(_change(others[0], shown, *captions))
    made_of = [grain, references[0, width:]] if captions else [grain]
    return torch.cat(parts), torch.cat([shown, *made_of])


def _words(target: Tensor, references: Tensor, text: Tensor) -> Tensor:
    """Four cosines: target and text, references and text (largest, mean), and ΔCLIP (SuTI, Eq. 6)."""
    near, others = target @ text, references @ text
    return torch.stack([near, others.max(), others.mean(), near - others.max()])


def _change(source: Tensor, target: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Cosines of both pictures with both captions and of the two changes (`judges.clip_direction`), the size of the
    picture's, then three products or differences (D,): of the changes, of the pictures, of target and caption.
    """
    step, said = target - source, after - before
    pictures, captions = torch.stack([source, target]), torch.stack([before, after])
    direction = F.cosine_similarity(step, said, dim=0)
    cosines = torch.cat([(pictures @ captions.T).flatten(), direction[None], step.norm()[None]])
    return torch.cat([cosines, step * said, step, target * after])


def _alike(target: Tensor, references: Tensor) -> Tensor:
    """Three cosines of target and references (largest, mean, least), then the product with their mean (D,)."""
    cosines = references @ target
    return torch.cat([torch.stack([cosines.max(), cosines.mean(), cosines.min()]), target * references.mean(0)])


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """(N, W) of parts, of which those without a sound triplet have no width yet."""
    width = max(part.shape[1] for part in parts)
    return torch.cat([F.pad(part, (0, width - part.shape[1])) for part in parts])


def _stacked(rows: Sequence[Tensor | None]) -> Tensor:
    """(N, W), zero where there is no row; (N, 0) where there is none at all."""
    width = next((len(row) for row in rows if row is not None), 0)
    return torch.stack([torch.zeros(width) if row is None else row for row in rows]) if rows else torch.empty(0, 0)
