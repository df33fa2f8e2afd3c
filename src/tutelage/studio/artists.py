"""Who draws: the student, its base, and experts, each loaded when it is first asked and kept."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutelage.errors import BadInput
from tutelage.generate import draw, load, origin_of, settings_of
from tutelage.stamp import Settings
from tutelage.students.guidance import INTERVAL
from tutelage.studio.drawing import Tick
from tutelage.studio.settings import Studio, named
from tutelage.subject import Sampler, load_student, subject_sampler
from tutelage.triplet import Assignment, Cluster, Reference

if TYPE_CHECKING:
    from PIL.Image import Image

    from tutelage.generators.experts import ExpertSettings
    from tutelage.students.suti import Suti

STUDENT: Final = "student"
BASE: Final = "base"
EXPERT: Final = "expert"
NAMES: Final = {
    STUDENT: "Student: looks at the pictures",
    EXPERT: "Expert: trained on them first",
    BASE: "Base: reads the prompt alone",
}
BATCH: Final = 8
MOST_STEPS: Final = 200
MOST_PICTURES: Final = 16
MOST_WEIGHT: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be drawn.

    Raises:
        BadInput: a value is out of range.
    """

    prompt: str
    shown: tuple[Reference, ...] = ()
    seed: int = 0
    count: int = 4
    steps: int = 24
    text: float = 3.0
    """Guidance towards the prompt."""
    references: float = 3.0
    """Guidance towards the demonstrations."""
    interval: tuple[float, float] = INTERVAL
    """Shares of the time between which either is followed more strictly than the model does by itself."""
    negative: str = ""
    who: tuple[str, ...] = field(default=(STUDENT,))

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise BadInput("write a prompt: what the pictures show")
        if not self.who:
            raise BadInput("choose who draws")
        if not 0 <= self.seed < 2**63:
            raise BadInput(f"the seed is {self.seed}; choose 0 to 2**63 - 1")
        if not (1 <= self.count <= MOST_PICTURES and 1 <= self.steps <= MOST_STEPS):
            raise BadInput(f"choose 1 to {MOST_PICTURES} pictures and 1 to {MOST_STEPS} steps")
        if not (0 <= self.text <= MOST_WEIGHT and 0 <= self.references <= MOST_WEIGHT):
            raise BadInput(f"choose guidance from 0 to {MOST_WEIGHT:g}")
        if not self.shown and {STUDENT, EXPERT} & set(self.who):
            raise BadInput("show the subject first: bring 1 to 5 pictures of it, or pick a toy")


class Artists:
    """The models of a studio. One drawing at a time."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.busy = threading.RLock()

    def drawn(self, who: str, wish: Wish, tick: Tick) -> "Iterator[tuple[Image, Settings]]":
        """Yield `wish.count` pictures of one artist, each with its settings, as they are made.

        The student's and the base's are those of `tutelage generate` for the same settings.

        Raises:
            BadInput: a model cannot be loaded, or the wish does not fit it.
        """
        if who == EXPERT:
            yield from self._by_expert(wish, tick)
            return
        pipeline, first, sampler = self._prepared(who, wish)
        with ticking(pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer, tick):
            yield from draw(pipeline, first, wish.count, min(BATCH, wish.count), sampler)

    def evaluations(self, who: str, wish: Wish) -> int:
        """About how many ticks a drawing has; 0 where that is not known."""
        if who == EXPERT:
            return 0
        together = 1 if self._pipeline(who).device.type == "cpu" else min(BATCH, wish.count)
        return wish.steps * -(-wish.count // together)

    @cached_property
    def student(self) -> "tuple[Suti, dict[str, Any]]":
        """The student, and what it decides of the settings of a picture."""
        student, folder = load_student(self.studio.student, self.studio.device, self.studio.dtype)
        return student, origin_of(named(self.studio.student), folder, student.pipeline)

    @cached_property
    def base(self) -> tuple[Any, dict[str, Any]]:
        """The base's pipeline, and the same."""
        pipeline, origin = load(str(self.studio.base), self.studio.device, self.studio.dtype)
        return pipeline, origin | {"model": named(self.studio.base)}

    def _pipeline(self, who: str) -> Any:
        return self.student[0].pipeline if who == STUDENT else self.base[0]

    def _prepared(self, who: str, wish: Wish) -> tuple[Any, Settings, Sampler | None]:
        pipeline, origin = (self.student[0].pipeline, self.student[1]) if who == STUDENT else self.base
        shown = wish.shown if who == STUDENT else ()
        sampler = subject_sampler(self.student[0], shown, wish.references, wish.interval) if shown else None
        return pipeline, _first(wish, pipeline, origin, shown), sampler

    def _by_expert(self, wish: Wish, tick: Tick) -> "Iterator[tuple[Image, Settings]]":
        from tutelage.generators.experts import expert

        pipeline, origin = self.base
        how = expert_settings(self.studio.base, wish)
        told = {"model": f"expert of {origin['model']}", "scheduler": how.sampling.scheduler}
        first = _first(replace(wish, negative=""), pipeline, origin | told, wish.shown)
        cluster = Cluster(id="shown", subject=wish.prompt, references=wish.shown)
        asked = [
            Assignment(id=f"shown/{number}", cluster=cluster, text=wish.prompt, skill="")
            for number in range(wish.count)
        ]
        teacher = expert(EXPERT, self.studio.base, how, seed=wish.seed, device=self.studio.device)
        for number, image in enumerate(teacher.answer(asked)):
            tick()
            yield image, replace(first, index=number)


def expert_settings(base: str | Path, wish: Wish) -> "ExpertSettings":
    """How experts of a base are trained, as its benches have it, drawing as is wished.

    Raises:
        BadInput: there is no such base.
    """
    from tutelage.generators.experts import PHOTOS, TOYBOX

    how = TOYBOX if draws_toys(base) else PHOTOS
    return replace(how, sampling=replace(how.sampling, steps=wish.steps, guidance=wish.text))


def draws_toys(base: str | Path) -> bool:
    """Whether a base has the toybox's closed vocabulary; any other draws photographs.

    Raises:
        BadInput: there is no such base.
    """
    from tutelage.diffusion.load import local_folder
    from tutelage.diffusion.words import has_closed_vocabulary
    from tutelage.toybox.checkpoints import checkpoint

    return has_closed_vocabulary(local_folder(checkpoint(base)))


def _first(wish: Wish, pipeline: Any, origin: dict[str, Any], shown: tuple[Reference, ...]) -> Settings:
    from tutelage.diffusion.sample import picture_size

    height, width = picture_size(pipeline, None)
    asked: dict[str, Any] = {"prompt": wish.prompt, "negative": wish.negative, "seed": wish.seed, "steps": wish.steps}
    asked |= {"guidance": wish.text, "index": 0, "height": height, "width": width}
    return settings_of({**asked, **origin}, shown, wish.references, wish.interval)


@contextmanager
def ticking(network: Any, tick: Tick) -> Iterator[None]:
    """Within it, every evaluation of a network calls `tick` first."""
    hook = network.register_forward_pre_hook(lambda *_: tick())
    try:
        yield
    finally:
        hook.remove()


def default_base(run: Path | None) -> str:
    """The base of a run as its config has it, or else the built-in one."""
    import json

    from tutelage.generate import MODEL
    from tutelage.run import CONFIG

    if run is None:
        return MODEL
    try:
        base = json.loads((run / CONFIG).read_bytes())["config"].get("base")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{run / CONFIG} is not a run's config; give the folder of a run") from error
    return base if isinstance(base, str) and base else MODEL
