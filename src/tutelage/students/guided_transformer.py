"""What diffusers' pipeline of SD3 takes for its transformer: one call is one guided prediction."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from tutelage.students.guided_unet import Guided, Row, refuse_others


class GuidedTransformer(Guided):
    """Stands in for a transformer of SD3."""

    inner = "transformer"

    def forward(
        self,
        hidden_states: Tensor,
        timestep: Tensor,
        encoder_hidden_states: Tensor,
        pooled_projections: Tensor,
        return_dict: bool = False,
        **others: Any,
    ) -> tuple[Tensor]:
        """Guided predictions (B, C, h, w) for noisy latents (B, C, h, w) and the texts of a lane's pictures.

        Raises:
            TypeError: the pipeline says more than a text.
        """
        refuse_others(others, return_dict)

        def tell(rows: Sequence[Row]) -> dict[str, Any]:
            nothing = self.nothing()
            return {
                "encoder_hidden_states": self.pick(rows, encoder_hidden_states, nothing.hidden),
                "pooled_projections": self.pick(rows, pooled_projections, nothing.pooled),
            }

        return (self.evaluate(hidden_states, timestep, tell),)
