"""Adapters as files that diffusers loads, written while the next experts are trained."""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import quote

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tutelage.errors import BadInput
from tutelage.teachers.stacked_lora import Site, Stack

FILE: Final = "pytorch_lora_weights.safetensors"
"""As diffusers calls it."""
DOWN, UP = ".lora_A.weight", ".lora_B.weight"
"""What PEFT calls the factors of a layer."""
OF_UNET: Final = "unet."
"""What diffusers writes before a UNet's layers."""
AHEAD: Final = 16
"""Experts that may wait to be written."""


class AdapterFiles:
    """A folder for each expert, named after its cluster: `pipeline.load_lora_weights(folder)` makes it that expert."""

    def __init__(self, folder: Path | None) -> None:
        """Without a folder nothing is written.

        Raises:
            BadInput: the folder cannot be made.
        """
        self.folder = folder
        self.waiting: deque[Future[None]] = deque()
        self.writer = ThreadPoolExecutor(1)
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{folder} cannot be made ({error.strerror}); give another folder for adapters") from error

    def __enter__(self) -> "AdapterFiles":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.writer.shutdown(cancel_futures=kind is not None)
        while self.waiting and kind is None:
            self.waiting.popleft().result()

    def write(self, key: str, stack: Stack, slot: int) -> None:
        """Take the adapters of a slot as they are now, and write them when there is time.

        Raises:
            BadInput: earlier ones could not be written.
        """
        if self.folder is None:
            return
        if len(self.waiting) >= AHEAD:
            self.waiting.popleft().result()
        taken = lora_state(stack, stack.values.detach()[slot].cpu().clone())
        self.waiting.append(self.writer.submit(write_adapters, self.folder / file_name(key), taken))


def file_name(key: str) -> str:
    """A cluster's id as the name of a folder.

    >>> file_name("pages.example/7")
    'pages.example%2F7'
    """
    return quote(key, safe="")


def lora_state(stack: Stack, row: Tensor) -> dict[str, Tensor]:
    """An expert's numbers (N,) as PEFT names and shapes them; the scale is 1, as is assumed without alpha."""
    state: dict[str, Tensor] = {}
    for site in stack.sites:
        downs, ups = site.downs(row[None])[0], site.ups(row[None])[0]
        kernel = site.layer.weight.shape[2:]
        first = downs.reshape(site.rank, -1, *kernel)
        state[site.name + DOWN] = first.contiguous()
        state[site.name + UP] = ups.reshape(*ups.shape, *[1] * len(kernel)).contiguous()
    return state


def row_of(state: Mapping[str, Tensor], sites: Sequence[Site], name: str) -> Tensor:
    """The way back: an expert's numbers (N,) from adapters for the same layers; `name` says whose they are.

    Raises:
        BadInput: they are for other layers or of another rank.
    """
    row = torch.zeros(1, sites[-1].stop)
    for site in sites:
        for factor, into in ((DOWN, site.downs(row)), (UP, site.ups(row))):
            given = state.get(site.name + factor)
            if given is None or given.numel() != into.numel():
                raise BadInput(
                    f"{name}: {site.name} has no adapters of rank {site.rank}; give some with the fleet's own --lora"
                )
            into.copy_(given.reshape(into.shape))
    if len(state) > 2 * len(sites):
        raise BadInput(f"{name} adapts more layers than this fleet does; give some of fleets like this one")
    return row[0]


def write_adapters(folder: Path, layers: Mapping[str, Tensor]) -> None:
    """Write a UNet's adapters for `load_lora_weights` of diffusers.

    Raises:
        BadInput: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({OF_UNET + name: factor for name, factor in layers.items()}, folder / FILE, {"format": "pt"})
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{folder} cannot be written ({error}); make room for adapters") from error


def read_adapters(folder: Path) -> dict[str, Tensor]:
    """A UNet's adapters by layer and factor, in float32.

    Raises:
        BadInput: there are none, or they cannot be read.
    """
    try:
        found = load_file(folder / FILE)
    except (OSError, SafetensorError) as error:
        raise BadInput(
            f"{folder / FILE} cannot be read ({error}); give a folder of adapters that a fleet kept"
        ) from error
    strange = [name for name in found if not name.startswith(OF_UNET) or not name.endswith((DOWN, UP))]
    if strange:
        raise BadInput(f"{folder / FILE}: '{strange[0]}' is no factor of a UNet's adapters; give a fleet's")
    return {name.removeprefix(OF_UNET): factor.float() for name, factor in found.items()}
