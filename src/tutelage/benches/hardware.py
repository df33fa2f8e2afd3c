"""What figures were measured on."""

import os
import platform
from pathlib import Path
from typing import Any, Final

CPUS: Final = Path("/proc/cpuinfo")


def hardware() -> dict[str, Any]:
    """Processor, cores and accelerator of this machine."""
    import torch

    lines = CPUS.read_text(encoding="utf-8").splitlines() if CPUS.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    processor = names[0] if names else platform.processor() or platform.machine()
    return {"processor": processor, "cores": os.cpu_count(), "accelerator": accelerator}
