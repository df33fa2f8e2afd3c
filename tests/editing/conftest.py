"""A model of each kind, and pictures for it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.diffusion.load import load_pipeline


@pytest.fixture(scope="session", params=["tiny_sd", "tiny_sdxl"])
def pipeline(request: pytest.FixtureRequest) -> Any:
    folder: Path = request.getfixturevalue(request.param)
    return load_pipeline(folder, "cpu", "fp32")


@pytest.fixture(scope="session")
def picture(make_cluster: Any) -> Image.Image:
    data = make_cluster("a").references[0].picture.data
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.fixture(scope="session")
def apart() -> Any:
    """(picture, picture) → the mean difference in grey levels."""

    def measure(left: Image.Image, right: Image.Image) -> float:
        here, there = (np.asarray(one).astype(float) for one in (left, right))
        return float(np.abs(here - there).mean())

    return measure
