from pathlib import Path
from typing import Any

import pytest
from transformers import CLIPTokenizer

from tutelage.diffusion.words import prompt_warnings, unknown_words, unseen_tokens


@pytest.fixture(scope="module")
def closed(tiny_sd: Path) -> Any:
    return CLIPTokenizer.from_pretrained(tiny_sd / "tokenizer")


@pytest.fixture(scope="module")
def open_(tiny_sdxl: Path) -> Any:
    return CLIPTokenizer.from_pretrained(tiny_sdxl / "tokenizer")


class Pipeline:
    def __init__(self, **components: Any) -> None:
        self.components = components


def test_known_words_are_known(closed: Any) -> None:
    assert unknown_words(closed, "A red  BEAR toy, wearing a crown in the snow") == []


def test_unknown_words_are_named_once_in_order(closed: Any) -> None:
    assert unknown_words(closed, "a zebra, an Aardvark's toy and a zebra") == ["zebra", "aardvark", "and"]


def test_an_open_vocabulary_knows_every_word(open_: Any) -> None:
    assert unknown_words(open_, "a zebra") == []


def test_the_limit_counts_both_ends(closed: Any) -> None:
    assert unseen_tokens(closed, "toy " * 22) == 0
    assert unseen_tokens(closed, "toy " * 25) == 3


def test_no_limit_cuts_nothing(closed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed, "model_max_length", int(1e30))
    assert unseen_tokens(closed, "toy " * 1000) == 0


def test_each_warning_is_given_once_for_all_tokenizers(closed: Any, open_: Any) -> None:
    pipeline = Pipeline(tokenizer=closed, tokenizer_2=closed, tokenizer_3=open_, tokenizer_4=None, unet=object())
    [unknown, long] = prompt_warnings(pipeline, "zebra okapi " + "toy " * 24)
    assert unknown == "the model does not know 'zebra', 'okapi'; it has never seen them"
    assert "too long" in long


def test_nothing_to_warn_of(closed: Any) -> None:
    assert prompt_warnings(Pipeline(tokenizer=closed), "a red toy") == []
    assert prompt_warnings(Pipeline(tokenizer=None), "zebra") == []
