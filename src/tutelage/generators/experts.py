"""Answers of experts: for each subject a teacher trains one on the demonstrations, and it draws the prompts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tutelage.errors import BadInput, did_you_mean
from tutelage.generators.base import BYTES
from tutelage.generators.networks import GUIDANCE, SINGLY, STEPS, base_hash
from tutelage.teachers import teacher
from tutelage.teachers.base import Teacher
from tutelage.teachers.imagic import EMBEDDING
from tutelage.teachers.imagic import TRAINING as EDITING
from tutelage.teachers.settings import Lora, Prior, Sampling, Training
from tutelage.triplet import Assignment

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class ExpertSettings:
    """How the experts of a bench are made. Defaults are the papers', or diffusers' examples', for Stable Diffusion."""

    training: Training
    """Of SuTI's experts and of DreamBooth's, which look at as many pictures of the class besides."""
    word_training: Training
    """Of the words of Textual Inversion."""
    sampling: Sampling
    lora: Lora | None = None
    """Of SuTI's experts, DreamBooth's and Imagic's; none: all weights of the UNet."""
    vectors: int = 1
    """Of a word."""
    rare_token: str = "sks"  # noqa: S105  # it is a word
    """DreamBooth's name for a subject, before the class word."""
    prior: Prior = field(default_factory=Prior)
    """DreamBooth's pictures of the class. The paper has 200 for each picture of the subject, diffusers' example 100."""
    embedding: Training = EMBEDDING
    """Of Imagic's embeddings."""
    editing: Training = EDITING
    """Of Imagic's networks."""
    eta: float = 0.7
    """How far Imagic goes from the picture (0) to the prompt (1)."""
    strength: float = 0.6
    """Noise that SDEdit begins with, as a share."""


TOYBOX: Final = ExpertSettings(
    training=Training(steps=100, batch=1, optimiser="adamw", lr=3e-4),
    word_training=Training(steps=200, batch=4, optimiser="adamw", lr=5e-3),
    sampling=Sampling(steps=STEPS, guidance=GUIDANCE, scheduler="DDIMScheduler"),
    vectors=4,
    prior=Prior(pictures=16),
    embedding=Training(steps=60, batch=1, optimiser="adamw", lr=2e-2),
    editing=Training(steps=40, batch=1, optimiser="adamw", lr=1e-4),
)
"""What suits toybox-sd and its 128 × 128 pictures."""
PHOTOS: Final = ExpertSettings(
    training=Training(),
    word_training=Training(steps=3000, batch=4, optimiser="adamw", lr=5e-4),
    sampling=Sampling(samples=1, steps=50, scheduler="DDIMScheduler"),
)
"""What suits Stable Diffusion and photographs."""

Own = Mapping[str, Any]
KINDS: Final[Mapping[str, tuple[str, Callable[[ExpertSettings], Own]]]] = {
    "expert": ("dreambooth", lambda how: {"training": how.training, "lora": how.lora}),
    "dreambooth": (
        "dreambooth",
        lambda how: {"training": how.training, "lora": how.lora, "rare_token": how.rare_token, "prior": how.prior},
    ),
    "textual-inversion": (
        "textual-inversion",
        lambda how: {"training": how.word_training, "vectors": how.vectors},
    ),
    "imagic": (
        "imagic",
        lambda how: {"embedding": how.embedding, "training": how.editing, "eta": how.eta, "lora": how.lora},
    ),
    "sdedit": ("sdedit", lambda how: {"strength": how.strength}),
}
"""Name in a bench → the teacher, and its own settings. `expert` is SuTI's: captions as they are, no prior."""


@dataclass(frozen=True, kw_only=True)
class Expert:
    """A teacher, asked for one sample of every question."""

    teacher: Teacher
    """It draws one sample at a time, whatever its settings say: what one takes is part of what is measured."""
    base: str | Path
    """What the teacher starts from: a shipped name, a folder or a Hub id."""
    called: str = ""
    """Its name in the bench; empty: the teacher's."""
    timed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """As it is called."""
        return self.called or self.teacher.name

    def made_from(self) -> str:
        """Hash of the base's folder."""
        return base_hash(self.base)

    def bytes_kept(self, prompts: int) -> int | None:
        """What the teacher trains."""
        return BYTES * self.teacher.numbers_kept(prompts)

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        from tutelage.diffusion.pictures import decode

        teacher = _singly(self.teacher)
        for question, triplet in zip(questions, teacher.teach(questions), strict=True):
            assert triplet.id == f"{question.id}/0", f"{self.name} answers {triplet.id} to {question.id}"
            yield decode(triplet.target, triplet.id)


def expert(
    name: str,
    base: str | Path = "toybox-sd",
    settings: ExpertSettings = TOYBOX,
    *,
    seed: int = 0,
    device: str = "auto",
) -> Expert:
    """An expert of `KINDS`.

    Raises:
        BadInput: there is no such expert or base.
    """
    from tutelage.toybox.checkpoints import checkpoint

    if name not in KINDS:
        raise BadInput(f"no expert '{name}'.{did_you_mean(name, KINDS)} There are {', '.join(KINDS)}")
    kind, own = KINDS[name]
    told = {"seed": seed, "sampling": settings.sampling, "device": device, **own(settings)}
    return Expert(teacher=teacher(kind)(base=checkpoint(base), **told), base=base, called=name)


def _singly(teacher: Any) -> Teacher:
    made: Teacher = teacher
    if hasattr(teacher, "sampling"):
        made = replace(teacher, sampling=replace(teacher.sampling, samples=1, batch=SINGLY))
    return made
