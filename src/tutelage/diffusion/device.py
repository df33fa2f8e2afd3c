"""Where to compute, and in which number format."""

from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from tutelage.errors import BadInput, did_you_mean

DtypeName = Literal["auto", "fp32", "fp16", "bf16"]

DTYPES: Final[dict[str, torch.dtype]] = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
KINDS: Final = ("auto", "cpu", "cuda", "mps")


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name, such as `cpu` or `cuda:1`; `auto` is CUDA, then Apple's MPS, then the CPU.

    Raises:
        BadInput: there is no such kind of device, or this machine (or this build of PyTorch) has none.
    """
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if _count(kind)))
    kind, _, number = name.partition(":")
    if kind not in KINDS or (number and not number.isdigit()):
        raise BadInput(f"no device '{name}'.{did_you_mean(kind, KINDS)} Give one of {', '.join(KINDS)}, or e.g. cuda:1")
    if int(number or 0) >= _count(kind):
        raise BadInput(f"device '{name}' is not on this machine, or not in this build of PyTorch; give auto or cpu")
    return torch.device(name)


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number format of that name; `auto` is bf16 on CUDA and fp32 elsewhere.

    Raises:
        BadInput: there is no such format.
    """
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if name not in DTYPES:
        raise BadInput(f"no number format '{name}'.{did_you_mean(name, DTYPES)} Give auto, {', '.join(DTYPES)}")
    return DTYPES[name]


def dtype_name(dtype: torch.dtype) -> str:
    """The short name of a number format: the key in `DTYPES`, else what PyTorch calls it."""
    return next((name for name, known in DTYPES.items() if known == dtype), str(dtype).removeprefix("torch."))


def plain_attention(device: torch.device) -> AbstractContextManager[None]:
    """Within it, attention that is gone forward through is written out as products if it is on a CPU.

    The fused one's way back is slower there for sequences as short as toybox-dit's.
    """
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def _count(kind: str) -> int:
    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    return int(torch.backends.mps.is_available()) if kind == "mps" else 1
