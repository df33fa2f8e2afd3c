"""New words for a pipeline's text encoders, whose vectors alone can be trained: one for each expert of a fleet."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.errors import BadInput


class WithWord(nn.Module):
    """An embedding layer that knows a few tokens more; what it knew already stays as it is."""

    ids: Tensor

    def __init__(self, known: nn.Embedding, ids: Tensor) -> None:
        super().__init__()
        self.known = known
        self.register_buffer("ids", ids, persistent=False)
        self.vectors: Tensor | None = None
        """(E, V, D) of the experts at work; None: nobody is, and no text has the tokens."""

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers (E · B, L), one expert's texts after another's → vectors (E · B, L, D)."""
        here = ids[..., None] == self.ids
        new = here.any(-1)
        vectors: Tensor = self.known(ids.masked_fill(new, 0))
        if self.vectors is None:
            return vectors
        own = self.vectors.repeat_interleave(len(ids) // len(self.vectors), 0)
        return torch.where(new[..., None], here.to(own) @ own, vectors)


class Words:
    """A word of some tokens, with the vectors of K experts, each in a slot."""

    def __init__(self, text: str, encoders: Sequence[tuple[Any, WithWord]], slots: int) -> None:
        """`encoders` are tokenizers, and what their text encoders look tokens up in."""
        self.text = text
        """As it is written into texts."""
        self.encoders = encoders
        self.shapes = [(len(one.ids), one.known.embedding_dim) for _, one in encoders]
        """(V, D) of each."""
        device = encoders[0][1].known.weight.device
        self.values = nn.Parameter(
            torch.zeros(slots, sum(count * width for count, width in self.shapes), device=device)
        )
        """(K, N), a row for each slot: its vectors in each encoder."""
        self.values.grad = torch.zeros_like(self.values)

    def start_of(self, subject: str) -> Tensor:
        """(N,): the vectors of the subject's last words, where English has its nouns, taken in turn.

        Raises:
            BadInput: a tokenizer has no tokens for the subject.
        """
        parts = []
        for tokenizer, layer in self.encoders:
            last = tokenizer(subject, add_special_tokens=False)["input_ids"][-len(layer.ids) :]
            if not last:
                raise BadInput(
                    f"the subject '{subject}' has no words that the model's tokenizer knows; describe it otherwise"
                )
            like = torch.tensor([last[number % len(last)] for number in range(len(layer.ids))])
            parts.append(layer.known.weight[like.to(layer.ids.device)].detach().flatten())
        return torch.cat(parts)

    @torch.no_grad()
    def begin(self, slot: int, seed: int, key: str, start: Tensor | None = None) -> None:
        """A fresh expert in a slot, from `start`; there is nothing random about it."""
        assert start is not None, f"the word of {key} has no vectors to start from"
        self.values[slot] = start

    @contextmanager
    def of(self, slots: Sequence[int]) -> Iterator[None]:
        """Within it, texts come from these slots' experts, one slot's after another, equally many of each."""
        rows = self.values[list(slots)]
        split = torch.split(rows, [count * width for count, width in self.shapes], 1)
        for (_, layer), shape, part in zip(self.encoders, self.shapes, split, strict=True):
            layer.vectors = part.view(-1, *shape)
        try:
            yield
        finally:
            for _, layer in self.encoders:
                layer.vectors = None


@contextmanager
def learnt_words(pipeline: Any, count: int, slots: int) -> Iterator[Words]:
    """A word of `count` tokens for each of so many experts.

    On leaving, the encoders are as they were; the tokenizers go on knowing the tokens.
    """
    tokens = [f"<subject-{number}>" for number in range(count)]
    pairs = [(pipeline.tokenizer, pipeline.text_encoder)]
    if getattr(pipeline, "text_encoder_2", None) is not None:
        pairs.append((pipeline.tokenizer_2, pipeline.text_encoder_2))
    with ExitStack() as stack:
        encoders = [(pair[0], stack.enter_context(_known_to(*pair, tokens))) for pair in pairs]
        yield Words(" ".join(tokens), encoders, slots)


@contextmanager
def _known_to(tokenizer: Any, encoder: Any, tokens: list[str]) -> Iterator[WithWord]:
    tokenizer.add_tokens(tokens)
    known = encoder.get_input_embeddings()
    _find_ends_by_number(encoder, tokenizer.eos_token_id)
    extended = WithWord(known, torch.tensor(tokenizer.convert_tokens_to_ids(tokens), device=known.weight.device))
    encoder.set_input_embeddings(extended)
    try:
        yield extended
    finally:
        encoder.set_input_embeddings(known)


def _find_ends_by_number(encoder: Any, end: int) -> None:
    """Let CLIP find the end of a text by its token, which old configs (with an end of 2) leave to the highest number.

    Without new tokens that is the same; with them the highest number is a new token.
    """
    for module in encoder.modules():
        if getattr(module, "eos_token_id", None) == 2:
            module.eos_token_id = end
