"""A picture and its edit from one noise, or from a picture that was found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.diffusion.pictures import decode
from tutelage.editing.settings import NullText
from tutelage.segmentation.masks import Masks
from tutelage.teachers.specialists.attribute import Attribute
from tutelage.teachers.specialists.settings import Drawing
from tutelage.teachers.specialists.style import Style
from tutelage.triplet import Assignment, Order

QUICK: dict[str, Any] = {"drawing": Drawing(steps=2, guidance=3.0), "device": "cpu"}


def told(cluster: Any, phrase: str) -> Assignment:
    order = Order(phrase=phrase, caption="a blue bear toy")
    return Assignment(id=f"{cluster.id}/00", cluster=cluster, text="make it blue", skill="attribute", order=order)


def test_masks_are_found_in_the_picture_that_is_drawn(
    tiny_sd: Path, make_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Image.Image] = []

    def of(_: Masks, image: Image.Image, phrase: str, __: str) -> Any:
        looked.append(image)
        return np.eye(image.height, image.width, dtype=bool)

    monkeypatch.setattr(Masks, "of", of)
    cluster = make_cluster("a")
    [made] = Attribute(base=tiny_sd, **QUICK).teach([told(cluster, "its head")])
    source = decode(made.references[0].picture.data)
    assert source.tobytes() != decode(cluster.references[0].picture.data).tobytes()
    off = np.abs(np.asarray(looked[0]).astype(int) - np.asarray(source))
    assert off.max() <= 1


@pytest.mark.parametrize("inversion", [None, NullText(tries=1)])
def test_a_found_picture_is_its_own_source(tiny_sd: Path, make_cluster: Any, inversion: NullText | None) -> None:
    cluster = make_cluster("a")
    [made] = Style(base=tiny_sd, source="found", inversion=inversion, **QUICK).teach([told(cluster, "")])
    assert made.references[0].picture == cluster.references[0].picture
    assert decode(made.target).size == (32, 32)
    assert made.mask == b""
