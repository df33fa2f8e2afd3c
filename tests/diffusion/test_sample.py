from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.sample import image_seed, lane_width, picture_size, sample
from tutelage.errors import BadInput

PROMPTS = ["a red bear toy", "a blue bunny toy in the snow", "", "a toy on the beach"] * 2
SEEDS = [image_seed(0, index) for index in range(len(PROMPTS))]


@pytest.fixture(scope="module")
def sd(tiny_sd: Path) -> Any:
    return load_pipeline(tiny_sd, "cpu")


@pytest.fixture(scope="module")
def sdxl(tiny_sdxl: Path) -> Any:
    return load_pipeline(tiny_sdxl, "cpu")


def draw(pipeline: Any, which: Sequence[int] = range(8), **changes: Any) -> list[bytes]:
    options: dict[str, Any] = {"steps": 3, "guidance": 4.0, "batch": 8} | changes
    texts, keys = [PROMPTS[i] for i in which], [SEEDS[i] for i in which]
    return [image.tobytes() for images in sample(pipeline, texts, keys, **options) for image in images]


@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_a_picture_does_not_depend_on_the_batch(name: str, request: pytest.FixtureRequest) -> None:
    """SDXL here samples with noise at every step, which has to be the picture's own as well."""
    pipeline = request.getfixturevalue(name)
    alone, threes, eights = (draw(pipeline, batch=batch) for batch in (1, 3, 8))
    assert alone == threes == eights
    assert len(set(alone)) == len(alone)


def test_a_picture_does_not_depend_on_the_others(sd: Any) -> None:
    every = draw(sd)
    assert draw(sd, [6, 1, 3], batch=2) == [every[6], every[1], every[3]]


def test_pictures_depend_on_what_was_asked(sd: Any) -> None:
    asked = [{}, {"steps": 2}, {"guidance": 1.0}, {"guidance": 6.0}, {"negative": "red"}, {"size": (32, 48)}]
    assert len({draw(sd, [1], **changes)[0] for changes in asked}) == len(asked)


def test_batches_come_as_they_are_made(sd: Any) -> None:
    lists = list(sample(sd, PROMPTS, SEEDS, steps=1, guidance=1.0, batch=3))
    assert [len(images) for images in lists] == [3, 3, 2]
    assert {image.size for images in lists for image in images} == {(32, 32)}


def test_nothing_to_draw_draws_nothing(sd: Any) -> None:
    assert list(sample(sd, [], [], steps=1, guidance=1.0)) == []


def test_sizes_are_height_and_width(sd: Any) -> None:
    [[image]] = sample(sd, ["a toy"], [0], steps=1, guidance=1.0, size=(32, 48))
    assert image.size == (48, 32)


def test_sampling_is_silent(sd: Any, capfd: pytest.CaptureFixture[str]) -> None:
    list(sample(sd, ["a toy " * 40], [0], steps=1, guidance=4.0))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"guidance": -1.0}, "guidance is -1"),
        ({"guidance": float("nan")}, "guidance is nan"),
        ({"size": (32, 38)}, "multiples of 8 pixels; the nearest is 32 x 40"),
        ({"size": (8, 32)}, "sides must be 16 to 4096"),
        ({"size": (32, 8000)}, "sides must be 16 to 4096"),
    ],
)
def test_bad_input_is_refused(sd: Any, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        draw(sd, [0], **changes)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_have_limits(sd: Any, seed: int) -> None:
    with pytest.raises(BadInput, match=f"seed {seed} is not within"):
        next(sample(sd, [""], [seed], steps=1, guidance=1.0))


def test_one_seed_a_picture(sd: Any) -> None:
    with pytest.raises(BadInput, match="2 prompts and 1 seeds"):
        next(sample(sd, ["", ""], [0], steps=1, guidance=1.0))


def test_a_pipeline_without_a_denoiser_is_refused(sd: Any) -> None:
    with pytest.raises(BadInput, match="neither a UNet nor a transformer"):
        picture_size(object(), None)


def test_accelerators_see_the_whole_batch(sd: Any) -> None:
    class OnCuda:
        class device:
            type = "cuda"

    assert lane_width(OnCuda, 8) == 8
    assert lane_width(sd, 8) == 1


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_image_seeds_are_seeds_and_differ(seed: int, index: int) -> None:
    keys = {image_seed(seed, index), image_seed(seed, index + 1), image_seed(seed + 1, index)}
    assert len(keys) == 3
    assert all(0 <= key < 2**63 for key in keys)


def test_image_seeds_never_change() -> None:
    """They are what makes an old picture come back."""
    assert image_seed(0, 0) == 8555955568791778487
