"""Trains the experts of a fleet: Eq. 4 of SuTI for each, in one batch; the loss is the sum of theirs.

There are slots, and more experts than slots. An expert that is done, or went astray, makes room for the next one; the
others go on. What an expert draws is keyed by (seed, its key, its own step), so neither its slot nor its neighbours nor
who was there before it reach its random numbers.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor, nn

from tutelage.diffusion.noise import keyed_generator
from tutelage.teachers.fleet_batch import Draw, by_shape, drawn, errors, look
from tutelage.teachers.lesson import Lesson
from tutelage.teachers.model import Model
from tutelage.teachers.row_adam import RowAdam
from tutelage.teachers.settings import EarlyStop, Training

LOOK: Final = 8
"""Steps between questions whether everybody is sound: every question makes an accelerator wait."""
AGAIN: Final = 0.25
"""Of the rate, for the second try of an expert that went astray."""


class Stacked(Protocol):
    """What experts train, a row for each slot, and how the network becomes theirs."""

    values: nn.Parameter
    """(K, N) float32, with a gradient."""

    def begin(self, slot: int, seed: int, key: str, start: Tensor | None = None) -> None:
        """A fresh expert in a slot; from `start` (N,), or with first weights keyed by (seed, key)."""
        ...

    def of(self, slots: Sequence[int]) -> AbstractContextManager[None]:
        """Within it a batch holds these slots' pictures; on leaving it their gradients are there."""
        ...


@dataclass(frozen=True)
class Task:
    """An expert to be trained."""

    key: str
    prepare: Callable[[], Sequence[Lesson]]
    """Asked when its turn comes, so that few lessons are in memory; of its lessons, weighted errors are added up."""
    start: Tensor | None = None
    """Numbers (N,) to start from; None: fresh ones."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of an expert."""

    number: int
    """Of its task."""
    slot: int
    """Where its factors are until the next one is asked for."""
    steps: int
    """Of its last try."""
    tries: int
    sound: bool
    """Whether its numbers stayed finite."""


@dataclass
class Expert:
    """One at work."""

    number: int
    key: str
    lessons: Sequence[Lesson]
    start: Tensor | None
    tries: int = 1
    step: int = 0
    sound: bool = True
    glance: Draw | None = None
    """What the early stop looks at."""
    enough: float = 0.0
    """The error at which it is done."""
    fitted: bool = False


class FleetTraining:
    """A fleet at work."""

    def __init__(
        self, model: Model, stack: Stacked, training: Training, seed: int, stop: EarlyStop | None = None
    ) -> None:
        """Slots are the rows of `stack`; with `stop`, experts may end before `training.steps`."""
        self.model, self.stack, self.training, self.seed, self.stop = model, stack, training, seed, stop
        self.optimiser = RowAdam(stack.values, training.clip)
        self.slots: list[Expert | None] = [None] * len(stack.values)
        self.sound = torch.ones(len(self.slots), dtype=torch.bool, device=stack.values.device)
        self.clock = 0

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """Train every task's expert and yield each as it is done, its factors still in its slot."""
        waiting = deque(enumerate(tasks))
        while True:
            for slot, expert in enumerate(self.slots):
                if expert is None and waiting:
                    number, task = waiting.popleft()
                    self._begin(slot, Expert(number, task.key, task.prepare(), task.start))
            if not any(self.slots):
                return
            self._step()
            for slot, expert in enumerate(self.slots):
                if expert is not None and self._over(expert):
                    yield from self._ended(slot, expert)

    def _begin(self, slot: int, expert: Expert) -> None:
        self.stack.begin(slot, self.seed, expert.key, expert.start)
        self.optimiser.restart(slot)
        self.sound[slot] = True
        self.slots[slot] = expert
        if self.stop is not None:
            expert.glance = look(self.model, expert.lessons[0], self.stop.levels, self.seed, expert.key)
            expert.enough = self.stop.share * float(self._glanced([expert], None))

    def _step(self) -> None:
        """One step of every expert at work."""
        rates = torch.zeros(len(self.slots))
        drawn_by: dict[int, list[Draw]] = {}
        for slot, expert in enumerate(self.slots):
            if expert is not None:
                generator = keyed_generator(self.seed, expert.key, expert.step, "train")
                drawn_by[slot] = [drawn(self.model, lesson, self.training, generator) for lesson in expert.lessons]
                rates[slot] = self.training.rate(expert.step) * (AGAIN if expert.tries > 1 else 1.0)
                expert.step += 1
        for slots, draws in by_shape(drawn_by):
            with self.stack.of(slots):
                error = errors(self.model, draws, self.training.weighting).sum()
                error.backward()  # type: ignore[no-untyped-call]
        self.sound &= self.optimiser.step(rates.to(self.sound.device)) | (rates == 0).to(self.sound.device)
        self.clock += 1
        self._ask()

    def _ask(self) -> None:
        """From time to time: who is sound, and who is good enough."""
        last = any(expert is not None and expert.step == self.training.steps for expert in self.slots)
        if last or self.clock % LOOK == 0:
            finite = (self.sound & self.stack.values.detach().isfinite().all(1)).tolist()
            for slot, expert in enumerate(self.slots):
                if expert is not None:
                    expert.sound = finite[slot]
        if self.stop is not None:
            due = [slot for slot, one in enumerate(self.slots) if one is not None and one.step % self.stop.every == 0]
            self._look(due)

    def _look(self, due: Sequence[int]) -> None:
        found = {slot: self.slots[slot] for slot in due}
        for slots, _ in by_shape({slot: [one.glance] for slot, one in found.items() if one and one.glance}):
            looking = [one for slot in slots if (one := found[slot]) is not None]
            for expert, error in zip(looking, self._glanced(looking, slots).tolist(), strict=True):
                expert.fitted = error <= expert.enough

    @torch.no_grad()
    def _glanced(self, experts: Sequence[Expert], slots: Sequence[int] | None) -> Tensor:
        """Errors (E,) on what the early stop looks at; without slots, of the base."""
        draws = [[expert.glance] for expert in experts if expert.glance is not None]
        if slots is None:
            return errors(self.model, draws, self.training.weighting)
        with self.stack.of(slots):
            return errors(self.model, draws, self.training.weighting)

    def _over(self, expert: Expert) -> bool:
        return not expert.sound or expert.fitted or expert.step >= self.training.steps

    def _ended(self, slot: int, expert: Expert) -> Iterator[Done]:
        """One that went astray gets one more try, with other random numbers and smaller steps."""
        if not expert.sound and expert.tries == 1:
            self._begin(slot, Expert(expert.number, f"{expert.key}/again", expert.lessons, expert.start, tries=2))
            return
        yield Done(number=expert.number, slot=slot, steps=expert.step, tries=expert.tries, sound=expert.sound)
        self.slots[slot] = None
