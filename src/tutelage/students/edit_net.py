"""EditNet's control branch (OmniEdit, Figure 3): a copy of every block of a DiT, run in step with the base.

Unlike a ControlNet's, the branch sees at every layer what the base has made so far, picture and text, and what it makes
of it goes back into the base's picture *and text*, before the next layer. Every way between the two is a linear layer
that starts at zero, so that it begins as its base exactly.

    x, c: the base's picture and text      y, d: the branch's, y₀ = x₀ + P(source), d₀ = c₀

    x′, c′ = base block (x, c)                      y′, d′ = copied block (y + A x, d + B c)
    x ← x′ + Z y′,  c ← c′ + W d′                   y ← y′, d ← d′

A, B, Z, W and P are zero at first, each layer has its own; the last block gives no text.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention import JointTransformerBlock
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.sd3 import arguments


class EditNet(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """The branch. Its folder is `edit_net` in a student's; it has to keep its name."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        num_layers: int,
        num_attention_heads: int,
        attention_head_dim: int,
        in_channels: int,
        patch_size: int,
        dual_attention_layers: tuple[int, ...] = (),
        qk_norm: str | None = None,
    ) -> None:
        """A branch for a transformer with these settings; its blocks are to be copied into it."""
        super().__init__()
        width, last = num_attention_heads * attention_head_dim, num_layers - 1
        self.source = _zero(nn.Conv2d(in_channels, width, patch_size, stride=patch_size))
        self.blocks = nn.ModuleList(
            JointTransformerBlock(
                dim=width,
                num_attention_heads=num_attention_heads,
                attention_head_dim=attention_head_dim,
                context_pre_only=layer == last,
                qk_norm=qk_norm,
                use_dual_attention=layer in dual_attention_layers,
            )
            for layer in range(num_layers)
        )
        self.from_picture = nn.ModuleList(_zero(nn.Linear(width, width)) for _ in range(num_layers))
        self.from_text = nn.ModuleList(_zero(nn.Linear(width, width)) for _ in range(num_layers))
        self.to_picture = nn.ModuleList(_zero(nn.Linear(width, width)) for _ in range(num_layers))
        self.to_text = nn.ModuleList(_zero(nn.Linear(width, width)) for _ in range(last))

    @staticmethod
    def of(transformer: Any) -> "EditNet":
        """A branch for a transformer, its blocks copies of the transformer's."""
        branch = EditNet(**_told(transformer.config))
        branch.blocks.load_state_dict(transformer.transformer_blocks.state_dict())
        with quiet_libraries():  # they remark on every cast
            return branch.to(transformer.device, transformer.dtype)  # type: ignore[no-any-return]

    def check_fit(self, transformer: Any) -> None:
        """Raise a `BadInput` if this was made for another transformer."""
        ours, theirs = _told(self.config), _told(transformer.config)
        if wrong := [name for name in ours if ours[name] != theirs[name]]:
            name = wrong[0]
            raise BadInput(
                f"this EditNet is for a base with {name} {ours[name]}, not {theirs[name]}; give its own base"
            )

    def layer(
        self, number: int, x: Tensor, c: Tensor, y: Tensor, d: Tensor, temb: Tensor
    ) -> tuple[Tensor | None, Tensor]:
        """d′ (B, L, D) and y′ (B, T, D) of a layer; the last one has no d′."""
        text, picture = self.blocks[number](
            hidden_states=y + self.from_picture[number](x),
            encoder_hidden_states=d + self.from_text[number](c),
            temb=temb,
        )
        return text, picture


class EditTransformer(nn.Module):
    """A transformer of diffusers, run by its own code, and its branch, which comes in after each of its blocks."""

    def __init__(self, transformer: Any, edit_net: EditNet) -> None:
        """Hook `edit_net` into `transformer`.

        Raises:
            BadInput: it was made for another one.
        """
        super().__init__()
        edit_net.check_fit(transformer)
        self.transformer, self.edit_net, self.checkpointing = transformer, edit_net, False
        self._visit: _Visit | None = None
        for number, block in enumerate(transformer.transformer_blocks):
            block.register_forward_hook(_Hook(self, number), with_kwargs=True)

    def forward(self, sample: Tensor, times: Tensor, text: TextConditions, sources: Tensor) -> Tensor:
        """What the base says (B, C, h, w) of B noisy latents at (B,) times, given texts and sources (B, C, h, w)."""
        return self.denoise(sample, times, arguments(text), sources)

    def denoise(self, sample: Tensor, times: Tensor, told: dict[str, Any], sources: Tensor) -> Tensor:
        """The same with the transformer's own keyword arguments; `times` may be one for all."""
        shown = self.edit_net.source(sources.to(sample)).flatten(2).transpose(1, 2)
        with self._visiting(_Visit(self, shown)) as visit:
            said: Tensor = self.transformer(
                hidden_states=sample, timestep=times.expand(len(sample)), return_dict=False, **told
            )[0]
        if visit.layers != list(range(len(self.edit_net.blocks))):
            raise RuntimeError(f"this version of diffusers ran the blocks {visit.layers}, not each once in order")
        return said

    @contextmanager
    def _visiting(self, visit: "_Visit") -> Iterator["_Visit"]:
        before, self._visit = self._visit, visit
        try:
            yield visit
        finally:
            self._visit = before


class _Visit:
    """The branch's state on its way through the layers."""

    def __init__(self, network: EditTransformer, shown: Tensor) -> None:
        self.network, self.shown, self.layers = network, shown, list[int]()
        self.picture: Tensor | None = None
        self.text: Tensor | None = None

    def __call__(self, number: int, seen: dict[str, Tensor], said: tuple[Tensor | None, Tensor]) -> Any:
        """What a block of the base saw and said → what the next one is to see."""
        branch, x, c = self.network.edit_net, seen["hidden_states"], seen["encoder_hidden_states"]
        self.layers.append(number)
        y = x + self.shown if self.picture is None else self.picture
        d = c if self.text is None else self.text
        given = (number, x, c, y, d, seen["temb"])
        if self.network.checkpointing and torch.is_grad_enabled():
            self.text, self.picture = checkpoint(branch.layer, *given, use_reentrant=False)
        else:
            self.text, self.picture = branch.layer(*given)
        assert self.picture is not None
        text, picture = said
        if text is not None and self.text is not None:
            text = text + branch.to_text[number](self.text)
        return text, picture + branch.to_picture[number](self.picture)


class _Hook:
    """A forward hook; an object, so that a copy of the network has hooks that know the copy."""

    def __init__(self, network: EditTransformer, number: int) -> None:
        self.network, self.number = network, number

    def __call__(self, _: nn.Module, __: Any, seen: dict[str, Tensor], said: Any) -> Any:
        visit = self.network._visit
        return said if visit is None else visit(self.number, seen, said)


def _zero(layer: nn.Module) -> nn.Module:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _told(config: Any) -> dict[str, Any]:
    """What a branch has to know of a transformer."""
    names = ("num_layers", "num_attention_heads", "attention_head_dim", "in_channels", "patch_size", "qk_norm")
    return {name: config[name] for name in names} | {"dual_attention_layers": tuple(config["dual_attention_layers"])}
