"""Words of instructions that a closed vocabulary lacks: they become tokens before an editor learns what they mean.

A text encoder that was trained on captions of a closed world spells "replace" letter by letter. With a token of its own
and a vector like those it knows, the word reaches the denoiser whole; which vector does not matter, for the denoiser
learns to read it. Open vocabularies stay as they are.
"""

from collections.abc import Iterable
from typing import Any

import torch
from tokenizers import AddedToken

from tutelage.diffusion.noise import keyed_generator
from tutelage.diffusion.words import unknown_words


def take_in_words(pipeline: Any, texts: Iterable[str], seed: int) -> list[str]:
    """Make a token of every word of `texts` that a tokenizer with a closed vocabulary lacks; these words, sorted.

    A word's vector is keyed by (seed, word). What was known stays as it is.
    """
    distinct, taken = sorted(set(texts)), set[str]()
    for end in ("", "_2"):
        tokenizer, encoder = (getattr(pipeline, f"{part}{end}", None) for part in ("tokenizer", "text_encoder"))
        if tokenizer is None or encoder is None:
            continue
        new = sorted({word for text in distinct for word in unknown_words(tokenizer, text)})
        tokenizer.add_tokens([AddedToken(word, single_word=True, normalized=True) for word in new])
        _give_vectors(tokenizer, encoder, new, seed)
        taken |= set(new)
    return sorted(taken)


@torch.no_grad()
def _give_vectors(tokenizer: Any, encoder: Any, words: Iterable[str], seed: int) -> None:
    """Draw the vectors of these words, and of tokens that an encoder has none for, with the spread of those it has."""
    known = encoder.get_input_embeddings().weight
    count, mean, spread = len(known), known.mean(0), known.std(0)
    table = encoder.resize_token_embeddings(max(count, len(tokenizer)), mean_resizing=False).weight
    numbers = {tokenizer.convert_tokens_to_ids(word) for word in words} | set(range(count, len(tokenizer)))
    for number in sorted(numbers):
        word = tokenizer.convert_ids_to_tokens(number)
        drawn = torch.randn(len(mean), generator=keyed_generator(seed, word, "word"))
        table[number] = mean + spread * drawn.to(table)
