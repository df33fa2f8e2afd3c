"""One resumable training loop. All randomness comes from (seed, step), so a resumed run is the run."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tutelage.run import append_log
from tutelage.training.settings import Schedule

if TYPE_CHECKING:
    from accelerate import Accelerator

STATE = "state.safetensors"
STEP = "step"
MOMENTS = ("exp_avg", "exp_avg_sq", "exp_avg_sq_row", "exp_avg_sq_col", "RMS")
"""What AdamW and Adafactor remember of a weight, beside the number of the step."""


Loss = Callable[[int, np.random.Generator], Tensor]
"""Step and its random numbers → scalar loss."""


def fit(
    model: nn.Module,
    loss: Loss,
    schedule: Schedule,
    out: Path,
    save_seconds: float = 120.0,
    optimiser: torch.optim.Optimizer | None = None,
    accelerator: "Accelerator | None" = None,
) -> nn.Module:
    """Train `model` in place, going on from `out/state.safetensors` if it is there; returns it with averaged weights.

    Writes the loss to `out/log.jsonl` every 20 steps. With an accelerator, every process calls this; the first one
    writes, and all of them read.

    Args:
        model: what learns.
        loss: see `Loss`; with several processes, over each one's share of the batch.
        schedule: how long and how fast.
        out: an existing folder.
        save_seconds: how often the state is saved.
        optimiser: of the model's parameters; by default AdamW.
        accelerator: what the model was prepared with.
    """
    optimiser = optimiser or torch.optim.AdamW(
        model.parameters(), lr=schedule.lr, weight_decay=schedule.weight_decay, betas=(0.9, 0.98)
    )
    learning = {name: p for name, p in model.named_parameters() if p.requires_grad}
    average = {name: p.detach().clone() for name, p in learning.items()} if schedule.ema else {}
    writes = accelerator is None or accelerator.is_main_process
    first = restore(out / STATE, model, optimiser, average)
    saved, recent = time.monotonic(), []
    columns = (
        TextColumn(out.name),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
    )
    with Progress(*columns, disable=not writes) as progress:
        task = progress.add_task(out.name, total=schedule.steps, completed=first, loss="")
        for step in range(first, schedule.steps):
            recent.append(_step(model, loss, schedule, optimiser, average, step, accelerator))
            if not writes:
                continue
            if (step + 1) % 20 == 0:
                row = {"step": step + 1, "loss": float(np.mean(recent)), "time": time.time()}
                append_log(out, row)
                progress.update(task, completed=step + 1, loss=f"loss {row['loss']:.4f}")
                recent.clear()
            if time.monotonic() - saved > save_seconds or step + 1 == schedule.steps:
                save(out / STATE, step + 1, model, optimiser, average)
                saved = time.monotonic()
    for name, parameter in model.named_parameters():
        if name in average:
            parameter.data.copy_(average[name])
    return model


def _step(
    model: nn.Module,
    loss: Loss,
    schedule: Schedule,
    optimiser: torch.optim.Optimizer,
    average: dict[str, Tensor],
    step: int,
    accelerator: "Accelerator | None",
) -> float:
    torch.manual_seed(schedule.seed * 1_000_003 + step)
    for group in optimiser.param_groups:
        group["lr"] = schedule.rate(step)
    value = loss(step, np.random.default_rng([schedule.seed, step]))
    optimiser.zero_grad(set_to_none=True)
    if accelerator is None:
        value.backward()  # type: ignore[no-untyped-call]
    else:
        accelerator.backward(value)
    nn.utils.clip_grad_norm_(model.parameters(), schedule.clip)
    optimiser.step()
    momentum = min(schedule.ema, (step + 1) / (step + 10))
    for name, parameter in model.named_parameters():
        if name in average:
            average[name].lerp_(parameter.detach(), 1 - momentum)
    return float(value.detach())


def save(path: Path, step: int, model: nn.Module, optimiser: torch.optim.Optimizer, average: dict[str, Tensor]) -> None:
    """Weights, averages and what the optimiser remembers in one safetensors file, swapped in whole."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    for name, parameter in model.named_parameters():
        kept = optimiser.state.get(parameter, {})
        tensors |= {f"{key}.{name}": value for key, value in kept.items() if key != STEP and isinstance(value, Tensor)}
    fresh = path.with_suffix(".tmp")
    save_file({name: value.contiguous() for name, value in tensors.items()}, fresh, {"step": str(step)})
    fresh.replace(path)


def restore(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, average: dict[str, Tensor]) -> int:
    """Load what `save` wrote; returns the step to go on from, 0 if there is nothing."""
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        step = int(file.metadata()["step"])
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    model.load_state_dict({k[len("model.") :]: v for k, v in stored.items() if k.startswith("model.")})
    for name, parameter in model.named_parameters():
        if name in average:
            average[name].copy_(stored[f"average.{name}"])
        moments = {
            key.removesuffix(f".{name}"): value.to(parameter.device)
            for key, value in stored.items()
            if key.endswith(f".{name}") and key.removesuffix(f".{name}") in MOMENTS
        }
        if moments:
            count = torch.tensor(float(step)) if isinstance(optimiser, torch.optim.AdamW) else step
            optimiser.state[parameter] = {STEP: count, **moments}
    return step
