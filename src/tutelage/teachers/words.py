"""A new word for a pipeline's text encoders, whose vectors alone can be trained."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.errors import BadInput


class WithWord(nn.Module):
    """An embedding layer that knows a few tokens more; what it knew already stays as it is."""

    ids: Tensor

    def __init__(self, known: nn.Embedding, ids: Tensor, vectors: Tensor) -> None:
        super().__init__()
        self.known = known
        self.register_buffer("ids", ids, persistent=False)
        self.vectors = nn.Parameter(vectors)

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers (B, L) → vectors (B, L, D)."""
        here = ids[..., None] == self.ids
        new = here.any(-1)
        vectors: Tensor = self.known(ids.masked_fill(new, 0))
        return torch.where(new[..., None], here.to(vectors) @ self.vectors, vectors)


@contextmanager
def learnt_word(pipeline: Any, subject: str, count: int) -> Iterator[tuple[str, list[nn.Parameter]]]:
    """A word of `count` tokens, to be written into texts, and its vectors (count, D) in each text encoder.

    They start as the vectors of the subject's last words, where English has its nouns, taken in turn. On leaving, the
    encoders are as they were; the tokenizers go on knowing the tokens.
    """
    tokens = [f"<subject-{number}>" for number in range(count)]
    with ExitStack() as stack:
        pairs = [(pipeline.tokenizer, pipeline.text_encoder)]
        if getattr(pipeline, "text_encoder_2", None) is not None:
            pairs.append((pipeline.tokenizer_2, pipeline.text_encoder_2))
        parameters = [stack.enter_context(_known_to(*pair, tokens, subject)) for pair in pairs]
        yield " ".join(tokens), parameters


@contextmanager
def _known_to(tokenizer: Any, encoder: Any, tokens: list[str], subject: str) -> Iterator[nn.Parameter]:
    start = tokenizer(subject, add_special_tokens=False)["input_ids"][-len(tokens) :]
    if not start:
        raise BadInput(f"the subject '{subject}' has no words that the model's tokenizer knows; describe it otherwise")
    tokenizer.add_tokens(tokens)
    known = encoder.get_input_embeddings()
    ids = torch.tensor(tokenizer.convert_tokens_to_ids(tokens), device=known.weight.device)
    like = torch.tensor([start[number % len(start)] for number in range(len(tokens))], device=known.weight.device)
    _find_ends_by_number(encoder, tokenizer.eos_token_id)
    extended = WithWord(known, ids, known.weight[like].detach().clone())
    encoder.set_input_embeddings(extended)
    try:
        yield extended.vectors
    finally:
        encoder.set_input_embeddings(known)


def _find_ends_by_number(encoder: Any, end: int) -> None:
    """Let CLIP find the end of a text by its token, which old configs (with an end of 2) leave to the highest number.

    Without new tokens that is the same; with them the highest number is a new token.
    """
    for module in encoder.modules():
        if getattr(module, "eos_token_id", None) == 2:
            module.eos_token_id = end
