"""Many of SuTI's experts at once: low-rank adapters on one frozen base, trained in one batch.

A UNet that sees a picture or two is busy with everything but arithmetic. K experts that share its passes cost little
more than one; each keeps its own pictures, random numbers, optimiser, end and fate.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from tutelage.errors import BadInput
from tutelage.teachers.base import Fate, by_cluster, by_rare_token
from tutelage.teachers.settings import EarlyStop, Lora, Prior, Sampling, Training
from tutelage.triplet import Assignment, Cluster, Triplet

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    from torch import Tensor

    from tutelage.teachers.fleet_training import Done
    from tutelage.teachers.lesson import Lesson
    from tutelage.teachers.model import Model
    from tutelage.teachers.prior import ClassLessons
    from tutelage.teachers.stacked_lora import Site, Stack

TURNS: Final = 4
"""Subjects for each slot that a run hands over together where experts may stop early."""
MOST: Final = 64
"""Slots that are chosen by themselves, at most; a batch of more is no faster on any machine that was measured."""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """One expert a cluster, `size` of them at a time; one that is done makes room for the next."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    seed: int = 0
    """Of the run."""
    size: int | Literal["auto"] = 16
    """Experts trained at once; auto: as many as fit into half of the memory that is free. With another number pictures
    change by rounding."""
    training: Training = field(default_factory=lambda: Training(optimiser="adamw", lr=1e-3))
    """Of each expert; the optimiser is AdamW, which treats every weight by itself."""
    stop: EarlyStop | None = None
    """When an expert may end before its steps are over; None: never."""
    sampling: Sampling = field(default_factory=Sampling)
    lora: Lora = field(default_factory=Lora)
    rare_token: str = ""
    """DreamBooth's name for the subject, such as `sks`: captions become "a sks <subject>", and prompts say it before
    the subject. Empty, as in SuTI: captions and prompts stay as they are."""
    prior: Prior | None = None
    """DreamBooth's prior preservation; experts of a class share its pictures. None, as in SuTI: none."""
    start: Path | None = None
    """Folder of adapters that every expert starts from, such as `tutelage warm-start` makes of finished ones; None:
    fresh ones, as in SuTI."""
    keep: Path | None = None
    """Folder to write every expert's adapters to, for `load_lora_weights` of diffusers; None: they are thrown away."""
    device: str = "auto"
    dtype: str = "auto"
    """Number format to compute in: bf16 or fp32; auto is bf16 on CUDA and fp32 elsewhere. Adapters are fp32."""
    name: ClassVar[str] = "fleet"

    def __post_init__(self) -> None:
        if self.size != "auto" and self.size < 1:
            raise BadInput(f"size of a fleet is {self.size}; give at least 1, or auto")
        if self.training.optimiser != "adamw":
            raise BadInput(f"a fleet cannot be trained with {self.training.optimiser}, which mixes experts; give adamw")

    @property
    def at_once(self) -> int:
        """A whole fleet; several where experts stop early, so that there are some to go on with.

        It does not depend on what memory is free, for a run that resumes must find the same shards.
        """
        return (MOST if self.size == "auto" else self.size) * (TURNS if self.stop else 1)

    @cached_property
    def slots(self) -> int:
        """Experts trained at once."""
        if self.size != "auto":
            return self.size
        from tutelage.teachers.fleet_size import largest_fleet

        with self._model.alone():
            return largest_fleet(self._model, self.lora, self.training, MOST)

    @cached_property
    def fates(self) -> list[Fate]:
        """What became of the experts that `teach` was asked for last; it grows as they are done."""
        return []

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Train experts and yield their samples; one that diverged twice gives none.

        Raises:
            BadInput: see `base.Teacher`.
            Diverged: there is one expert, and it diverged twice.
        """
        groups = by_cluster(assignments)
        texts = [[by_rare_token(one, self.rare_token) for one in group] for group in groups]
        self.fates.clear()
        if not groups:
            return
        slots = min(self.slots, len(groups))
        with self._model.alone():
            yield from self._taught(groups, texts, slots)

    def numbers_kept(self, prompts: int) -> int:
        """Adapters."""
        from tutelage.teachers.storage import trained_numbers

        return trained_numbers(self.base, self.lora)

    def _taught(
        self, groups: Sequence[Sequence[Assignment]], texts: Sequence[Sequence[str]], slots: int
    ) -> Iterator[Triplet]:
        from tutelage.teachers.adapter_files import AdapterFiles
        from tutelage.teachers.drawing import draw_triplets
        from tutelage.teachers.fleet_order import fate, in_order

        clusters = [group[0].cluster for group in groups]

        def drawn(done: "Done") -> Iterator[Triplet]:
            self.fates.append(fate(done, clusters, self.training.lr))
            if done.sound:
                files.write(clusters[done.number].id, stack, done.slot)
                with stack.merged(done.slot):
                    told = groups[done.number], texts[done.number]
                    yield from draw_triplets(self._model, *told, self.sampling, self.seed, self.name)

        with self.trained(clusters, slots) as (stack, experts), AdapterFiles(self.keep) as files:
            yield from in_order(experts, drawn)

    @contextmanager
    def trained(self, clusters: Sequence[Cluster], slots: int) -> "Iterator[tuple[Stack, Iterator[Done]]]":
        """Experts without pictures: adapters in the UNet, and the experts as they are done, each still in its slot."""
        from tutelage.teachers.fleet_training import FleetTraining, Task
        from tutelage.teachers.stacked_lora import stacked

        model = self._model
        with stacked(model.pipeline.unet, self.lora, slots, model.precision) as stack:
            start = self._start(stack.sites)
            tasks = [Task(cluster.id, partial(self._lessons, cluster), start) for cluster in clusters]
            yield stack, FleetTraining(model, stack, self.training, self.seed, self.stop).run(tasks)

    def _start(self, sites: "Sequence[Site]") -> "Tensor | None":
        from tutelage.teachers.adapter_files import read_adapters, row_of

        return None if self.start is None else row_of(read_adapters(self.start), sites, str(self.start))

    def _lessons(self, cluster: Cluster) -> "list[Lesson]":
        from tutelage.teachers.lesson import subject_lesson

        lesson = subject_lesson(self._model, cluster, self.rare_token)
        return [lesson] if self._classes is None else [lesson, self._classes.of(cluster.subject)]

    @cached_property
    def _classes(self) -> "ClassLessons | None":
        from tutelage.teachers.prior import ClassLessons

        return None if self.prior is None else ClassLessons(self._model, self.prior, self.sampling, self.seed)

    @cached_property
    def _model(self) -> "Model":
        from tutelage.teachers.model import Model

        return Model.load(self.base, self.device, self.dtype, self.training, self.sampling, frozen=True)
