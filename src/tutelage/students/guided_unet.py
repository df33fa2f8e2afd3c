"""What a stock pipeline of diffusers takes for its UNet: one call is one guided prediction.

The pipeline is run without guidance of its own. So its loop, its scheduler, its generators and its codec are used as
they are, and only what is asked of the network, and how the answers are put together, is ours.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.diffusion.text import TextConditions
from tutelage.students.guidance import Chain, Condition, Guidance
from tutelage.students.reference_unet import Memory, ReferenceUNet


@dataclass(frozen=True, kw_only=True)
class Lane:
    """B pictures drawn at once."""

    guidance: Guidance
    draws: Sequence[torch.Generator]
    """Of each picture, on the CPU: what its guidance draws at every evaluation."""
    nothing: TextConditions
    """One row: what the network is told when there is no text."""
    has_references: Sequence[bool]
    """Of each picture."""
    times: int
    """Timesteps of training."""
    recall: Callable[[tuple[int | None, ...]], Memory | None]
    """Demonstrations for a batch in which each row shows those of one picture, or none; asked at every evaluation."""


Row = tuple[int, Condition]
"""Number of a picture, and what the network is shown of its conditions."""


class GuidedUNet(nn.Module):
    """In all that pipelines ask of a UNet but the call it is the UNet."""

    def __init__(self, network: ReferenceUNet) -> None:
        super().__init__()
        self.network = network
        self._lane: Lane | None = None

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.network.unet, name)

    @contextmanager
    def drawing(self, lane: Lane) -> Iterator[None]:
        """Within it, calls are about the pictures of `lane`."""
        self._lane = lane
        try:
            yield
        finally:
            self._lane = None

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor,
        encoder_hidden_states: Tensor,
        added_cond_kwargs: dict[str, Tensor] | None = None,
        return_dict: bool = False,
        **others: Any,
    ) -> tuple[Tensor]:
        """Guided predictions (B, C, h, w) for noisy latents (B, C, h, w) and the texts (B, L, D) of a lane's pictures.

        Raises:
            TypeError: the pipeline says more than a text and SDXL's conditions.
        """
        if unknown := [name for name, value in others.items() if value is not None] + ["return_dict"] * return_dict:
            raise TypeError(f"guidance by references does not know what to do with {', '.join(unknown)}")
        assert self._lane is not None, "called outside `drawing`"
        lane = self._lane
        time = float(timestep.flatten()[0]) / lane.times
        chains = [_chain(lane, picture, time) for picture in range(len(sample))]
        rows: list[Row] = [(i, condition) for i, chain in enumerate(chains) for condition in chain.conditions]
        told = _told(lane, rows, encoder_hidden_states, added_cond_kwargs)
        memory = lane.recall(tuple(i if condition.references else None for i, condition in rows))
        answers = self.network.denoise(sample[[i for i, _ in rows]], timestep, told, memory)
        said = dict(zip(rows, answers, strict=True))
        return (torch.stack([_followed(chain, i, said) for i, chain in enumerate(chains)]),)


def _chain(lane: Lane, picture: int, time: float) -> Chain:
    draw = torch.rand((), generator=lane.draws[picture]).item()
    return lane.guidance.chain(draw, time).shortened(lane.has_references[picture])


def _told(lane: Lane, rows: Sequence[Row], texts: Tensor, added: dict[str, Tensor] | None) -> dict[str, Any]:
    """The UNet's keyword arguments, row by row."""

    def pick(given: Tensor, without: Tensor | None) -> Tensor:
        assert without is not None
        return torch.stack([given[i] if condition.text else without[0].to(given) for i, condition in rows])

    told: dict[str, Any] = {"encoder_hidden_states": pick(texts, lane.nothing.hidden)}
    if added is not None:
        which = [i for i, _ in rows]
        told["added_cond_kwargs"] = {name: value[which] for name, value in added.items() if name != "text_embeds"}
        told["added_cond_kwargs"]["text_embeds"] = pick(added["text_embeds"], lane.nothing.pooled)
    return told


def _followed(chain: Chain, picture: int, said: dict[Row, Tensor]) -> Tensor:
    """The end of a chain, (C, h, w)."""
    at = guided = said[picture, chain.start]
    for condition, weight in chain.links:
        here = said[picture, condition]
        guided, at = guided + weight * (here - at), here
    return guided
