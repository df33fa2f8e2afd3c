from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.text import encode_text
from tutelage.errors import BadInput
from tutelage.teachers.settings import Sampling, Training
from tutelage.teachers.textual_inversion import TextualInversion
from tutelage.teachers.words import learnt_word
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
    with learnt_word(pipeline, subject, count) as (word, vectors):
        spoken = encode_text(pipeline, [f"a {word} on the beach", "a hat"])
        torch.testing.assert_close(spoken.hidden, plain.hidden)
        assert (spoken.pooled is None) == (plain.pooled is None)
        if spoken.pooled is not None:
            torch.testing.assert_close(spoken.pooled, plain.pooled)
        spoken.hidden.square().sum().backward()
        assert all(vector.shape[0] == count and vector.grad is not None and vector.grad.any() for vector in vectors)
        with torch.no_grad():
            for vector in vectors:
                vector *= -1
        changed = encode_text(pipeline, [f"a {word} on the beach", "a hat"])
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
    with learnt_word(pipeline, "bear", 1) as (word, _):
        torch.testing.assert_close(encode_text(pipeline, [f"a {word} on the beach"]).pooled, plain)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"vectors": 0}, "vectors of a word is 0"),
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
