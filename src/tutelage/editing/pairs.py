"""Pairs of pictures by Prompt-to-Prompt, as InstructPix2Pix makes its own (Brooks et al. 2023, §3.1.2).

How alike the two of a pair should be depends on the edit, so many are drawn for each, with as many shares of held
steps; judges say which are good, and the best few are kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tutelage.editing.settings import Drawing, PromptToPrompt, check_guidance, check_share
from tutelage.errors import BadInput
from tutelage.triplet import Picture, Provenance, Reference, Triplet, Verdict

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    from tutelage.editing.prompt_to_prompt import Edit

DRAWING: Final = Drawing(steps=100, scheduler="EulerAncestralDiscreteScheduler")
"""As in InstructPix2Pix."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A pair that is wanted, in words."""

    id: str
    before: str
    """Caption of the source."""
    after: str
    """Caption of the target."""
    instruction: str
    task: str = "edit"
    """Kind of edit, such as `swap`."""


@dataclass(frozen=True, kw_only=True)
class PairMaker:
    """Both pictures of a pair from one noise; for a share of the steps, which is drawn, the target has the source's
    attention. The numbers are InstructPix2Pix's.
    """

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    seed: int = 0
    """Of the run."""
    tries: int = 100
    """Pairs of each wish."""
    share: tuple[float, float] = (0.1, 0.9)
    """Of the steps, from the first, at which attention is the source's: drawn for each pair from between these."""
    guidance: tuple[float, float] = (7.5, 15.0)
    """Drawn for each pair from between these."""
    control: PromptToPrompt = field(default_factory=PromptToPrompt)
    """Besides its shares, which are drawn."""
    drawing: Drawing = DRAWING
    device: str = "auto"
    dtype: str = "auto"
    name: ClassVar[str] = "prompt-to-prompt"

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise BadInput(f"tries of a pair is {self.tries}; give at least 1")
        for bound in self.share:
            check_share("share of held steps", bound)
        for bound in self.guidance:
            check_guidance(bound)
        if self.share[0] > self.share[1] or self.guidance[0] > self.guidance[1]:
            raise BadInput(f"shares {self.share} or guidance {self.guidance} end before they begin; give least, most")

    def make(self, wishes: Sequence[Wish]) -> Iterator[Triplet]:
        """Yield every try of every wish, in order; its one reference is the source.

        A pair depends on the maker's settings, its own wish and its number alone.

        Raises:
            BadInput: the base cannot be loaded, or is neither Stable Diffusion nor SDXL.
        """
        from tutelage.editing.prompt_to_prompt import draw_edits

        tries = [(wish, number) for wish in wishes for number in range(self.tries)]
        edits = [self._edit(wish, number) for wish, number in tries]
        drawn = draw_edits(self._pipeline, edits, self.drawing)
        for (wish, number), edit, (source, target) in zip(tries, edits, drawn, strict=True):
            yield self._triplet(wish, number, edit, source, target)

    def _edit(self, wish: Wish, number: int) -> "Edit":
        import torch

        from tutelage.diffusion.noise import keyed_generator, keyed_seed
        from tutelage.editing.prompt_to_prompt import Edit

        first, second = torch.rand(2, generator=keyed_generator(self.seed, wish.id, number, "settings")).tolist()
        share = self.share[0] + first * (self.share[1] - self.share[0])
        return Edit(
            source=wish.before,
            target=wish.after,
            seed=keyed_seed(self.seed, wish.id, number, "pair"),
            control=replace(self.control, cross=share, self_attention=share),
            guidance=self.guidance[0] + second * (self.guidance[1] - self.guidance[0]),
        )

    def _triplet(self, wish: Wish, number: int, edit: "Edit", source: Any, target: Any) -> Triplet:
        from tutelage.diffusion.pictures import png

        return Triplet(
            id=f"{wish.id}/{number}",
            target=png(target),
            text=wish.instruction,
            references=(Reference(picture=Picture(data=png(source)), caption=wish.before),),
            subject=wish.before,
            skill=wish.task,
            cluster=wish.id,
            provenance=Provenance(teacher=self.name, base=self._weights, seed=edit.seed),
            caption=wish.after,
        )

    @cached_property
    def _pipeline(self) -> Any:
        from tutelage.diffusion.load import load_pipeline

        return load_pipeline(self.base, self.device, self.dtype)

    @cached_property
    def _weights(self) -> str:
        from tutelage.diffusion.load import local_folder, weights_hash

        return weights_hash(local_folder(self.base))


def best_pairs(
    triplets: Sequence[Triplet], verdicts: Mapping[str, Sequence[Verdict]], keep: int = 4, by: str = "clip-direction"
) -> list[Triplet]:
    """Of each wish at most `keep` pairs that every judge keeps, those with the highest score; in their own order.

    Args:
        triplets: tries of any number of wishes.
        verdicts: judge → its verdicts, of these triplets or more.
        keep: pairs of a wish; 4 in InstructPix2Pix.
        by: the judge whose score tells which are the best; of equal ones the earlier.

    Raises:
        BadInput: there is no such judge, or one has not judged every triplet.
    """
    if by not in verdicts:
        raise BadInput(f"no verdicts of '{by}' to choose the best pairs by; there are {', '.join(verdicts) or 'none'}")
    judged = {judge: {one.triplet: one for one in said} for judge, said in verdicts.items()}
    for judge, said in judged.items():
        if absent := [one.id for one in triplets if one.id not in said]:
            raise BadInput(f"'{judge}' has not judged {absent[0]} and {len(absent) - 1} others; let it judge them all")
    good = [one for one in triplets if all(said[one.id].keep for said in judged.values())]
    groups: dict[str, list[Triplet]] = {}
    for one in sorted(good, key=lambda one: -(judged[by][one.id].score or 0.0)):
        groups.setdefault(one.cluster, []).append(one)
    chosen = {one.id for group in groups.values() for one in group[:keep]}
    return [one for one in good if one.id in chosen]
