"""Seconds a training step and a picture of every editor, on true pairs of the toybox.

    python benchmarks/edit_students.py --sd toybox-sd --dit toybox-dit

Prints the fastest of the steps after the first two, and the smallest processor time of one: other work on the machine
only ever adds to these.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import tyro

from tutelage.corpus.reader import Corpus
from tutelage.recipes.edits import SIZES
from tutelage.stages.batches import Bucketed
from tutelage.stages.learnt import lessons
from tutelage.stages.paired import write_truth
from tutelage.stages.settings import EditLearning
from tutelage.students.base import Request
from tutelage.students.guidance import ImageFirst
from tutelage.toybox.pairs import Pairs
from tutelage.training.settings import Schedule


def main(sd: str = "toybox-sd", dit: str = "toybox-dit", batch: int = 32, steps: int = 4) -> None:
    """Measure.

    Args:
        sd: Base of instruct-pix2pix.
        dit: Base of concat-transformer, controlnet and editnet.
        batch: Examples a step.
        steps: Steps that are timed.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_truth(Pairs(count=batch, sizes=SIZES[:1]), Path(folder))
        corpus = Corpus(Path(folder) / "corpus")
        on_dit = dict.fromkeys(("concat-transformer", "controlnet", "editnet"), dit)
        for name, base in {"instruct-pix2pix": sd, **on_dit}.items():
            how = EditLearning(student=name, base=base, schedule=Schedule(steps=steps, batch=batch, lr=1e-4))
            given = lessons(how, corpus, Bucketed(corpus, np.arange(batch), batch, 0), 0, "cpu")
            wall, processor = zip(*(step(given, number) for number in range(steps + 2)), strict=True)
            drawn = drawing(given.student, corpus)
            learning = sum(p.numel() for p in given.student.network.parameters() if p.requires_grad)
            print(
                f"{name}: {learning / 1e6:.1f} M weights learn, {min(wall[2:]):.2f} s a step of {batch} "
                f"({min(processor[2:]):.2f} s of processor), {drawn:.1f} s a picture of 24 steps",
                flush=True,
            )


def step(given, number: int) -> tuple[float, float]:
    """Seconds on the wall and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    given.accelerator.backward(given.loss(number, np.random.default_rng(number)))
    given.optimiser.step()
    given.optimiser.zero_grad(set_to_none=True)
    return time.perf_counter() - wall, time.process_time() - processor


def drawing(student, corpus: Corpus) -> float:
    """Seconds a picture, without those that do not depend on the number of steps."""
    one = corpus[0]
    asked, seconds = [Request(text=one.text, references=one.references, seed=0)], {}
    for count in (1, 5):
        started = time.perf_counter()
        list(student.generate(asked, steps=count, guidance=ImageFirst(), batch=1))
        seconds[count] = time.perf_counter() - started
    return seconds[1] + 23 * (seconds[5] - seconds[1]) / 4


if __name__ == "__main__":
    tyro.cli(main)
