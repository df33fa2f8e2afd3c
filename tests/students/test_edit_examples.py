from pathlib import Path

import pytest
import torch
from editors import editor, pair, source
from hypothesis import given
from hypothesis import strategies as st

from tutelage.diffusion.latents import posterior_mode
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.students.edit_examples import RATIOS, bucket, buckets
from tutelage.students.examples import make_batch
from tutelage.students.guidance import BOTH, NOTHING, REFERENCES, ImageFirst
from tutelage.students.settings import EditTraining


def test_buckets_are_of_seven_shapes_and_no_larger_than_the_model_likes(tiny_sd: Path) -> None:
    sizes = buckets(editor("instruct-pix2pix", tiny_sd).pipeline)
    assert (32, 32) in sizes
    assert all(height * width <= 32 * 32 for height, width in sizes)
    assert {(w, h) for h, w in sizes} == set(sizes)


@given(st.integers(16, 4096), st.integers(16, 4096))
def test_a_picture_goes_where_it_loses_least(height: int, width: int) -> None:
    among = [(1000 * h // w, 1000) for w, h in RATIOS]
    lost = {one: max(one[0] / one[1] * width / height, height * one[1] / width / one[0]) for one in among}
    assert lost[bucket((height, width), among)] == pytest.approx(min(lost.values()))


def test_a_pair_is_cut_alike(tiny_sd: Path) -> None:
    """Source and target of one picture have the same latents, but for how the student wants its sources."""
    begun = editor("instruct-pix2pix", tiny_sd)
    encoder = begun.encoder()
    for size in ((32, 32), (64, 40), (40, 64), (48, 27)):
        one = pair(1, size)
        same = type(one)(**(vars(one) | {"target": one.references[0].picture.data}))
        example = encoder.example(same)
        scale = begun.pipeline.vae.config.scaling_factor
        assert torch.allclose(example.references[0] * scale, example.latents, atol=1e-6)
        assert example.references.shape == (1, *example.latents.shape)
        assert (example.latents.shape[1] > example.latents.shape[2]) == (size[1] > size[0])


def test_stable_diffusion_sees_sources_unscaled(tiny_sd: Path) -> None:
    """As diffusers' pipeline gives them to it."""
    begun = editor("instruct-pix2pix", tiny_sd)
    picture = decode(pair().references[0].picture.data)
    assert torch.equal(begun.encoder().example(pair()).references, posterior_mode(begun.pipeline.vae, [picture]))


def test_stable_diffusion_3_sees_sources_as_it_sees_targets(tiny_sd3: Path) -> None:
    """Shifted and scaled, as diffusers' community pipeline for such folders gives them to it."""
    begun = editor("concat-transformer", tiny_sd3)
    codec, picture = begun.pipeline.vae, decode(pair().references[0].picture.data)
    expected = (posterior_mode(codec, [picture]) - codec.config.shift_factor) * codec.config.scaling_factor
    assert torch.equal(begun.encoder().example(pair()).references, expected)


def test_pairs_that_are_none_are_named(tiny_sd: Path) -> None:
    encoder, one = editor("instruct-pix2pix", tiny_sd).encoder(), pair()
    with pytest.raises(BadInput, match=r"pair/0: the source is 64 x 32 pixels, the target 32 x 32"):
        encoder.example(type(one)(**(vars(one) | {"references": (source(1, (64, 32)),)})))
    with pytest.raises(BadInput, match=r"pair/0 has 2 references"):
        encoder.example(type(one)(**(vars(one) | {"references": (source(1), source(2))})))
    with pytest.raises(BadInput, match=r"^pair/0 is no picture"):
        encoder.example(type(one)(**(vars(one) | {"target": b"none"})))


def test_conditions_are_dropped_by_one_number(tiny_sd: Path) -> None:
    """InstructPix2Pix: text alone below 5 %, both below 10 %, source alone below 15 %."""
    training = EditTraining(drop=0.05)
    drops = [training.drops(first, 0.5) for first in (0.0, 0.049, 0.05, 0.099, 0.1, 0.149, 0.151, 0.9)]
    text, both, image, none = (True, False), (True, True), (False, True), (False, False)
    assert drops == [text, text, both, both, image, image, none, none]
    with pytest.raises(BadInput, match="taken three times"):
        EditTraining(drop=0.4)
    encoder = editor("instruct-pix2pix", tiny_sd).encoder()
    batches = [make_batch([encoder.example(pair())], EditTraining(drop=0.2), seed=0, step=step) for step in range(300)]
    shares = [sum(bool(getattr(one, name)) for one in batches) / 300 for name in ("drop_text", "drop_references")]
    assert shares == pytest.approx([0.4, 0.4], abs=0.09)


def test_guidance_is_instruct_pix2pix() -> None:
    chain = ImageFirst(text=7.5, image=1.5).chain(0.3, 0.5)
    assert chain.conditions == (NOTHING, REFERENCES, BOTH)
    assert [link.weight for link in chain.links] == [1.5, 7.5]
    with pytest.raises(BadInput, match="guidance for image is -1"):
        ImageFirst(image=-1)
