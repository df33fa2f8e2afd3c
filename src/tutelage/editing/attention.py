"""Attention of an edit that is taken from its source while both are drawn: processors, set and taken away again.

Rows of the batch alternate: source, edit, source, edit, … With guidance the UNet sees all untold rows first; only told
rows are held, as in the paper's own code.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from tutelage.editing.align import Alignment
from tutelage.editing.settings import PromptToPrompt
from tutelage.errors import BadInput

PLAIN: Final = ("group_norm", "spatial_norm", "norm_cross", "norm_q", "norm_k", "residual_connection")
"""What attention in Stable Diffusion and SDXL does not have."""


@dataclass
class Control:
    """What is held for B pairs at the step at hand."""

    settings: Sequence[PromptToPrompt]
    matrix: Tensor
    """(B, L, L), of the alignments."""
    held: Tensor
    """(B, L)."""
    weights: Tensor
    """(B, L): factors of the target tokens' attention."""
    positions: int
    """Of the latents, height times width."""
    guided: bool
    """The batch has an untold half."""
    watched: bool
    """Keep what the words attend to."""
    share: float = 0.0
    """Of the steps, how many are done."""
    maps: dict[int, Tensor] = field(default_factory=dict)
    """Positions of a layer → (B, 2, positions, L): attention of source and edit, summed over layers and steps."""

    @staticmethod
    def of(
        settings: Sequence[PromptToPrompt],
        alignments: Sequence[Alignment],
        weights: Tensor,
        positions: int,
        guided: bool,
    ) -> "Control":
        """Of settings, alignments and (B, L) weights, one each a pair."""
        matrix, held = torch.stack([one.matrix for one in alignments]), torch.stack([one.held for one in alignments])
        watched = any(one.blend is not None for one in settings)
        return Control(settings, matrix.to(weights.device), held.to(weights), weights, positions, guided, watched)

    def crossing(self) -> bool:
        """Whether anything is done to cross-attention, or looked at, at this step."""
        return self.watched or bool(self._holding("cross").any()) or bool((self.weights != 1).any())

    def sharing(self, positions: int) -> Tensor:
        """(B,): which pairs share self-attention, at this step, in a layer of so many positions."""
        coarse = torch.tensor([positions <= self.positions * one.coarse**2 for one in self.settings])
        return self._holding("self_attention") & coarse

    def cross(self, attention: Tensor) -> Tensor:
        """Cross-attention (2B, heads, positions, L) as it is to be: the edit's taken from the source and weighed."""
        source, own = attention[0::2], attention[1::2]
        holding = (self.held * self._holding("cross").to(self.held)[:, None])[:, None, None]
        taken = torch.einsum("bhpl,blm->bhpm", source, self.matrix.to(source))
        edit = torch.where(holding.bool(), taken, own) * self.weights.to(source)[:, None, None]
        return torch.stack([source, edit], dim=1).flatten(0, 1)

    def watch(self, attention: Tensor) -> None:
        """Add what was attended to, (2B, heads, positions, L), to the maps."""
        summed = attention.detach().float().sum(dim=1)
        seen = summed.view(-1, 2, *summed.shape[1:])
        self.maps[seen.shape[2]] = self.maps.get(seen.shape[2], torch.zeros_like(seen)) + seen

    def _holding(self, what: str) -> Tensor:
        return torch.tensor([self.share < getattr(one, what) for one in self.settings])


class HeldAttention:
    """Attention of one layer under a control; where that does nothing, the processor that was there before."""

    def __init__(self, control: Control, before: Any, *, crossing: bool, watched: bool) -> None:
        self.control, self.before, self.crossing, self.watched = control, before, crossing, watched

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """(N, P, D) → (N, P, D), as diffusers calls it."""
        first = len(hidden_states) // 2 if self.control.guided else 0
        sharing = self.control.sharing(hidden_states.shape[1])
        if self.crossing and self.control.crossing():
            mixed = self._cross(attn, hidden_states, encoder_hidden_states, attention_mask, first)
        elif not self.crossing and sharing.any():
            mixed = self._share(attn, hidden_states, attention_mask, first + 2 * sharing.nonzero().flatten())
        else:
            same: Tensor = self.before(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
            return same
        out: Tensor = attn.to_out[1](attn.to_out[0](mixed))
        scaled: Tensor = out / attn.rescale_output_factor
        return scaled

    def _cross(self, attn: Any, hidden: Tensor, told: Tensor | None, mask: Tensor | None, first: int) -> Tensor:
        told = hidden if told is None else told
        query, key, value = (
            attn.head_to_batch_dim(layer(seen))
            for layer, seen in ((attn.to_q, hidden), (attn.to_k, told), (attn.to_v, told))
        )
        if mask is not None:
            mask = attn.prepare_attention_mask(mask, told.shape[1], len(hidden))
        attention = attn.get_attention_scores(query, key, mask).unflatten(0, (len(hidden), -1))
        held = self.control.cross(attention[first:])
        if self.control.watched and self.watched:
            self.control.watch(attention[first:])
        attention = torch.cat([attention[:first], held]).flatten(0, 1)
        mixed: Tensor = attn.batch_to_head_dim(attention @ value)
        return mixed

    def _share(self, attn: Any, hidden: Tensor, mask: Tensor | None, sources: Tensor) -> Tensor:
        """With the source's queries and keys the edit has the source's attention; no map has to be written out."""
        query, key, value = attn.to_q(hidden), attn.to_k(hidden), attn.to_v(hidden)
        if mask is not None:
            mask = attn.prepare_attention_mask(mask, hidden.shape[1], len(hidden), out_dim=4)
        sources = sources.to(hidden.device)
        for seen in (query, key):
            seen[sources + 1] = seen[sources]
        query, key, value = (part.view(*part.shape[:2], attn.heads, -1).transpose(1, 2) for part in (query, key, value))
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)


@contextmanager
def controlled(unet: Any, control: Control) -> Iterator[None]:
    """Hold the attention of a UNet of diffusers while the block runs; afterwards it is as it was.

    Raises:
        BadInput: its attention is of another kind than Stable Diffusion's and SDXL's.
    """
    before = dict(unet.attn_processors)
    held = {name: _held(unet, name, control, processor) for name, processor in before.items()}
    unet.set_attn_processor(held)
    try:
        yield
    finally:
        unet.set_attn_processor(before)


def _held(unet: Any, name: str, control: Control, before: Any) -> HeldAttention:
    place = name.removesuffix(".processor")
    layer = unet.get_submodule(place)
    kind = place.rpartition(".")[2]
    if kind not in ("attn1", "attn2") or any(getattr(layer, part, None) for part in PLAIN):
        raise BadInput(f"attention of {place} is not of the kind of Stable Diffusion and SDXL; give a model of these")
    watched = not place.startswith("mid_block")  # the middle is too coarse to tell where words look
    return HeldAttention(control, before, crossing=kind == "attn2", watched=watched)
