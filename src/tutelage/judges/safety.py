"""Does any of the triplet's pictures show what must not be shown? Any image classifier of transformers can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tutelage.errors import BadInput, did_you_mean
from tutelage.judges.base import Cost, unjudged
from tutelage.judges.looking import Seen, check_batch
from tutelage.triplet import Triplet, Verdict

if TYPE_CHECKING:  # PyTorch takes seconds to import
    import torch
    from PIL.Image import Image

OFF: Final = "off"
"""In place of a classifier: nobody looks, and somebody said so."""


@dataclass(frozen=True, kw_only=True)
class Safety:
    """Highest probability, over target and references, that a picture has one of the unsafe labels; kept if below the
    threshold.
    """

    classifier: str | Path
    """Folder or Hub id of an image classifier; `off`: no picture is checked. An empty name says neither, and is
    refused."""
    unsafe: tuple[str, ...] = ("nsfw",)
    """Labels of the classifier, by the names in its config, whose probabilities are added up."""
    threshold: float = 0.5
    batch: int = 64
    """Pictures to look at at once."""
    device: str = "auto"
    name: ClassVar[str] = "safety"
    cost: ClassVar[Cost] = Cost.LOOKING

    def __post_init__(self) -> None:
        check_batch(self.batch)

    @property
    def off(self) -> bool:
        """Whether somebody said that nobody looks."""
        return self.classifier == OFF

    def check(self) -> None:
        """Refuse to leave open whether anybody looks.

        Raises:
            BadInput: nobody said.
        """
        if not self.classifier:
            raise BadInput(
                "nobody said who looks for unsafe pictures; give --safety.classifier a folder or a Hub id of an image "
                f"classifier (and its --safety.unsafe labels), or {OFF} to do without"
            )

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score: the probability, in [0, 1].

        Raises:
            BadInput: there is no classifier or no device, or it has no such label.
        """
        seen = Seen(triplets, self._classifier, self.batch)
        return [self._verdict(triplet, seen) for triplet in triplets]

    @property
    def weights(self) -> str:
        """Hash of the classifier, for provenance."""
        return self._classifier.weights

    @cached_property
    def _classifier(self) -> "_Classifier":
        self.check()
        if self.off:
            raise BadInput(f"{self.name} is off, so it judges nothing; give it a classifier, or leave it off the panel")
        return _classifier(self.classifier, self.unsafe, self.device)

    def _verdict(self, triplet: Triplet, seen: Seen) -> Verdict:
        if fault := seen.fault(triplet):
            return unjudged(triplet, self.name, fault)
        each = [float(seen.target(triplet)), *seen.references(triplet).tolist()]
        worst = max(each)
        what = "target" if worst == each[0] else f"reference {each.index(worst) - 1}"
        reason = "" if worst < self.threshold else f"{what}: unsafe with {worst:.4f}, not below {self.threshold:g}"
        return Verdict(triplet=triplet.id, judge=self.name, score=worst, keep=not reason, reason=reason)


@dataclass(frozen=True)
class _Classifier:
    """Looks at pictures and sees how unsafe they are."""

    network: Any
    processor: Any
    device: "torch.device"
    folder: Path
    columns: tuple[int, ...]

    @cached_property
    def weights(self) -> str:
        from tutelage.diffusion.load import weights_hash

        return weights_hash(self.folder)

    def pictures(self, images: "Sequence[Image]", batch: int = 64) -> "torch.Tensor":
        """Probability (N,) of any unsafe label, float32 on the CPU; of classifiers with several labels at once, the
        highest.
        """
        import torch

        from tutelage.diffusion.vision import pixels

        parts = []
        with torch.inference_mode():
            for first in range(0, len(images), batch):
                seen = pixels(self.processor, images[first : first + batch], self.device)
                parts.append(self._unsafe(self.network(pixel_values=seen).logits.float()).cpu())
        return torch.cat(parts) if parts else torch.empty(0)

    def _unsafe(self, logits: "torch.Tensor") -> "torch.Tensor":
        """(B, labels) → (B,)."""
        columns = list(self.columns)
        if self.network.config.problem_type == "multi_label_classification":
            return logits[:, columns].sigmoid().amax(dim=-1)
        return logits.softmax(dim=-1)[:, columns].sum(dim=-1)


@lru_cache(maxsize=4)
def _classifier(name_or_path: str | Path, unsafe: tuple[str, ...], device: str) -> _Classifier:
    """Loaded once in a process."""
    from transformers import AutoModelForImageClassification

    from tutelage.diffusion.vision import load_network, network_folder

    folder = network_folder(name_or_path)
    network, processor, where = load_network(AutoModelForImageClassification, folder, device)
    labels = {str(label): number for number, label in network.config.id2label.items()}
    for label in unsafe:
        if label not in labels:
            raise BadInput(f"{folder} has no label '{label}'.{did_you_mean(label, labels)} It has {', '.join(labels)}")
    if not unsafe or len(set(unsafe)) == len(labels):
        raise BadInput(f"unsafe labels are {len(unsafe)} of {len(labels)}; name some of {', '.join(labels)}, not all")
    return _Classifier(network, processor, where, folder, tuple(labels[label] for label in dict.fromkeys(unsafe)))
