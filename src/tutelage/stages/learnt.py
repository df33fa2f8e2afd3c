"""Kept triplets → a student (Eq. 5), on one device or, under `accelerate launch`, on several."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs, set_seed
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.optimization import Adafactor

from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.diffusion.device import pick_device, plain_attention
from tutelage.diffusion.load import load_pipeline, local_folder
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.run import open_run, read_log
from tutelage.stages.batches import Batches, Bucketed, Growing, await_corpus, picked, rows_by_id, without_held_out
from tutelage.stages.settings import EditLearning, Learning
from tutelage.students import FOLDERS, student
from tutelage.students.base import Learner
from tutelage.students.examples import make_batch
from tutelage.students.folder import pipeline_class
from tutelage.students.vocabulary import take_in_words
from tutelage.toybox.checkpoints import checkpoint
from tutelage.training.loop import Loss, fit

How = Learning | EditLearning
STUDENT: Final = "student"
MODEL: Final = "model"
"""Folders of a run: the training's state and log, and the finished student."""


def learn(how: How, seed: int, device: str, out: Path, corpus: Path | None = None) -> dict[str, int]:
    """Train a student on what a corpus keeps, into `out/model`; how many triplets and steps there were.

    Which triplets a step sees depends on their ids and the seed, not on the order in which they were written; with
    `how.early` also on when they were, which is noted (see `batches.Growing`). The corpus is that of `out`, unless
    another is given: students may share one.

    Raises:
        BadInput: nothing was kept, the base cannot be loaded, or the student was begun with other settings.
    """
    together, where = _accelerator(device), corpus or out / "corpus"
    if how.early:
        await_corpus(where)
    together.wait_for_everyone()  # until the first process has made the corpus
    triplets, gate = Corpus(where), Gate(bands=how.gate)
    rows = np.empty(0, np.int64) if how.early else _rows(triplets, gate, how)
    folder, batch = open_run(how, out / STUDENT), how.schedule.batch
    if not (out / MODEL).exists():
        batches: Batches = partial(picked, rows, batch, seed)
        if isinstance(how, EditLearning):
            batches = Bucketed(triplets, rows, batch, seed)
        elif how.early:
            batches = Growing(triplets, gate, batch, seed, folder, partial(_taught, out), together).begun(how.early)
        trained = _train(how, triplets, batches, seed, device, folder)
        if together.is_main_process:
            trained.save(out / MODEL, how.weights)
        together.wait_for_everyone()
    return {"triplets": len(_rows(triplets, gate, how)), "steps": how.schedule.steps}


def _rows(triplets: Corpus, gate: Gate, how: How) -> NDArray[np.int64]:
    """What a student learns from."""
    rows = rows_by_id(triplets, gate)
    return without_held_out(triplets, rows, how.held_out) if isinstance(how, EditLearning) else rows


def _taught(out: Path) -> bool:
    """Whether teaching has ended."""
    return any(row.get("stage") == "teach" for row in read_log(out))


@dataclass(frozen=True)
class Lessons:
    """A student and all that is needed to train it."""

    student: Learner
    loss: Loss
    optimiser: torch.optim.Optimizer
    accelerator: Accelerator


def lessons(how: How, corpus: Corpus, batches: Batches, seed: int, device: str) -> Lessons:
    """A student as it begins, and its loss on these batches of a corpus.

    Raises:
        BadInput: the base or the device cannot be had.
    """
    accelerator = _accelerator(device)
    set_seed(seed)
    begun = _begun(how, str(accelerator.device), seed)
    network, encoder = begun.network, begun.encoder()
    if isinstance(batches, Bucketed):
        take_in_words(begun.pipeline, batches.texts(), seed)
        batches.sort(encoder)
    begun.called = accelerator.prepare(network)
    mine = slice(accelerator.process_index, None, accelerator.num_processes)

    def loss(step: int, _: np.random.Generator) -> Tensor:
        chosen = batches(step)[mine]
        examples = [encoder.example(triplet) for triplet in corpus.take(chosen.tolist())]
        batch = make_batch(examples, how.training, seed=seed, step=step).to(accelerator.device)
        attention = plain_attention(accelerator.device) if hasattr(begun.pipeline, "transformer") else nullcontext()
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=how.bf16), attention:
            return begun.loss(batch)

    optimiser = make_optimiser([p for p in network.parameters() if p.requires_grad], how)
    network.train()
    return Lessons(begun, loss, optimiser, accelerator)


def _train(how: How, corpus: Corpus, batches: Batches, seed: int, device: str, out: Path) -> Learner:
    given = lessons(how, corpus, batches, seed, device)
    network, accelerator = given.student.network, given.accelerator
    fit(network, given.loss, how.schedule, out, optimiser=given.optimiser, accelerator=accelerator)
    given.student.called = accelerator.unwrap_model(given.student.called)
    return given.student


def _accelerator(device: str) -> Accelerator:
    """This process among those that `accelerate launch` started, or alone.

    It is not told of bfloat16: accelerate takes one answer to that for a whole process, however many students it has.
    """
    waits = InitProcessGroupKwargs(timeout=timedelta(days=60))  # the others wait while the first one has experts taught
    return Accelerator(cpu=pick_device(device).type == "cpu", kwargs_handlers=[waits])


def _begun(how: How, device: str, seed: int) -> Learner:
    """A fresh student of a base, or one that has learned something, to learn more."""
    folder = local_folder(checkpoint(how.base))
    with quiet_libraries():  # importing diffusers' pipelines is not silent
        kind = student(how.student)
    if FOLDERS.get(pipeline_class(folder)) == how.student:
        begun = kind.load(folder, device, "fp32", how.training)
    else:
        with quiet_libraries():
            pipeline: Any = load_pipeline(folder, device, "fp32")
        begun = kind.from_base(pipeline, how.shape, how.training, seed=seed)
    for part in (begun.pipeline.vae, begun.pipeline.text_encoder):
        part.requires_grad_(False)
    if begun.pipeline.device.type == "cpu" and hasattr(begun.pipeline, "unet"):
        begun.pipeline.unet.set_attn_processor(AttnProcessor())
    return begun


def make_optimiser(parameters: Sequence[nn.Parameter], how: How) -> torch.optim.Optimizer:
    """AdamW, or Adafactor with the rate as it is given."""
    schedule = how.schedule
    if how.optimiser == "adamw":
        return torch.optim.AdamW(parameters, schedule.lr, betas=(0.9, 0.98), weight_decay=schedule.weight_decay)
    fixed = {"scale_parameter": False, "relative_step": False, "warmup_init": False}
    adafactor: torch.optim.Optimizer = Adafactor(parameters, lr=schedule.lr, **fixed)
    return adafactor
