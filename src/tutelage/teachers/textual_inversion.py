"""Textual Inversion (Gal et al. 2022), a baseline: the network stays as it is, the subject gets a word of its own.

Words are trained as the adapters of a fleet are, many in one batch, with `size` above 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from tutelage.errors import BadInput
from tutelage.teachers.base import Fate, by_cluster, renamed
from tutelage.teachers.settings import Sampling, Training
from tutelage.triplet import Assignment, Cluster, Triplet

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    from tutelage.teachers.fleet_training import Done, Task
    from tutelage.teachers.lesson import Lesson
    from tutelage.teachers.model import Model
    from tutelage.teachers.words import Words

TEMPLATES: Final = (
    "a photo of a {}",
    "a rendering of a {}",
    "a cropped photo of the {}",
    "the photo of a {}",
    "a close-up photo of a {}",
    "a photo of one {}",
    "a good photo of the {}",
)
"""Some of the neutral texts of the paper's supplement."""
TRAINING: Final = Training(steps=3000, optimiser="adamw", lr=5e-4)
"""As diffusers' example has it."""


@dataclass(frozen=True, kw_only=True)
class TextualInversion:
    """One new word, of one or more vectors, for each cluster; it stands where texts name the subject."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    seed: int = 0
    """Of the run."""
    size: int = 1
    """Words trained at once. With another number pictures change by rounding."""
    training: Training = TRAINING
    sampling: Sampling = field(default_factory=Sampling)
    vectors: int = 1
    """Of the word, in each text encoder."""
    templates: tuple[str, ...] = TEMPLATES
    """What is said of the pictures, each with `{}` for the word. Captions are not used: what they say of the subject
    would not have to go into the word."""
    device: str = "auto"
    dtype: str = "auto"
    """Number format to compute in: bf16 or fp32; auto is bf16 on CUDA and fp32 elsewhere."""
    name: ClassVar[str] = "textual-inversion"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise BadInput(f"size of a fleet is {self.size}; give at least 1")
        if self.training.optimiser != "adamw":
            raise BadInput(f"words cannot be trained with {self.training.optimiser}, which mixes them; give adamw")
        if self.vectors < 1:
            raise BadInput(f"vectors of a word is {self.vectors}; give at least 1")
        if not self.templates or any("{}" not in template for template in self.templates):
            raise BadInput("templates without {} have no place for the word; give some such as 'a photo of a {}'")

    @property
    def at_once(self) -> int:
        """A whole fleet."""
        return self.size

    @cached_property
    def fates(self) -> list[Fate]:
        """What became of the words that `teach` was asked for last; it grows as they are done."""
        return []

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Learn a word for each cluster and yield what the base draws with it; one that diverged twice gives none.

        Raises:
            BadInput: see `base.Teacher`; also when a text does not name its subject.
            Diverged: there is one word, and it diverged twice.
        """
        groups = by_cluster(assignments)
        for assignment in assignments:
            renamed(assignment, "")
        self.fates.clear()
        if groups:
            with self._model.alone():
                yield from self._taught(groups)

    def numbers_kept(self, prompts: int) -> int:
        """The word's vectors, in each text encoder."""
        from tutelage.teachers.storage import text_widths

        return self.vectors * sum(text_widths(self.base))

    def _taught(self, groups: Sequence[Sequence[Assignment]]) -> Iterator[Triplet]:
        from tutelage.teachers.drawing import draw_triplets
        from tutelage.teachers.fleet_order import fate, in_order
        from tutelage.teachers.fleet_training import FleetTraining
        from tutelage.teachers.words import learnt_words

        model, clusters = self._model, [group[0].cluster for group in groups]

        def drawn(done: "Done") -> Iterator[Triplet]:
            self.fates.append(fate(done, clusters, self.training.lr))
            if done.sound:
                with words.of([done.slot]):
                    texts = [renamed(assignment, words.text) for assignment in groups[done.number]]
                    yield from draw_triplets(model, groups[done.number], texts, self.sampling, self.seed, self.name)

        with learnt_words(model.pipeline, self.vectors, min(self.size, len(groups))) as words:
            tasks = [self._task(cluster, words) for cluster in clusters]
            yield from in_order(FleetTraining(model, words, self.training, self.seed).run(tasks), drawn)

    def _task(self, cluster: Cluster, words: "Words") -> "Task":
        from tutelage.teachers.fleet_training import Task

        return Task(cluster.id, lambda: [self._lesson(cluster, words.text)], words.start_of(cluster.subject))

    def _lesson(self, cluster: Cluster, word: str) -> "Lesson":
        import torch

        from tutelage.teachers.lesson import Lesson, cluster_latents

        def told(which: Sequence[int], generator: torch.Generator) -> list[str]:
            picks = torch.randint(len(self.templates), (len(which),), generator=generator).tolist()
            return [self.templates[pick].replace("{}", word) for pick in picks]

        return Lesson(cluster_latents(self._model, cluster), told)

    @cached_property
    def _model(self) -> "Model":
        from tutelage.teachers.model import Model

        return Model.load(self.base, self.device, self.dtype, self.training, self.sampling, frozen=True)
