"""Which words of a prompt a model does not know, and how much of a prompt it does not see.

A tokenizer that declares `"closed_vocabulary": true` in its `tokenizer_config.json` knows whole words only: whatever it
has to spell in several tokens was never in a caption. Open vocabularies, such as CLIP's own, know no unknown word.
"""

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from tutelage.errors import BadInput

WORD: Final = re.compile(r"[^\W\d_]+|\d|[^\s\w]+|_+")
"""As CLIP splits a text: runs of letters, single digits, runs of anything else."""

NO_LIMIT: Final = 10**6
"""Tokenizers without a limit give a number as large as a float can be."""


def first_said(phrases: Iterable[str], sentence: str) -> str | None:
    """The one of several phrases that a sentence says first, in whole words; None if it says none of them."""
    starts = {phrase: match.start() for phrase in phrases if (match := _whole(phrase).search(sentence))}
    return min(starts, key=starts.__getitem__, default=None)


@lru_cache(maxsize=4096)
def _whole(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(phrase)}\b")


def unknown_words(tokenizer: Any, text: str) -> list[str]:
    """The words of `text` that take more than one token of a closed vocabulary, each once, in their order."""
    if not getattr(tokenizer, "init_kwargs", {}).get("closed_vocabulary"):
        return []
    words = dict.fromkeys(word.lower() for word in WORD.findall(text))
    return [word for word in words if len(_tokens(tokenizer, word)) > 1]


def has_closed_vocabulary(folder: Path) -> bool:
    """Whether a pipeline's folder declares one, as the toybox's do: it draws what it has words for, and nothing else.

    Raises:
        BadInput: a tokenizer's settings cannot be read.
    """
    for path in sorted(folder.glob("tokenizer*/tokenizer_config.json")):
        try:
            settings = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read ({error}); give a whole pipeline folder") from error
        if isinstance(settings, dict) and settings.get("closed_vocabulary"):
            return True
    return False


def unseen_tokens(tokenizer: Any, text: str) -> int:
    """How many tokens of `text` are beyond the tokenizer's limit, and so are cut off."""
    limit = tokenizer.model_max_length
    special = tokenizer.num_special_tokens_to_add()
    return max(0, len(_tokens(tokenizer, text)) + special - limit) if limit < NO_LIMIT else 0


def prompt_warnings(pipeline: Any, text: str, captions: Sequence[str] = ()) -> list[str]:
    """One line for the words that the pipeline's text encoders do not know, one for a text that is too long.

    Captions are what demonstrations are said to show.
    """
    parts = getattr(pipeline, "components", {})
    tokenizers = [part for name, part in sorted(parts.items()) if name.startswith("tokenizer") and part is not None]
    unknown = dict.fromkeys(
        word for tokenizer in tokenizers for said in (text, *captions) for word in unknown_words(tokenizer, said)
    )
    lines = []
    if unknown:
        names = ", ".join(f"'{word}'" for word in unknown)
        lines.append(f"the model does not know {names}; it has never seen {'it' if len(unknown) == 1 else 'them'}")
    for name, texts in {"prompt": [text], "longest caption": captions}.items():
        if unseen := max((unseen_tokens(tokenizer, said) for tokenizer in tokenizers for said in texts), default=0):
            lines.append(f"the {name} is too long; the model does not see its last {unseen} tokens")
    return lines


def _tokens(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
    return ids
