"""A small judge that has learnt a strong one's marks (OmniEdit, §3.2): cheap enough to look at everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from tutelage.errors import BadInput
from tutelage.judges.base import Cost, unjudged
from tutelage.judges.looking import check_batch
from tutelage.triplet import Part, Triplet, Verdict

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from tutelage.diffusion.features import PictureFeatures
    from tutelage.judges.distillation.features import Grained
    from tutelage.judges.distillation.scorer import Scorer, ScorerConfig


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """SC and PQ as the strong judge would give them; kept if the mark that is asked for reaches the threshold."""

    model: str | Path
    """Folder or Hub id that `tutelage distill` wrote."""
    clip: str | Path
    """Folder or Hub id of the `CLIPModel` it was distilled with."""
    network: str | Path | None = None
    """Folder or Hub id of the network that looked at who is shown, if it was distilled with one."""
    mark: Literal["overall", "sc", "pq"] = "overall"
    """What is the score: semantic consistency, perceptual quality, or the geometric mean of the two."""
    threshold: float | None = None
    """Least score, in [0, 1], that is kept; None: those that were calibrated, for a task of edits its own."""
    batch: int = 64
    """Pictures to look at at once."""
    device: str = "auto"
    name: ClassVar[str] = "distilled"
    cost: ClassVar[Cost] = Cost.LOOKING

    def __post_init__(self) -> None:
        check_batch(self.batch)

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score in [0, 1].

        Raises:
            BadInput: the model or a network cannot be loaded, or it was distilled with other networks.
        """
        from tutelage.judges.distillation.features import tell

        scorer, (clip, network) = self._scorer, self._networks
        if not triplets:
            return []
        told = tell(triplets, clip, network, self.batch, captions=scorer.config.captions)
        marks = scorer.marks(told.at(told.sound)) if told.sound.any() else {}
        rows = iter(zip(*(values.tolist() for values in marks.values()), strict=True))
        return [
            unjudged(triplet, self.name, fault)
            if fault
            else self._verdict(triplet, dict(zip(marks, next(rows), strict=True)))
            for triplet, fault in zip(triplets, told.faults, strict=True)
        ]

    @property
    def weights(self) -> str:
        """Hash of the scorer's folder, which names its networks by theirs."""
        from tutelage.diffusion.load import weights_hash
        from tutelage.diffusion.vision import network_folder

        return weights_hash(network_folder(self.model))

    @cached_property
    def _scorer(self) -> "Scorer":
        from tutelage.judges.distillation.scorer import Scorer

        return Scorer.load(self.model)

    @cached_property
    def _calibrated(self) -> "ScorerConfig":
        """The scorer's settings, if they have the mark and a threshold on it."""
        config = self._scorer.config
        if self.mark not in {*config.marks, "overall"}:
            raise BadInput(f"{self.model} gives no mark '{self.mark}'; it gives {', '.join(config.marks)}")
        if self.threshold is None and all(config.threshold(self.mark, of) is None for of in ("", *config.by_task)):
            raise BadInput(
                f"{self.model}: no threshold on '{self.mark}' gave the precision {config.precision:g}; give a threshold"
            )
        return config

    @cached_property
    def _networks(self) -> "tuple[Grained, PictureFeatures | None]":
        from tutelage.diffusion.features import picture_features
        from tutelage.judges.distillation.features import grained_features

        clip = grained_features(self.clip, self.device)
        network = None if self.network is None else picture_features(self.network, self.device)
        made_with = self._scorer.config
        for name, given, wanted in (
            ("clip", clip.weights, made_with.clip),
            ("network", "" if network is None else network.weights, made_with.network),
        ):
            if given != wanted:
                told = f"with sha256 {given}" if given else "none"
                raise BadInput(
                    f"{self.model} was distilled with {f'a {name} of sha256 {wanted}' if wanted else f'no {name}'}; "
                    f"{told} was given, so give the one it was distilled with"
                )
        return clip, network

    def _verdict(self, triplet: Triplet, marks: dict[str, float]) -> Verdict:
        score, config = marks[self.mark], self._calibrated
        threshold = config.threshold(self.mark, triplet.skill) if self.threshold is None else self.threshold
        said = ", ".join(f"{mark} {value:.3f}" for mark, value in marks.items())
        if threshold is None:
            reason = f"{said}: no threshold gave the precision {config.precision:g} for {triplet.skill}"
        else:
            reason = "" if score >= threshold else f"{said}: {self.mark} is below {threshold:.3f}"
        parts = tuple(Part(name=mark.upper(), score=value) for mark, value in marks.items() if mark != "overall")
        return Verdict(triplet=triplet.id, judge=self.name, score=score, keep=not reason, reason=reason, parts=parts)
