"""Two prompts → which token of the one takes its attention from which of the other.

Tokens are found by the tokenizer's own mark of a word's end, so any CLIP tokenizer will do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from tutelage.editing.settings import Words
from tutelage.errors import BadInput

END_OF_WORD: Final = "</w>"
"""What CLIP's byte pairs end a word with."""


class Word(NamedTuple):
    """A word of a prompt, as the tokenizer spells it."""

    spelling: str
    tokens: range
    """Its positions among the prompt's tokens; 0 is the start."""


@dataclass(frozen=True)
class Alignment:
    """From attention to a source prompt to attention to a target prompt, of L tokens each."""

    matrix: Tensor
    """(L, L): share of source token i's attention that target token j takes."""
    held: Tensor
    """(L,): 1 where a target token takes the source's attention, 0 where it keeps its own."""


def align(tokenizer: Any, source: str, target: str, words: Words) -> Alignment:
    """Align two prompts word by word (Prompt-to-Prompt, §3.2).

    Equal words take each other's attention. Where words stand for others, with `replace` they share the attention of
    those among them, and with `refine` keep their own; so do words that are only in the target. Beginning, end and
    padding answer to each other.

    Raises:
        BadInput: the tokenizer is not CLIP's kind.
    """
    olds, news = spelled(tokenizer, source), spelled(tokenizer, target)
    length = tokenizer.model_max_length
    matrix, held = torch.zeros(length, length), torch.ones(length)
    _frame(matrix, _end(olds), _end(news))
    matcher = SequenceMatcher(None, [old.spelling for old in olds], [new.spelling for new in news], autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal" or (kind == "replace" and words == "replace"):
            for old, new in _partners(olds[i1:i2], news[j1:j2]):
                _share(matrix, old, new)
        else:
            held[[token for new in news[j1:j2] for token in new.tokens]] = 0
    return Alignment(matrix, held)


def spelled(tokenizer: Any, text: str) -> list[Word]:
    """The words of a prompt, as far as the tokenizer's limit.

    Raises:
        BadInput: the tokenizer is not CLIP's kind.
    """
    ids = tokenizer(text, truncation=True, max_length=tokenizer.model_max_length)["input_ids"][1:-1]
    pieces: list[str] = tokenizer.convert_ids_to_tokens(ids)
    words, first = [], 0
    for last, piece in enumerate(pieces):
        if piece.endswith(END_OF_WORD) or last == len(pieces) - 1:  # the limit may cut through a word
            spelling = "".join(pieces[first : last + 1]).removesuffix(END_OF_WORD)
            words.append(Word(spelling, range(first + 1, last + 2)))
            first = last + 1
    if pieces and not any(piece.endswith(END_OF_WORD) for piece in pieces):
        raise BadInput(f"{type(tokenizer).__name__} does not mark ends of words as CLIP's does; give one of CLIP")
    return words


def token_mask(tokenizer: Any, text: str, names: Sequence[str]) -> Tensor:
    """(L,): 1 at the tokens of the named words or phrases of a prompt, wherever they occur.

    Raises:
        BadInput: a name is not in the prompt, or the tokenizer is not CLIP's kind.
    """
    words = spelled(tokenizer, text)
    mask = torch.zeros(tokenizer.model_max_length)
    for name in names:
        wanted = [word.spelling for word in spelled(tokenizer, name)]
        found = [n for n in range(len(words)) if wanted == [word.spelling for word in words[n : n + len(wanted)]]]
        if not found or not wanted:
            raise BadInput(f"'{name}' is not in the prompt '{text}'; name words as the prompt has them")
        for n in found:
            mask[[token for word in words[n : n + len(wanted)] for token in word.tokens]] = 1
    return mask


def _end(words: Sequence[Word]) -> int:
    """Position of the token that ends the prompt."""
    return words[-1].tokens.stop if words else 1


def _frame(matrix: Tensor, old_end: int, new_end: int) -> None:
    """Start to start, end to end, the k-th padding to the k-th; what is missing, to the last."""
    matrix[0, 0] = 1
    last = len(matrix) - 1
    for k in range(len(matrix) - new_end):
        matrix[min(old_end + k, last), new_end + k] = 1


def _partners(olds: Sequence[Word], news: Sequence[Word]) -> list[tuple[range, range]]:
    """Tokens that answer to each other: word by word if there are as many, else all of the one to all of the other."""
    if len(olds) == len(news):
        return [(old.tokens, new.tokens) for old, new in zip(olds, news, strict=True)]
    return [(_span(olds), _span(news))]


def _span(words: Sequence[Word]) -> range:
    return range(words[0].tokens.start, words[-1].tokens.stop)


def _share(matrix: Tensor, old: range, new: range) -> None:
    """Token by token if there are as many; else each new one has an equal share of all that the old ones had."""
    if len(old) == len(new):
        matrix[list(old), list(new)] = 1
    else:
        matrix[old.start : old.stop, new.start : new.stop] = 1 / len(new)
