from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from apprentices import demonstrations, photo, png

from tutelage.diffusion.latents import encode_pictures
from tutelage.errors import BadInput
from tutelage.students.base import Batch
from tutelage.students.examples import Encoder, Example, make_batch
from tutelage.students.settings import SutiTraining
from tutelage.triplet import Provenance, Triplet

TRAINING = SutiTraining()


def triplet(count: int = 3, **changes: Any) -> Triplet:
    whole = Triplet(
        id="3f2a/04/1",
        target=png(photo(9)),
        text="a red bear toy",
        references=demonstrations(count),
        subject="bear",
        skill="view",
        cluster="3f2a",
        provenance=Provenance(teacher="dreambooth", base="0", seed=1),
    )
    return replace(whole, **changes)


@pytest.fixture(scope="module")
def examples(bases: Callable[[str], Any]) -> list[Example]:
    pipeline = bases("sd")
    return [Encoder(pipeline).example(triplet(count, id=f"a/{count}")) for count in (4, 1, 0)]


@pytest.mark.parametrize("name", ["sd", "sdxl", "toybox"])
def test_a_triplet_is_encoded_as_the_denoiser_knows_it(bases: Callable[[str], Any], name: str) -> None:
    pipeline = bases(name)
    example = Encoder(pipeline).example(triplet())
    config = pipeline.unet.config
    assert example.latents.shape == (config.in_channels, 16, 16)
    assert example.references.shape == (3, config.in_channels, 16, 16)
    assert (len(example.text.hidden), len(example.captions.hidden)) == (1, 3)
    assert (example.text.pooled is not None) == (name == "sdxl")
    lone = Encoder(pipeline).example(triplet(2))
    assert torch.equal(lone.references, example.references[:2])
    assert torch.equal(lone.captions.hidden, example.captions.hidden[:2])


def test_targets_are_cropped_and_never_squashed(bases: Callable[[str], Any]) -> None:
    pipeline, wide = bases("sd"), photo(3, (64, 32))
    middle = encode_pictures(pipeline.vae, [wide.crop((16, 0, 48, 32))])[0]
    assert torch.equal(Encoder(pipeline).example(triplet(target=png(wide))).latents, middle)


def test_what_cannot_be_read_is_named(bases: Callable[[str], Any]) -> None:
    with pytest.raises(BadInput, match=r"^3f2a/04/1 is no picture"):
        Encoder(bases("sd")).example(triplet(target=b"no picture"))


def batch(examples: list[Example], step: int = 0, **changes: Any) -> Batch:
    return make_batch(examples, replace(TRAINING, **changes), seed=1, step=step)


def rows(one: Batch, row: int) -> list[torch.Tensor]:
    places = slice(row * 3, row * 3 + 3)
    return [
        one.latents[row], one.text.hidden[row], one.references.latents[row], one.references.captions.hidden[places],
        one.references.present[row], one.drop_text[row], one.drop_references[row], one.timesteps[row], one.noise[row],
    ]  # fmt: skip


def test_an_example_does_not_depend_on_its_neighbours(examples: list[Example]) -> None:
    one, other = batch(examples), batch(examples[::-1])
    for row in range(3):
        assert all(torch.equal(a, b) for a, b in zip(rows(one, row), rows(other, 2 - row), strict=True))


def test_steps_seeds_and_examples_draw_anew(examples: list[Example]) -> None:
    noises = [make_batch(examples, TRAINING, seed=seed, step=step).noise for seed, step in ((0, 0), (0, 1), (1, 0))]
    every = torch.cat(noises).flatten(1)
    assert len(every.unique(dim=0)) == len(every) == 9


def test_demonstrations_are_drawn_without_repeats_and_padded(examples: list[Example]) -> None:
    one = batch(examples)
    assert one.references.present.tolist() == [[True] * 3, [True, False, False], [False] * 3]
    origins = [[torch.equal(shown, known) for known in examples[0].references] for shown in one.references.latents[0]]
    assert [sum(row) for row in origins] == [1, 1, 1]
    picks = [row.index(True) for row in origins]
    assert len(set(picks)) == 3
    captions = one.references.captions.hidden
    assert all(torch.equal(captions[i], examples[0].captions.hidden[pick]) for i, pick in enumerate(picks))
    assert not captions[4:].any()
    orders = {tuple(batch(examples, step).references.latents[0].flatten(1).sum(1).tolist()) for step in range(20)}
    assert len(orders) > 10


def test_drops_have_their_rates_and_are_independent(examples: list[Example]) -> None:
    drops = [batch(examples[2:], step, text_drop=0.3, references_drop=0.5) for step in range(800)]
    text, references = (torch.cat([getattr(one, name) for one in drops]) for name in ("drop_text", "drop_references"))
    assert text.float().mean().item() == pytest.approx(0.3, abs=0.05)
    assert references.float().mean().item() == pytest.approx(0.5, abs=0.06)
    assert (text & references).float().mean().item() == pytest.approx(0.15, abs=0.04)


def test_timesteps_cover_the_schedule(examples: list[Example]) -> None:
    drawn = [int(make_batch(examples[2:], TRAINING, seed=0, step=step, timesteps=10).timesteps) for step in range(200)]
    assert set(drawn) == set(range(10))


def test_batches_move_whole(examples: list[Example]) -> None:
    moved = batch(examples).to("meta")
    assert moved.references.captions.hidden.device.type == moved.text.hidden.device.type == "meta"
    assert moved.noise.device.type == moved.references.present.device.type == "meta"
    assert moved.text.pooled is None
