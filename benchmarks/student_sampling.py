"""R8 and R9 of the performance targets: what demonstrations cost a student's sampling, and what caching them saves.

    R8 = sampling with 4 demonstrations, cached ÷ the same network without demonstrations
    R9 = sampling with 4 demonstrations, encoded anew at every step ÷ cached

    python benchmarks/student_sampling.py [--model toybox-sd] [--levels 0 1] [--device cuda]
    python benchmarks/student_sampling.py --text 1 --references 1      # one evaluation of the network a step

The new layers are fresh: how long they take does not depend on what they have learned. The three ways take turns, and
each repeat gives one ratio; printed is their median with a bootstrap interval. Encoding text and demonstrations and
decoding are done once a picture in all three ways and are part of the time, as they are of its use.

Beside each ratio of times is that of the arithmetic done: of the multiplications and additions in products and
convolutions, counted in one drawing of each way. R9 is not to be expected far above its own. The aim of 2.8 is for
references that go through a whole network the size of the base at each evaluation. Here they go through its down stack
alone, once a step, and guidance adds evaluations without them, so that there is less to be saved.
"""

import io
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
import tyro
from PIL import Image
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tutelage.benches.ratios import ratio_row, report
from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.sample import image_seed, picture_size
from tutelage.students.base import Request
from tutelage.students.guidance import TwoWeights
from tutelage.students.settings import SutiShape
from tutelage.students.suti import Suti
from tutelage.toybox.checkpoints import checkpoint
from tutelage.triplet import Picture, Reference

WAYS = {"without": (0, True), "cached": (4, True), "anew": (4, False)}
"""Number of demonstrations, and whether their keys and values are kept."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured."""

    model: str = "toybox-sd"
    """A shipped checkpoint, a folder in diffusers layout, or a Hub id; it need not be a student."""
    levels: tuple[int, ...] | None = None
    """Resolutions with new attention, 0 the finest; by default those where the base has attention."""
    text: float = 4.0
    """Guidance weight; 1 for both is one evaluation of the network a step."""
    references: float = 4.0
    """Guidance weight; other than the text's, it adds a third evaluation to each step."""
    steps: int = 24
    pictures: int = 1
    """Drawn at once."""
    repeats: int = 5
    device: str = "auto"
    dtype: str = "auto"
    json: Path | None = None
    """File to write the rows to."""


def main(settings: Settings) -> None:
    """Measure and print."""
    pipeline = load_pipeline(checkpoint(settings.model), settings.device, settings.dtype)
    suti = Suti.from_base(pipeline, SutiShape(levels=settings.levels))
    shown = demonstrations(picture_size(pipeline, None))
    for way in WAYS:  # the first call of each is slower
        seconds(suti, shown, way, settings)
    times = [{way: seconds(suti, shown, way, settings) for way in WAYS} for _ in range(settings.repeats)]
    done = {way: operations(suti, shown, way, settings) for way in WAYS}
    rows = [
        ratio_row("R8", [row["cached"] / row["without"] for row in times]),
        ratio_row("R8, by arithmetic alone", [done["cached"] / done["without"]]),
        ratio_row("R9", [row["anew"] / row["cached"] for row in times]),
        ratio_row("R9, by arithmetic alone", [done["anew"] / done["cached"]]),
        *(ratio_row(f"sampling, {way}", [row[way] for row in times], "seconds") for way in WAYS),
    ]
    report(rows, settings.json)


def seconds(suti: Suti, shown: tuple[Reference, ...], way: str, settings: Settings) -> float:
    """Draw once in one way."""
    count, cached = WAYS[way]
    requests = [
        Request(text="a toy on the beach", references=shown[:count], seed=image_seed(0, i))
        for i in range(settings.pictures)
    ]
    guidance = TwoWeights(text=settings.text, references=settings.references)
    options: dict[str, Any] = {"steps": settings.steps, "guidance": guidance, "batch": settings.pictures}
    start = time.perf_counter()
    pictures = list(chain.from_iterable(suti.generate(requests, cached=cached, **options)))
    assert len(pictures) == settings.pictures  # they are on the CPU, so an accelerator has finished
    return time.perf_counter() - start


def operations(suti: Suti, shown: tuple[Reference, ...], way: str, settings: Settings) -> int:
    """Floating-point operations of drawing once in one way; attention is unfused, for not all fused kinds are known."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counted:
        seconds(suti, shown, way, settings)
    return int(counted.get_total_flops())


def demonstrations(size: tuple[int, int]) -> tuple[Reference, ...]:
    """Four pictures of noise."""
    random = torch.Generator().manual_seed(0)
    made = []
    for _ in range(4):
        file = io.BytesIO()
        noise = torch.randint(256, (*size, 3), generator=random, dtype=torch.uint8)
        Image.fromarray(noise.numpy()).save(file, "PNG")
        made.append(Reference(picture=Picture(data=file.getvalue()), caption="a toy"))
    return tuple(made)


if __name__ == "__main__":
    main(tyro.cli(Settings))
