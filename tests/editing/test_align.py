"""Which token takes whose attention."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.editing.align import align, spelled, token_mask
from tutelage.errors import BadInput

WORDS = ("a", "bear", "bunny", "red", "blue", "toy", "hat", "in", "the", "snow", "xylophone")
"""Tokens of one piece but for the last, which falls into letters."""


def rows(alignment: Any, positions: range) -> list[list[float]]:
    """The shares that a target token takes of each source token, for some target tokens."""
    columns: list[list[float]] = alignment.matrix[:, positions].T.tolist()
    return columns


def takes(alignment: Any, source: int, target: int) -> float:
    share: float = alignment.matrix[source, target].item()
    return share


def test_replaced_words_take_the_place_of_those_they_stand_for(pipeline: Any) -> None:
    found = align(pipeline.tokenizer, "a red bear in the snow", "a blue bunny in the snow", "replace")
    assert torch.equal(found.matrix, torch.eye(len(found.matrix)))
    assert (found.held == 1).all()


def test_refined_words_keep_their_own(pipeline: Any) -> None:
    """And what follows an insertion takes from where it was before."""
    found = align(pipeline.tokenizer, "a bear in the snow", "a red bear in the snow", "refine")
    assert found.held[:8].tolist() == [1, 1, 0, 1, 1, 1, 1, 1]
    assert [takes(found, n, n + 1) for n in range(2, 6)] == [1, 1, 1, 1]
    assert takes(found, 6, 7) == 1, "the end answers to the end"
    swapped = align(pipeline.tokenizer, "a red bear", "a blue bear", "refine")
    assert swapped.held[:5].tolist() == [1, 1, 0, 1, 1]


def test_a_word_of_many_tokens_shares_what_one_had(pipeline: Any) -> None:
    words = spelled(pipeline.tokenizer, "a xylophone toy")
    long = words[1].tokens
    assert [word.spelling for word in words] == ["a", "xylophone", "toy"]
    assert len(long) == 9
    found = align(pipeline.tokenizer, "a bear toy", "a xylophone toy", "replace")
    assert [takes(found, 2, n) for n in long] == pytest.approx([1 / 9] * 9)
    back = align(pipeline.tokenizer, "a xylophone toy", "a bear toy", "replace")
    assert sum(takes(back, n, 2) for n in long) == 9, "one token takes all that the letters had"
    assert takes(back, long.stop, 3) == 1, "the toy is the toy"


@settings(max_examples=30)
@given(st.lists(st.sampled_from(WORDS), max_size=30), st.lists(st.sampled_from(WORDS), max_size=30))
def test_any_two_prompts_can_be_aligned(pipeline: Any, source: list[str], target: list[str]) -> None:
    """Every held token takes something, unless its partners were cut off; a prompt beside itself takes its own."""
    length = pipeline.tokenizer.model_max_length
    for words in ("replace", "refine"):
        found = align(pipeline.tokenizer, " ".join(source), " ".join(target), words)
        assert found.matrix.shape == (length, length)
        assert set(found.held.tolist()) <= {0.0, 1.0}
        assert (found.matrix.sum(0)[found.held == 1] > 0).all()
        itself = align(pipeline.tokenizer, " ".join(source), " ".join(source), words)
        assert torch.equal(itself.matrix, torch.eye(length))
        assert (itself.held == 1).all()


def test_words_are_found_wherever_they_are(pipeline: Any) -> None:
    mask = token_mask(pipeline.tokenizer, "a red bear in a red hat", ["red", "red hat"])
    assert mask.nonzero().flatten().tolist() == [2, 6, 7]
    for name in ("bunny", "hat red", ""):
        with pytest.raises(BadInput, match=f"'{name}' is not in the prompt 'a red bear in a red hat'"):
            token_mask(pipeline.tokenizer, "a red bear in a red hat", [name])
