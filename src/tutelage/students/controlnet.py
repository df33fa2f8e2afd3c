"""ControlNet on a DiT: a copy of the base's first blocks runs beside it, sees the source, and adds to what it says.

The network is diffusers' `SD3ControlNetModel`, the folder that of `StableDiffusion3ControlNetPipeline`. What is added
starts at zero, so that it begins as its base exactly (Zhang et al. 2023).
"""

from pathlib import Path
from typing import Any

from diffusers import SD3ControlNetModel, StableDiffusion3ControlNetPipeline
from torch import Tensor, nn

from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.sd3 import Sd3EditStudent, arguments, check_kind, load_sd3
from tutelage.students.settings import EditShape, EditTraining


class ControlTransformer(nn.Module):
    """A transformer and its control branch."""

    def __init__(self, transformer: Any, controlnet: Any) -> None:
        super().__init__()
        self.transformer, self.controlnet = transformer, controlnet

    def forward(self, sample: Tensor, times: Tensor, text: TextConditions, sources: Tensor) -> Tensor:
        """What the base says (B, C, h, w) of B noisy latents at (B,) times, given texts and sources (B, C, h, w)."""
        return self.denoise(sample, times, arguments(text), sources)

    def denoise(self, sample: Tensor, times: Tensor, told: dict[str, Any], sources: Tensor) -> Tensor:
        """The same with the transformer's own keyword arguments; `times` may be one for all."""
        shown = {"hidden_states": sample, "timestep": times.expand(len(sample)), "return_dict": False, **told}
        added = self.controlnet(controlnet_cond=sources.to(sample), **shown)[0]
        said: Tensor = self.transformer(block_controlnet_hidden_states=added, **shown)[0]
        return said


class ControlNet(Sd3EditStudent):
    """A base that stays as it is, and a branch that learns."""

    network: ControlTransformer

    def __init__(self, pipeline: Any, controlnet: Any, training: EditTraining | None = None) -> None:
        """Join a pipeline and a branch.

        Raises:
            BadInput: the pipeline is no SD3.
        """
        check_kind(pipeline)
        super().__init__(pipeline, ControlTransformer(pipeline.transformer, controlnet), training)
        pipeline.transformer.requires_grad_(self.training.base_learns)
        controlnet.requires_grad_(True)
        last = controlnet.transformer_blocks[-1]  # what it makes of the text goes nowhere
        last.ff_context.requires_grad_(False)
        last.attn.to_add_out.requires_grad_(False)
        if self.training.checkpointing:
            pipeline.transformer.enable_gradient_checkpointing()
            controlnet.enable_gradient_checkpointing()

    @classmethod
    def from_base(
        cls, pipeline: Any, shape: EditShape, training: EditTraining | None = None, *, seed: int = 0
    ) -> "ControlNet":
        """See `EditStudent`; all that is new is a copy or zero, so the seed does not matter."""
        check_kind(pipeline)
        return cls(pipeline, copied_branch(pipeline.transformer, shape.layers), training)

    @classmethod
    def load(
        cls, model: str | Path, device: str = "auto", dtype: str = "auto", training: EditTraining | None = None
    ) -> "ControlNet":
        base, found = load_sd3(StableDiffusion3ControlNetPipeline, model, device, dtype)
        return cls(base, found.controlnet, training)

    def whole(self) -> Any:
        return StableDiffusion3ControlNetPipeline(**self.parts(), controlnet=self.network.controlnet)


def copied_branch(transformer: Any, layers: int | None) -> Any:
    """A control branch of as many blocks, copied from a transformer's first ones; None: half of them.

    Blocks of the base are served by blocks of the branch in turn, and its last one takes nothing, so that more than
    half would leave some of the branch unheard.

    Raises:
        BadInput: that many cannot be had.
    """
    most = len(transformer.transformer_blocks) // 2
    count = most if layers is None else layers
    if not 1 <= count <= most:
        raise BadInput(f"layers is {count}; a ControlNet of this base copies 1 to {most} blocks")
    ours = {"num_layers": count, "extra_conditioning_channels": 0, "force_zeros_for_pooled_projection": False}
    branch = SD3ControlNetModel.from_config({**transformer.config, **ours})
    for name in ("pos_embed", "time_text_embed", "context_embedder"):
        getattr(branch, name).load_state_dict(getattr(transformer, name).state_dict())
    for copy, block in zip(branch.transformer_blocks, transformer.transformer_blocks, strict=False):
        copy.load_state_dict(block.state_dict())
    with quiet_libraries():  # they remark on every cast
        return branch.to(transformer.device, transformer.dtype)
