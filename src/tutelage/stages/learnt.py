"""Kept triplets → a student (Eq. 5), on one device or, under `accelerate launch`, on several."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.optimization import Adafactor

from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.diffusion.device import pick_device
from tutelage.diffusion.load import load_pipeline, local_folder
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.errors import BadInput
from tutelage.run import open_run
from tutelage.stages.settings import Learning
from tutelage.students.examples import Encoder, make_batch
from tutelage.students.folder import is_student
from tutelage.students.suti import Suti
from tutelage.toybox.checkpoints import checkpoint
from tutelage.training.loop import Loss, fit

STUDENT: Final = "student"
MODEL: Final = "model"
"""Folders of a run: the training's state and log, and the finished student."""


def learn(how: Learning, seed: int, device: str, out: Path, corpus: Path | None = None) -> dict[str, int]:
    """Train a student on what a corpus keeps, into `out/model`; how many triplets and steps there were.

    Which triplets a step sees depends on their ids and the seed, not on the order in which they were written. The
    corpus is that of `out`, unless another is given: students may share one.

    Raises:
        BadInput: nothing was kept, the base cannot be loaded, or the student was begun with other settings.
    """
    together = _accelerator(device)
    together.wait_for_everyone()  # until the first process has made the corpus
    triplets = Corpus(corpus or out / "corpus")
    rows = rows_by_id(triplets, Gate(bands=how.gate))
    folder = open_run(how, out / STUDENT)
    if not (out / MODEL).exists():
        student = _train(how, triplets, rows, seed, device, folder)
        if together.is_main_process:
            student.save(out / MODEL, how.weights)
        together.wait_for_everyone()
    return {"triplets": len(rows), "steps": how.schedule.steps}


def rows_by_id(corpus: Corpus, gate: Gate) -> NDArray[np.int64]:
    """Rows of the triplets that pass, in the order of their ids.

    Raises:
        BadInput: there are none.
    """
    rows = corpus.rows(gate)
    if not len(rows):
        raise BadInput(
            f"no triplet of {corpus.path} passes the judges; see `tutelage corpus stats`, and ask less of them"
        )
    ids = np.asarray(corpus.column("id").to_pylist())[rows]
    return rows[np.argsort(ids, kind="stable")]


def picks(count: int, batch: int, step: int, seed: int) -> list[int]:
    """Which of `count` examples step number `step` sees: each comes once before any comes again, in a new order."""
    places = range(step * batch, (step + 1) * batch)
    epochs = {place // count for place in places}
    orders = {epoch: np.random.default_rng([seed, epoch]).permutation(count) for epoch in epochs}
    return [int(orders[place // count][place % count]) for place in places]


@dataclass(frozen=True)
class Lessons:
    """A student and all that is needed to train it."""

    student: Suti
    loss: Loss
    optimiser: torch.optim.Optimizer
    accelerator: Accelerator


def lessons(how: Learning, corpus: Corpus, rows: NDArray[np.int64], seed: int, device: str) -> Lessons:
    """A student as it begins, and its loss on these rows of a corpus.

    Raises:
        BadInput: the base or the device cannot be had.
    """
    accelerator = _accelerator(device)
    set_seed(seed)
    student = _begun(how, str(accelerator.device), seed)
    network, encoder = student.network, Encoder(student.pipeline)
    student.called = accelerator.prepare(network)
    mine = slice(accelerator.process_index, None, accelerator.num_processes)

    def loss(step: int, _: np.random.Generator) -> Tensor:
        chosen = rows[picks(len(rows), how.schedule.batch, step, seed)][mine]
        examples = [encoder.example(triplet) for triplet in corpus.take(chosen.tolist())]
        batch = make_batch(examples, how.training, seed=seed, step=step).to(accelerator.device)
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=how.bf16):
            return student.loss(batch)

    optimiser = make_optimiser([p for p in network.parameters() if p.requires_grad], how)
    network.train()
    return Lessons(student, loss, optimiser, accelerator)


def _train(how: Learning, corpus: Corpus, rows: NDArray[np.int64], seed: int, device: str, out: Path) -> Suti:
    given = lessons(how, corpus, rows, seed, device)
    network, accelerator = given.student.network, given.accelerator
    fit(network, given.loss, how.schedule, out, optimiser=given.optimiser, accelerator=accelerator)
    given.student.called = accelerator.unwrap_model(given.student.called)
    return given.student


def _accelerator(device: str) -> Accelerator:
    """This process among those that `accelerate launch` started, or alone.

    It is not told of bfloat16: accelerate takes one answer to that for a whole process, however many students it has.
    """
    return Accelerator(cpu=pick_device(device).type == "cpu")


def _begun(how: Learning, device: str, seed: int) -> Suti:
    """A fresh student of a base, or one that has learned something, to learn more."""
    folder = local_folder(checkpoint(how.base))
    if is_student(folder):
        student = Suti.load(folder, device, "fp32", how.training)
    else:
        with quiet_libraries():
            pipeline: Any = load_pipeline(folder, device, "fp32")
        student = Suti.from_base(pipeline, how.shape, how.training, seed=seed)
    for part in (student.pipeline.vae, student.pipeline.text_encoder):
        part.requires_grad_(False)
    if student.pipeline.device.type == "cpu":
        student.pipeline.unet.set_attn_processor(AttnProcessor())
    return student


def make_optimiser(parameters: Sequence[nn.Parameter], how: Learning) -> torch.optim.Optimizer:
    """AdamW, or Adafactor with the rate as it is given."""
    schedule = how.schedule
    if how.optimiser == "adamw":
        return torch.optim.AdamW(parameters, schedule.lr, betas=(0.9, 0.98), weight_decay=schedule.weight_decay)
    fixed = {"scale_parameter": False, "relative_step": False, "warmup_init": False}
    adafactor: torch.optim.Optimizer = Adafactor(parameters, lr=schedule.lr, **fixed)
    return adafactor
