"""Pictures at their buckets, pasted back outside of a mask."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tutelage.diffusion.pictures import decode, png
from tutelage.teachers.specialists.canvas import Job, as_reference, lanes, mask_file, pasted
from tutelage.triplet import Picture, Reference


def flat(colour: int, size: tuple[int, int] = (12, 9)) -> Image.Image:
    return Image.new("RGB", size, (colour, colour, colour))


@given(arrays(np.bool_, (9, 12)), st.floats(0, 0.5))
def test_outside_is_the_source_and_inside_lies_between(mask: Any, feather: float) -> None:
    made = np.asarray(pasted(flat(20), flat(200), mask, feather))[..., 0]
    assert (made[~mask] == 20).all()
    assert (made[mask] > 20).all()
    assert (made <= 200).all()


def test_a_hard_edge_without_feather_and_a_ramp_with_it() -> None:
    mask = np.zeros((9, 12), bool)
    mask[:, 3:] = True
    assert (np.asarray(pasted(flat(20), flat(200), mask, 0.0))[:, 3:] == 200).all()
    row = np.asarray(pasted(flat(20), flat(200), mask, 0.4))[4, :, 0].astype(int)
    assert (np.diff(row[2:7]) > 0).all()
    assert row[-1] == 200


def test_without_a_mask_all_is_made() -> None:
    assert pasted(flat(20), flat(200), None, 0.1).tobytes() == flat(200).tobytes()


def test_lanes_are_of_one_size() -> None:
    sizes = [(8, 8), (16, 8), (8, 8), (8, 8), (16, 8)]
    jobs: list[Any] = [Job(None, at, 0, flat(0, size), None) for at, size in enumerate(sizes)]  # type: ignore[arg-type]
    assert [[job.number for job in lane] for lane in lanes(jobs, 2)] == [[0, 2], [3], [1, 4]]


def test_a_reference_keeps_its_bytes_where_it_shows_the_same() -> None:
    found = Reference(picture=Picture(data=png(flat(7)), url="u", page="p", alt="a", licence="cc0"), caption="before")
    same, other = as_reference(found, flat(7), "x"), as_reference(found, flat(8), "y")
    assert same.picture is not None
    assert same.picture == found.picture
    assert decode(other.picture.data).tobytes() == flat(8).tobytes()
    assert (other.picture.url, other.picture.page, other.picture.licence, other.caption) == ("u", "p", "cc0", "y")


def test_masks_survive_their_file() -> None:
    mask = np.eye(9, 12, dtype=bool)
    assert np.array_equal(np.asarray(decode(mask_file(mask)))[..., 0] > 127, mask)
    assert mask_file(None) == b""
