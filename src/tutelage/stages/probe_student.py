"""A student's first steps and first picture, timed: the second half of a `probe`."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from tutelage.benches.heldout import draw
from tutelage.benches.subjects.examiner import FEATURES, GALLERY, PAIRED, real_scenes, texture
from tutelage.benches.subjects.questions import SubjectsBench
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.diffusion.features import picture_features
from tutelage.stages.batches import Batches, picked
from tutelage.stages.learnt import MODEL, Lessons, lessons
from tutelage.stages.probe import MORE
from tutelage.stages.probe_pages import Cost, PageProbe, timed
from tutelage.stages.taught import CORPUS
from tutelage.students.base import Request
from tutelage.students.guidance import TwoWeights
from tutelage.students.suti import Suti
from tutelage.toybox.scene import KINDS
from tutelage.toybox.vision import folder_of

FEW: Final = 8


class StudentProbe:
    """Pieces of a student's work on the triplets of a probe; each is done when it is first asked for."""

    def __init__(self, probe: PageProbe) -> None:
        self.probe, self.run = probe, probe.run

    @cached_property
    def stepping(self) -> Cost:
        """Of one step; the bytes are those of all steps, for what is saved is replaced."""
        given = self._lessons
        self.probe.tell("training the student for two steps")
        _, seconds = (timed(lambda: _step(given, step)) for step in range(2))  # noqa: B023  # called at once
        return Cost(seconds=seconds, bytes=_state(given) + self._finished())

    @cached_property
    def encoding(self) -> float:
        """Seconds for one triplet, once."""
        student, few = self._lessons.student, self.probe.triplets[:FEW]
        student.encoder().example(few[0])
        encoder = student.encoder()
        return timed(lambda: [encoder.example(one) for one in few]) / len(few)

    @cached_property
    def drawing(self) -> Callable[[int], float]:
        """Steps → seconds for one picture."""
        finished, one = self.run.out / MODEL, self.probe.triplets[0]
        student = Suti.load(finished, self.run.device) if finished.exists() else self._lessons.student
        asked = [Request(text=one.text, references=one.references, seed=0)]
        self.probe.tell("drawing with the student")

        def trial(count: int) -> float:
            return timed(lambda: list(student.generate(asked, steps=count, guidance=TwoWeights(), batch=1)))

        return by_steps(trial)

    def comparing(self, bench: SubjectsBench, workers: int = 2) -> float:
        """Seconds to draw and look at all the real pictures that a bench's answers are compared with."""
        self.probe.tell("drawing a few real pictures")
        network, scenes = (
            picture_features(folder_of(FEATURES), self.run.device),
            real_scenes(replace(bench, renders=FEW)),
        )
        seconds = timed(lambda: texture(network, [Image.fromarray(image) for image in draw(scenes, 1).images]))
        others = min(bench.subjects, len(KINDS)) * (bench.candidates - 1) * GALLERY
        return seconds / len(scenes) * (bench.renders + others + bench.subjects * PAIRED) / workers

    @cached_property
    def _lessons(self) -> Lessons:
        """On a few rows: all of them are in every batch, and encoded at the first step."""
        corpus = self.probe.corpus
        if corpus is None:
            with Committer(self.probe.folder / CORPUS) as committer:
                committer.append(self.probe.triplets)
            corpus = Corpus(self.probe.folder / CORPUS)
        how = self.run.lesson()
        rows = np.arange(min(len(corpus), how.schedule.batch))
        return lessons(how, corpus, self._batches(corpus, rows), self.run.seed, self.run.device)

    def _batches(self, corpus: Corpus, rows: NDArray[np.int64]) -> Batches:
        """Those rows, at every step."""
        return partial(picked, rows, self.run.lesson().schedule.batch, self.run.seed)

    def _finished(self) -> float:
        """Bytes of the finished folder."""
        student = self._lessons.student
        parts = [part for part in student.pipeline.components.values() if isinstance(part, torch.nn.Module)]
        weights = {id(p): p.numel() for part in (student.network, *parts) for p in part.parameters()}
        return float(sum(weights.values()) * (4 if self.run.learning.weights == "fp32" else 2))


def _step(given: Lessons, step: int) -> None:
    given.accelerator.backward(given.loss(step, np.random.default_rng(step)))
    given.optimiser.step()
    given.optimiser.zero_grad(set_to_none=True)


def _state(given: Lessons) -> float:
    """Bytes of weights, their average, and what the optimiser remembers."""
    network = given.student.network
    remembered = [value for row in given.optimiser.state.values() for value in row.values()]
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    kept = [*network.state_dict().values(), *learning, *remembered]
    return float(sum(value.nbytes for value in kept if isinstance(value, torch.Tensor)))


def by_steps(trial: Callable[[int], float]) -> Callable[[int], float]:
    """Steps → seconds, from what trials of one step and of a few more take; a first one loads and is not counted."""
    _, short, longer = (trial(count) for count in (1, 1, 1 + MORE))
    step = max(0.0, longer - short) / MORE
    return lambda steps: max(0.0, short - step) + step * steps
