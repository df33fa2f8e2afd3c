"""Students on small random networks of every shape."""

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from apprentices import sd15_unet, wake

from tutelage.diffusion.load import load_pipeline
from tutelage.students.settings import SutiShape, SutiTraining
from tutelage.students.suti import Suti


@pytest.fixture(scope="session")
def bases(tiny_sd: Path, tiny_sdxl: Path, toybox_sd: Path) -> Callable[[str], Any]:
    """Name → a fresh pipeline: tiny ones, the shipped one, and one with the four levels of Stable Diffusion 1.5."""
    folders = {"sd": tiny_sd, "sdxl": tiny_sdxl, "sd15": tiny_sd, "toybox": toybox_sd}

    @cache
    def loaded(name: str) -> Any:
        pipeline = load_pipeline(folders[name], "cpu")
        if name == "sd15":
            torch.manual_seed(2)
            pipeline.unet = sd15_unet().eval()
        return pipeline

    return lambda name: copy.deepcopy(loaded(name))


@pytest.fixture(scope="session")
def students(bases: Callable[[str], Any]) -> Callable[..., Suti]:
    """Name of a base → a student of it; `awake` ones have new layers that do something."""

    def make(name: str, awake: bool = True, levels: tuple[int, ...] | None = None, **training: Any) -> Suti:
        suti = Suti.from_base(bases(name), SutiShape(levels=levels), SutiTraining(**training))
        return wake(suti) if awake else suti

    return make
