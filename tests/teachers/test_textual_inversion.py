"""A word is learnt, the network stays as it is; many words in one batch are the words that each would have been."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.text import encode_text
from tutelage.errors import BadInput
from tutelage.teachers.fleet_training import FleetTraining
from tutelage.teachers.settings import Sampling, Training
from tutelage.teachers.textual_inversion import TextualInversion
from tutelage.teachers.words import learnt_words
from tutelage.triplet import Assignment

TRAINING = Training(steps=3, batch=2, lr=1e-2, optimiser="adamw")


@pytest.fixture
def assignment(make_cluster: Any) -> Assignment:
    return Assignment(id="a/00", cluster=make_cluster("a"), text="a bear toy on the beach", skill="recontextualisation")


@pytest.fixture(params=["tiny_sd", "tiny_sdxl"])
def base(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_the_network_is_frozen(base: Path, assignment: Assignment) -> None:
    """While the word is in use as well as after it."""
    fresh = load_pipeline(base, "cpu")
    teacher = TextualInversion(base=base, training=TRAINING, sampling=Sampling(samples=2, steps=1), device="cpu")
    triplets = teacher.teach([assignment])
    next(triplets)
    during = teacher._model.pipeline.text_encoder.get_input_embeddings()
    assert torch.equal(during.known.weight, fresh.text_encoder.get_input_embeddings().weight)
    triplets.close()  # type: ignore[attr-defined]
    parts = [name for name, part in fresh.components.items() if isinstance(part, torch.nn.Module)]
    assert len(parts) >= 3
    for name in parts:
        was, now = getattr(fresh, name).state_dict(), getattr(teacher._model.pipeline, name).state_dict()
        assert was.keys() == now.keys()
        assert all(torch.equal(was[key], now[key]) for key in was)


@pytest.mark.parametrize("count", [1, 3])
def test_a_word_starts_as_the_subject_and_learns(base: Path, count: int) -> None:
    """A word of as many tokens as the subject has means the same at first, and other texts mean what they meant."""
    pipeline = load_pipeline(base, "cpu")
    subject = {1: "bear", 3: "red bear toy"}[count]
    plain = encode_text(pipeline, [f"a {subject} on the beach", "a hat"])
    with learnt_words(pipeline, count, 2) as words:
        texts = [f"a {words.text} on the beach", "a hat"]
        words.begin(1, 0, "", words.start_of(subject))
        with words.of([1]):
            spoken = encode_text(pipeline, texts)
        torch.testing.assert_close(spoken.hidden, plain.hidden)
        assert (spoken.pooled is None) == (plain.pooled is None)
        if spoken.pooled is not None:
            torch.testing.assert_close(spoken.pooled, plain.pooled)
        spoken.hidden.square().sum().backward()
        gradients = words.values.grad
        assert gradients is not None
        assert gradients[1].any()
        assert not gradients[0].any()
        words.values.data[1] *= -1
        with words.of([1]):
            changed = encode_text(pipeline, texts)
        assert not torch.allclose(changed.hidden[0], plain.hidden[0], atol=1e-3)
        assert torch.equal(changed.hidden[1], spoken.hidden[1])
    assert torch.equal(encode_text(pipeline, [f"a {subject} on the beach", "a hat"]).hidden, plain.hidden)


def test_the_end_of_a_text_is_found_behind_a_new_word(tiny_sdxl: Path) -> None:
    """Old configs call the end 2 and look for the highest token, which a new word would be."""
    pipeline = load_pipeline(tiny_sdxl, "cpu")
    plain = encode_text(pipeline, ["a bear on the beach"]).pooled
    for module in pipeline.text_encoder_2.modules():
        if hasattr(module, "eos_token_id"):
            module.eos_token_id = 2
    with learnt_words(pipeline, 1, 1) as words:
        words.begin(0, 0, "", words.start_of("bear"))
        with words.of([0]):
            torch.testing.assert_close(encode_text(pipeline, [f"a {words.text} on the beach"]).pooled, plain)


def assigned(make_cluster: Any, keys: str) -> list[Assignment]:
    clusters = [make_cluster(key, sizes=((32, 32),) * 2) for key in keys]
    return [Assignment(id=f"{one.id}/00", cluster=one, text="a bear toy in the snow", skill="view") for one in clusters]


def learnt(teacher: TextualInversion, assignments: Sequence[Assignment], slots: int) -> dict[str, Tensor]:
    """The vectors of each word, as one row."""
    clusters = [one.cluster for one in assignments]
    with learnt_words(teacher._model.pipeline, teacher.vectors, slots) as words:
        tasks = [teacher._task(cluster, words) for cluster in clusters]
        experts = FleetTraining(teacher._model, words, teacher.training, teacher.seed).run(tasks)
        return {tasks[done.number].key: words.values.detach()[done.slot].clone() for done in experts}


def test_words_in_one_batch_are_the_words_alone(base: Path, make_cluster: Any) -> None:
    """But for rounding; among equally many others to the last bit, whichever slot is their own."""
    teacher = TextualInversion(base=base, training=TRAINING, vectors=2, device="cpu")
    assignments = assigned(make_cluster, "abcd")
    together, others = learnt(teacher, assignments[:3], 3), learnt(teacher, [*assignments[3:], *assignments[1:3]], 3)
    assert torch.equal(together["b"], others["b"])
    for key, row in learnt(teacher, assignments[:3], 1).items():
        with learnt_words(teacher._model.pipeline, 2, 1) as words:
            start = words.start_of("bear toy")
        assert torch.cosine_similarity(row - start, together[key] - start, dim=0) > 0.999
        assert not torch.equal(row, start)
    assert not torch.allclose(together["a"], together["b"])


def test_a_fleet_of_words_draws_what_each_draws_alone(tiny_sd: Path, make_cluster: Any) -> None:
    settings: dict[str, Any] = {"training": TRAINING, "sampling": Sampling(samples=1, steps=2), "device": "cpu"}
    assignments = assigned(make_cluster, "abc")
    fleet = TextualInversion(base=tiny_sd, size=2, **settings)
    assert fleet.at_once == 2
    together = list(fleet.teach(assignments))
    assert [fate.cluster for fate in fleet.fates] == ["a", "b", "c"]
    alone = list(TextualInversion(base=tiny_sd, **settings).teach(assignments))
    assert [one.id for one in together] == [one.id for one in alone] == ["a/00/0", "b/00/0", "c/00/0"]
    for one, other in zip(together, alone, strict=True):
        pixels = [np.asarray(Image.open(io.BytesIO(made.target))).astype(int) for made in (one, other)]
        assert abs(pixels[0] - pixels[1]).max() <= 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"vectors": 0}, "vectors of a word is 0"),
        ({"size": 0}, "size of a fleet is 0"),
        ({"training": Training()}, "words cannot be trained with adafactor"),
        ({"templates": ()}, "have no place for the word"),
        ({"templates": ("a {}", "a toy")}, "have no place for the word"),
    ],
)
def test_bad_settings_are_refused(tiny_sd: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        TextualInversion(base=tiny_sd, **changes)


def test_a_text_must_name_the_subject(tiny_sd: Path, make_cluster: Any) -> None:
    nameless = Assignment(id="a/01", cluster=make_cluster("a"), text="a toy on the beach", skill="view")
    with pytest.raises(BadInput, match="does not name its subject"):
        next(TextualInversion(base=tiny_sd).teach([nameless]))
