"""All specialists as one teacher: each assignment goes to the one for its task."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from tutelage.errors import BadInput
from tutelage.segmentation.masks import Masks
from tutelage.teachers.base import by_cluster
from tutelage.teachers.specialists import specialist
from tutelage.teachers.specialists.addition import Addition
from tutelage.teachers.specialists.attribute import Attribute
from tutelage.teachers.specialists.background import Background
from tutelage.teachers.specialists.base import Specialist
from tutelage.teachers.specialists.environment import Environment
from tutelage.teachers.specialists.filling import Filling
from tutelage.teachers.specialists.removal import Removal
from tutelage.teachers.specialists.settings import Drawing
from tutelage.teachers.specialists.style import Style
from tutelage.teachers.specialists.swap import Swap
from tutelage.triplet import EDITS, Assignment, Triplet


@dataclass(frozen=True, kw_only=True)
class Specialists:
    """Seven specialists. Those that name no base have this one's; those with another keep it."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    branch: str | Path = ""
    """Folder or Hub id of a network that those that inpaint see the surroundings with (see `Filling`); those that name
    one of their own keep it. Empty: none."""
    seed: int = 0
    """Of the run."""
    swap: Swap = field(default_factory=lambda: Swap(base=""))
    removal: Removal = field(default_factory=lambda: Removal(base=""))
    addition: Addition = field(default_factory=lambda: Addition(base=""))
    attribute: Attribute = field(default_factory=lambda: Attribute(base=""))
    background: Background = field(default_factory=lambda: Background(base=""))
    environment: Environment = field(default_factory=lambda: Environment(base=""))
    style: Style = field(default_factory=lambda: Style(base=""))
    device: str = "auto"
    name: ClassVar[str] = "specialists"

    @property
    def at_once(self) -> int:
        """As many as keep each specialist's lanes full."""
        return sum(self.specialist(task).at_once for task in EDITS)

    def specialist(self, task: str) -> Specialist:
        """The one for a task, with what this one decides filled in."""
        one: Specialist = getattr(self, task)
        if isinstance(one, Filling):
            one = replace(one, branch=one.branch or self.branch)
        return replace(one, base=one.base or self.base, seed=self.seed, device=self.device)

    def numbers_kept(self, prompts: int) -> int:
        """Nothing."""
        return 0

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """See `base.Teacher` and `specialists.base.Specialist`; each task's specialist sees its own assignments alone.

        Raises:
            BadInput: see there; also when an assignment asks for none of the tasks.
        """
        every = [one for group in by_cluster(assignments) for one in group]
        tasks = {one.skill for one in every}
        if strange := sorted(tasks - set(EDITS)):
            raise BadInput(f"no specialist for '{strange[0]}'; there are {', '.join(EDITS)}")
        made = {task: self.specialist(task).sets([one for one in every if one.skill == task]) for task in tasks}
        for one in every:
            yield from next(made[one.skill])


def guild(base: str | Path, drawing: Drawing, masks: Masks) -> Specialists:
    """Specialists that all draw and find masks in one way; the rest is each one's own."""
    told = {task: specialist(task)(base="", drawing=drawing, masks=masks) for task in EDITS}
    made: Callable[..., Specialists] = Specialists
    return made(base=base, **told)
