"""The toybox's tokenizer: CLIP's own class over a byte-pair vocabulary in which each known word is one token."""

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from tutelage.toybox.captions import vocabulary

LENGTH = 40
"""Tokens per caption, start and end included; the longest caption has 31."""

_START, _END = "<|startoftext|>", "<|endoftext|>"


def build_tokenizer() -> CLIPTokenizer:
    """Merge letters until every word of the captions is whole.

    Other words fall into pieces; `closed_vocabulary` in the saved settings says that such a word is unknown.
    """
    pairs = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    pairs.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(False)])
    pairs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4000,
        min_frequency=1,
        end_of_word_suffix="</w>",
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[_START, _END],
        show_progress=False,
    )
    pairs.train_from_iterator([word for word in vocabulary() for _ in range(2)], trainer)
    return CLIPTokenizer(
        vocab=_with_word_ends(pairs.get_vocab()), merges=_merges(pairs), model_max_length=LENGTH, closed_vocabulary=True
    )


def _merges(pairs: Tokenizer) -> list[tuple[str, str]]:
    merges = json.loads(pairs.to_str())["model"]["merges"]
    return [(left, right) for left, right in merges]


def _with_word_ends(vocab: dict[str, int]) -> dict[str, int]:
    """Add the missing "letter that ends a word" of each letter, so that any text can be spelled."""
    letters = [token for token in vocab if len(token) == 1]
    ends = [f"{letter}</w>" for letter in letters if f"{letter}</w>" not in vocab]
    return vocab | {end: len(vocab) + number for number, end in enumerate(sorted(ends))}
