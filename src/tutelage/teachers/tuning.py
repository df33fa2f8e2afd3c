"""Which weights of the UNet an expert may move, and how the base comes back: in place, to the last bit."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import torch
from peft import LoraConfig
from torch import Tensor, nn

from tutelage.diffusion.noise import keyed_seed
from tutelage.teachers.settings import Lora

ATTENTION: Final = ("to_q", "to_k", "to_v", "to_out.0")
CONVOLUTIONS: Final = ("conv1", "conv2", "conv_shortcut")
"""Of the residual blocks."""


def tuned(
    unet: Any, base: Mapping[str, Tensor], lora: Lora | None, seed: int, key: str
) -> AbstractContextManager[list[nn.Parameter]]:
    """The parameters an expert trains: fresh adapters, or without `lora` all weights; on leaving it is the base."""
    return all_weights(unet, base) if lora is None else adapters(unet, lora, seed, key)


def kept(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the weights, to come back to."""
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


@contextmanager
def all_weights(network: nn.Module, base: Mapping[str, Tensor]) -> Iterator[list[nn.Parameter]]:
    """The parameters of `network`, to be trained; on leaving they are the `base`'s again."""
    network.requires_grad_(True)
    try:
        yield list(network.parameters())
    finally:
        network.requires_grad_(False)
        for name, parameter in network.named_parameters():
            parameter.grad = None
            parameter.data.copy_(base[name])


@contextmanager
def adapters(unet: Any, lora: Lora, seed: int, key: str) -> Iterator[list[nn.Parameter]]:
    """The parameters of fresh adapters, which change nothing until they are trained; on leaving they are gone.

    Their scale is 1 (alpha equals the rank). Their first weights are keyed by (seed, key).
    """
    names = [*ATTENTION, *(CONVOLUTIONS if lora.convolutions else ())]
    config = LoraConfig(r=lora.rank, lora_alpha=lora.rank, target_modules=names)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(keyed_seed(seed, key, "adapters"))
        unet.add_adapter(config)
    try:
        yield [parameter for parameter in unet.parameters() if parameter.requires_grad]
    finally:
        unet.unload_lora()
