"""How many experts fit into memory at once: tried with one and two, and extrapolated."""

from typing import Any, Final

import psutil
import torch

from tutelage.diffusion.text import encode_text
from tutelage.teachers.fleet_batch import Draw, errors
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Lora, Training
from tutelage.teachers.stacked_lora import stacked

SHARE: Final = 0.5
"""Of the free memory; the rest is for drawing, for what passes by, and for other processes."""
STATES: Final = 6
"""Copies of an expert's numbers: value, gradient, two moments, and what steps make of them in passing."""


def largest_fleet(model: Model, lora: Lora, training: Training, most: int) -> int:
    """A power of two, so that small changes of what is free change nothing; at least 1, at most `most`."""
    one, two = (_bytes(model, lora, training, count) for count in (1, 2))
    fits = SHARE * _free(model.pipeline.device) / max(1, two - one)
    return 1 << max(0, int(min(most, fits)).bit_length() - 1)


def _bytes(model: Model, lora: Lora, training: Training, experts: int) -> int:
    """What a step of so many experts takes, at the base's own size."""
    unet, rows = model.pipeline.unet, experts * training.batch
    side = unet.config.sample_size
    clean = torch.zeros(rows, unet.config.in_channels, *((side, side) if isinstance(side, int) else side))
    clean = clean.to(model.pipeline.device)
    with torch.no_grad():
        words = encode_text(model.pipeline, [""]).take([0] * rows)
    t = torch.zeros(rows, dtype=torch.long, device=clean.device)
    with stacked(unet, lora, experts, model.precision) as stack:
        saved = _Saved(unet)
        _restart_peak(clean.device)
        with stack.of(range(experts)), torch.autograd.graph.saved_tensors_hooks(saved.keep, lambda kept: kept):
            errors(model, [[Draw(clean, words, clean, t, 1.0)]], "plain").sum().backward()  # type: ignore[no-untyped-call]
        activations = _peak(clean.device) if clean.is_cuda else saved.bytes
        return activations + STATES * stack.values.numel() * stack.values.element_size()


class _Saved:
    """Counts the bytes that are kept for the way back, each storage once; a network's own weights are not new."""

    def __init__(self, network: Any) -> None:
        self.bytes, self.seen = 0, {weight.untyped_storage().data_ptr() for weight in network.parameters()}

    def keep(self, tensor: torch.Tensor) -> torch.Tensor:
        """A saved tensor, as it is."""
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self.seen:
            self.seen.add(storage.data_ptr())
            self.bytes += storage.nbytes()
        return tensor


def _restart_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) - torch.cuda.memory_allocated(device)


def _free(device: torch.device) -> int:
    if device.type == "cuda":
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + idle
    return int(psutil.virtual_memory().available)
