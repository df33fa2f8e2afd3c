"""The scorer: a perceptron for each mark on standardised features, and its folder of safetensors."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tutelage.diffusion.vision import first_line, network_folder
from tutelage.errors import BadInput
from tutelage.judges.distillation.features import Told

CONFIG, WEIGHTS = "config.json", "model.safetensors"
KIND: Final = "tutelage-scorer"
OVERALL: Final = "overall"
TOLD: Final[Mapping[str, str]] = {"sc": "consistency", "pq": "quality", "overall": "consistency"}
"""Mark → the field of `Told` that it is read from."""


@dataclass(frozen=True, kw_only=True)
class ScorerConfig:
    """All that a scorer is but its weights."""

    marks: tuple[str, ...]
    """`sc` and `pq`, or `overall` where the strong judge gave one mark."""
    widths: tuple[int, ...]
    """Of what each mark is read from."""
    hidden: int
    clip: str
    """Hash of the CLIP whose features it was trained on."""
    network: str = ""
    """Hash of the network that looked at who is shown; empty: none did."""
    thresholds: Mapping[str, float | None]
    """Mark, or `overall` → least score, in [0, 1], that is kept; None where none gave the wanted precision."""
    by_task: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """Task of edits → its own thresholds, which stand in for the others: specialists err each in their own way."""
    precision: float
    """What thresholds were chosen for."""
    captions: bool = False
    """Whether it is told the captions of source and target."""
    kind: str = KIND

    def threshold(self, mark: str, task: str = "") -> float | None:
        """Least score of a mark that is kept, of a task; None where none gave the wanted precision."""
        return self.by_task.get(task, self.thresholds).get(mark)


class Scorer(nn.Module):
    """Marks in [0, 1] from what is told of triplets."""

    def __init__(self, config: ScorerConfig) -> None:
        super().__init__()
        self.config = config
        self.heads = nn.ModuleDict(
            {mark: Head(width, config.hidden) for mark, width in zip(config.marks, config.widths, strict=True)}
        )

    def head(self, mark: str) -> "Head":
        """The perceptron of one mark."""
        found = self.heads[mark]
        assert isinstance(found, Head)
        return found

    def logits(self, told: Told) -> dict[str, Tensor]:
        """Mark → (N,)."""
        return {mark: self.head(mark)(getattr(told, TOLD[mark])) for mark in self.config.marks}

    @torch.inference_mode()
    def marks(self, told: Told) -> dict[str, Tensor]:
        """Mark → (N,) in [0, 1]; `overall` is the geometric mean of the others, VIEScore's O."""
        marks = {mark: logit.sigmoid() for mark, logit in self.eval().logits(told).items()}
        return {**marks, OVERALL: torch.stack(list(marks.values())).prod(0) ** (1 / len(marks))}

    def save(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors`."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: value.contiguous() for name, value in self.state_dict().items()}, folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps(asdict(self.config), indent=2) + "\n", encoding="utf-8")

    @staticmethod
    def load(name_or_path: str | Path) -> "Scorer":
        """A scorer from a folder or a Hub id.

        Raises:
            BadInput: there is no such folder, or it holds no scorer.
        """
        folder = network_folder(name_or_path)
        try:
            stored = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            lists = {name: tuple(stored[name]) for name in ("marks", "widths")}
            if stored["kind"] != KIND or not set(lists["marks"]) <= TOLD.keys():
                raise ValueError(f"kind {stored['kind']}, marks {stored['marks']}")
            scorer = Scorer(ScorerConfig(**{**stored, **lists}))
            scorer.load_state_dict(load_file(folder / WEIGHTS))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise BadInput(
                f"{folder} holds no scorer ({first_line(error)}); make one with `tutelage distill`"
            ) from error
        return scorer.eval()


class Head(nn.Module):
    """One mark: standardise, one hidden layer, one number."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(0.3), nn.Linear(hidden, 1))

    def standardise_by(self, told: Tensor) -> None:
        """Take mean and spread of (N, W); what never varies is left as it is."""
        self.mean.copy_(told.mean(0))
        spread = told.std(0, unbiased=False)
        self.spread.copy_(torch.where(spread > 1e-6, spread, 1.0))

    def forward(self, told: Tensor) -> Tensor:
        """(N, W) → logits (N,)."""
        logits: Tensor = self.layers((told - self.mean) / self.spread)[:, 0]
        return logits
