"""Pairs for editing with known truth: source, instruction and target, each pair from its number alone."""

from dataclasses import dataclass

import numpy as np

from tutelage.toybox.edits import TASKS, Edit, possible_tasks, random_edit
from tutelage.toybox.sampling import TRAIN, random_scene, random_subject

EMPTY = 0.05
"""Share of the scenes that nobody is in."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """`count` edits of a split of the toybox, the seven tasks in turn."""

    count: int = 20_000
    sizes: tuple[tuple[int, int], ...] = ((128, 128),)
    """(height, width) in pixels; a pair has one of them."""
    split: int = TRAIN
    seed: int = 0

    def edit(self, number: int) -> Edit:
        """Edit number `number`: of a scene that allows its task, the first such that is drawn."""
        rng, task = self._random(number), TASKS[number % len(TASKS)]
        while True:
            scene = random_scene(rng, None if rng.random() < EMPTY else random_subject(rng))
            if task in possible_tasks(scene):
                return random_edit(task, scene, rng)

    def size(self, number: int) -> tuple[int, int]:
        """(height, width) of both its pictures."""
        return self.sizes[int(self._random(number, 1).integers(len(self.sizes)))]

    def _random(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([self.split, self.seed, 7, *key])
