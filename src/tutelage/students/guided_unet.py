"""What a stock pipeline of diffusers takes for its denoiser: one call is one guided prediction.

The pipeline is run without guidance of its own. So its loop, its scheduler, its generators and its codec are used as
they are, and only what is asked of the network, and how the answers are put together, is ours.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.configuration_utils import FrozenDict
from torch import Tensor, nn

from tutelage.diffusion.text import TextConditions
from tutelage.students.guidance import Chain, Condition, Guidance


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
    share: Callable[[float], float]
    """What the network is told the time is → the share of the way that is left, for guidance."""
    recall: Callable[[tuple[int | None, ...]], Any]
    """What the network is shown in a batch in which each row shows what one picture does, or nothing; asked at every
    evaluation."""


Row = tuple[int, Condition]
"""Number of a picture, and what the network is shown of its conditions."""


class Guided(nn.Module):
    """In all that pipelines ask of a denoiser, but the call and the channels, it is the one inside the network."""

    inner: str
    """Name of that one in the network."""

    def __init__(self, network: Any) -> None:
        """Guide `network`, which says `denoise(sample, timestep, told, memory)`: what `recall` gives is its memory."""
        super().__init__()
        self.network = network
        self._lane: Lane | None = None

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(getattr(self.network, type(self).inner), name)

    @property
    def config(self) -> FrozenDict:
        """The denoiser's; a pipeline draws noise in as many channels as it sees, not in those of a source."""
        config = getattr(self.network, type(self).inner).config
        return FrozenDict({**config, "in_channels": config.out_channels or config.in_channels})

    @contextmanager
    def drawing(self, lane: Lane) -> Iterator[None]:
        """Within it, calls are about the pictures of `lane`."""
        self._lane = lane
        try:
            yield
        finally:
            self._lane = None

    def evaluate(self, sample: Tensor, timestep: Tensor, tell: Callable[[Sequence[Row]], dict[str, Any]]) -> Tensor:
        """Guided predictions (B, C, h, w) for noisy latents (B, C, h, w) of a lane's pictures at one time.

        `tell` gives the denoiser's keyword arguments, row by row.
        """
        assert self._lane is not None, "called outside `drawing`"
        lane, time = self._lane, timestep.flatten()[0]
        left = lane.share(float(time))
        chains = [_chain(lane, picture, left) for picture in range(len(sample))]
        rows: list[Row] = [(i, condition) for i, chain in enumerate(chains) for condition in chain.conditions]
        memory = lane.recall(tuple(i if condition.references else None for i, condition in rows))
        answers = self.network.denoise(sample[[i for i, _ in rows]], time, tell(rows), memory)
        said = dict(zip(rows, answers, strict=True))
        return torch.stack([_followed(chain, i, said) for i, chain in enumerate(chains)])

    def pick(self, rows: Sequence[Row], given: Tensor, without: Tensor | None) -> Tensor:
        """Of each row its own of `given` (B, …), or the one of `without` where it shows no text."""
        assert without is not None
        return torch.stack([given[i] if condition.text else without[0].to(given) for i, condition in rows])

    def nothing(self) -> TextConditions:
        """One row: what is told in place of a text."""
        assert self._lane is not None, "called outside `drawing`"
        return self._lane.nothing


class GuidedUNet(Guided):
    """Stands in for a UNet."""

    inner = "unet"

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
        refuse_others(others, return_dict)

        def tell(rows: Sequence[Row]) -> dict[str, Any]:
            nothing = self.nothing()
            told: dict[str, Any] = {"encoder_hidden_states": self.pick(rows, encoder_hidden_states, nothing.hidden)}
            if added_cond_kwargs is not None:
                which = [i for i, _ in rows]
                added = {name: value[which] for name, value in added_cond_kwargs.items() if name != "text_embeds"}
                added["text_embeds"] = self.pick(rows, added_cond_kwargs["text_embeds"], nothing.pooled)
                told["added_cond_kwargs"] = added
            return told

        return (self.evaluate(sample, timestep, tell),)


def refuse_others(others: dict[str, Any], return_dict: bool) -> None:
    """Raise a `TypeError` if a pipeline says what guidance here does not know."""
    if unknown := [name for name, value in others.items() if value is not None] + ["return_dict"] * return_dict:
        raise TypeError(f"guidance by references does not know what to do with {', '.join(unknown)}")


def _chain(lane: Lane, picture: int, time: float) -> Chain:
    draw = torch.rand((), generator=lane.draws[picture]).item()
    return lane.guidance.chain(draw, time).shortened(lane.has_references[picture])


def _followed(chain: Chain, picture: int, said: dict[Row, Tensor]) -> Tensor:
    """The end of a chain, (C, h, w)."""
    at = guided = said[picture, chain.start]
    for condition, weight in chain.links:
        here = said[picture, condition]
        guided, at = guided + weight * (here - at), here
    return guided
