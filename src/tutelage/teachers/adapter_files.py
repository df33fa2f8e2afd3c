"""Adapters as files that diffusers loads, written while the next experts are trained."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

from torch import Tensor

from tutelage.errors import BadInput
from tutelage.teachers.stacked_lora import Stack

AHEAD: Final = 16
"""Experts that may wait to be written."""


class AdapterFiles:
    """A folder for each expert, named after its cluster: `pipeline.load_lora_weights(folder)` makes it that expert."""

    def __init__(self, pipeline: Any, folder: Path | None) -> None:
        """For a pipeline of the base's kind; without a folder nothing is written.

        Raises:
            BadInput: the folder cannot be made.
        """
        self.kind, self.folder = type(pipeline), folder
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
        self.waiting.append(self.writer.submit(self._write, self.folder / file_name(key), taken))

    def _write(self, folder: Path, layers: dict[str, Tensor]) -> None:
        try:
            self.kind.save_lora_weights(folder, unet_lora_layers=layers)
        except OSError as error:
            raise BadInput(f"{folder} cannot be written ({error.strerror}); make room for adapters") from error


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
        state[f"{site.name}.lora_A.weight"] = first.contiguous()
        state[f"{site.name}.lora_B.weight"] = ups.reshape(*ups.shape, *[1] * len(kernel)).contiguous()
    return state
