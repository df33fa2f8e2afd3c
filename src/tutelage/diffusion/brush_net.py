"""BrushNet (Ju et al. 2024): a second UNet that sees what is around a mask and is heard in every layer of the first.

The branch is a copy of a UNet of Stable Diffusion or SDXL without its attention to the text. Its input is the noisy
latents, the latents of the masked picture and the mask at their size, one upon the other. What each of its layers says
goes through a convolution of one pixel that starts at zero and is added to what the same layer of the frozen UNet says,
down, in the middle and up; so that with the branch it begins as it is without.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from tutelage.diffusion.quiet import quiet_libraries
from tutelage.errors import BadInput

Heard = Callable[[int, Tensor], Tensor | None]
"""(number of a layer, what it says) → what it is to say instead; None: as it is."""


class BrushNet(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """The branch. Its folder names this class, which has to keep its name."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, unet: dict[str, Any]) -> None:
        """A branch for a UNet of diffusers with this config; weights are to be copied into it."""
        super().__init__()
        channels = 2 * unet["out_channels"] + 1
        self.twin = UNet2DConditionModel.from_config({**unet, "in_channels": channels})
        self.twin.conv_norm_out, self.twin.conv_out = None, nn.Identity()
        for module in self.twin.modules():
            if hasattr(module, "attn2"):
                module.attn2 = module.norm2 = None
        self.zeros = nn.ModuleList(_zero(nn.Conv2d(width, width, 1)) for width in widths(self.twin))

    @staticmethod
    def of(unet: Any) -> "BrushNet":
        """A branch for a UNet, its layers copies of the UNet's; the masked picture is seen as the noisy one is.

        Raises:
            BadInput: it is no UNet of Stable Diffusion or SDXL.
        """
        check_kind(unet)
        branch = BrushNet({name: value for name, value in unet.config.items() if not name.startswith("_")})
        weights = {name: value for name, value in unet.state_dict().items() if not name.startswith("conv_in.")}
        ours = branch.twin.state_dict().keys()
        branch.twin.load_state_dict({name: value for name, value in weights.items() if name in ours}, strict=False)
        latents, new = unet.config.out_channels, branch.twin.conv_in
        seen = unet.conv_in.weight[:, :latents]
        with torch.no_grad():
            new.weight.copy_(torch.cat([seen, seen, torch.zeros_like(seen[:, :1])], dim=1))
            new.bias.copy_(unet.conv_in.bias)
        with quiet_libraries():  # they remark on every cast
            return branch.to(unet.device, unet.dtype)  # type: ignore[no-any-return]

    def check_fit(self, unet: Any) -> None:
        """Raise a `BadInput` if this was made for another UNet."""
        check_kind(unet)
        if unet.config.out_channels != self.twin.config.out_channels or widths(unet) != widths(self.twin):
            raise BadInput("this BrushNet is for a UNet of other layers; give the base that it was made for")

    def forward(self, noisy: Tensor, time: Tensor, around: Tensor, told: dict[str, Any]) -> list[Tensor]:
        """What is to be added to each layer of the UNet.

        Args:
            noisy: (B, C, h, w), as the UNet sees them.
            time: timestep, one for all or (B,).
            around: (B, C + 1, h, w), see `surroundings`.
            told: the UNet's own keyword arguments; of the text, at most SDXL's pooled one is heard.
        """
        said: list[Tensor] = []
        other = {name: value for name, value in told.items() if name != "encoder_hidden_states"}
        with hooked(self.twin, lambda _, one: said.append(one)):
            self.twin(torch.cat([noisy, around.to(noisy)], dim=1), time, encoder_hidden_states=None, **other)
        return [zero(one) for zero, one in zip(self.zeros, said, strict=True)]


@contextmanager
def heard(unet: Any, features: Sequence[Tensor]) -> Iterator[None]:
    """While entered, each layer of a UNet says its own and its feature, added up."""
    with hooked(unet, lambda number, said: said + features[number]):
        yield


def surroundings(latents: Tensor, mask: Tensor) -> Tensor:
    """What a branch sees: latents (B, C, h, w) of the masked picture, and the mask (B, 1, h, w), 1 where it paints."""
    return torch.cat([latents, mask.to(latents)], dim=1)


def layers(unet: Any) -> list[Any]:
    """The modules that end the layers of a UNet, in the order in which they run."""
    down = [module for block in unet.down_blocks for module in _of_block(block)]
    up = [module for block in unet.up_blocks for module in _of_block(block)]
    return [unet.conv_in, *down, unet.mid_block, *up]


def widths(unet: Any) -> list[int]:
    """Channels of what each of its layers says."""
    middle = unet.config.block_out_channels[-1]
    return [middle if module is unet.mid_block else module.out_channels for module in layers(unet)]


@contextmanager
def hooked(unet: Any, hear: Heard) -> Iterator[None]:
    """While entered, `hear` is told what every layer of a UNet says, and may change it."""

    def hook(number: int) -> Callable[[Any, Any, Any], Any]:
        def changed(_: Any, __: Any, said: Any) -> Any:
            several = said if isinstance(said, tuple) else (said,)
            new = hear(number, several[0])
            if new is None:
                return None
            return (new, *several[1:]) if isinstance(said, tuple) else new

        return changed

    with ExitStack() as stack:
        for number, module in enumerate(layers(unet)):
            stack.callback(module.register_forward_hook(hook(number)).remove)
        yield


def check_kind(unet: Any) -> None:
    """Raise a `BadInput` if this is no UNet of Stable Diffusion or SDXL."""
    kinds = {"DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"}
    blocks = (*unet.config.down_block_types, *unet.config.up_block_types)
    if other := [name for name in blocks if name not in kinds]:
        raise BadInput(f"a UNet with blocks {other[0]} cannot have a BrushNet; give one of Stable Diffusion or SDXL")


def _of_block(block: Any) -> list[Any]:
    """A layer is a residual block and, where there is one, the transformer after it, or a change of resolution."""
    each = block.attentions if getattr(block, "has_cross_attention", False) else block.resnets
    changes = getattr(block, "downsamplers", None) or getattr(block, "upsamplers", None) or ()
    return [*each, *changes]


def _zero(layer: nn.Module) -> nn.Module:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
