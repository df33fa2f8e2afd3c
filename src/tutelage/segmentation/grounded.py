"""A phrase → boxes → masks: a detector with an open vocabulary and a segmenter that takes boxes (Grounded SAM).

The detector is any zero-shot one in Grounding DINO's layout (Liu et al. 2023), the segmenter any SAM (Kirillov et al.
2023). Of the masks that SAM offers for a box the one it trusts most is taken; a phrase's mask is the union over boxes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor
from transformers import (
    AutoModelForZeroShotObjectDetection,
    AutoTokenizer,
    GroundingDinoProcessor,
    SamModel,
    SamProcessor,
)

from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.vision import first_line, load_network, network_folder
from tutelage.errors import BadInput


@dataclass(frozen=True)
class GroundedSam:
    """See `base.Segmenter`."""

    detector: Any
    reads: Any
    """The detector's processor."""
    sam: Any
    looks: Any
    """The segmenter's."""
    device: torch.device
    box: float
    """Least score of a box."""
    text: float
    """Least score of a word, for a box to be called by it."""

    @staticmethod
    def load(
        detector: str | Path, segmenter: str | Path, box: float = 0.35, text: float = 0.25, device: str = "auto"
    ) -> "GroundedSam":
        """From two folders or Hub ids.

        Raises:
            BadInput: the device or a folder is absent, or a folder does not hold all of such a network.
        """
        found, images, where = load_network(AutoModelForZeroShotObjectDetection, detector, device)
        sam, seen, _ = load_network(SamModel, segmenter, device)
        folder = network_folder(detector)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder)
            with quiet_libraries():
                reads, looks = GroundingDinoProcessor(images, tokenizer), SamProcessor(seen)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{folder} has no processor like Grounding DINO's: {first_line(error)}") from error
        return GroundedSam(found, reads, sam, looks, where, box, text)

    def mask(self, images: Sequence[Image], phrase: str) -> list[NDArray[np.bool_]]:
        """See `base.Segmenter`; one picture at a time, so that a mask depends on no other picture.

        Raises:
            BadInput: the phrase is empty.
        """
        said = phrase.strip(" .").lower()
        if not said:
            raise BadInput("a mask by phrase needs a phrase; name a thing such as 'the dog'")
        return [self._mask(image, f"{said}.") for image in images]

    @torch.inference_mode()
    def _mask(self, image: Image, said: str) -> NDArray[np.bool_]:
        boxes = self._boxes(image, said)
        if not len(boxes):
            return np.zeros((image.height, image.width), np.bool_)
        given = self.looks(images=image, input_boxes=[boxes.tolist()], return_tensors="pt")
        asked = {name: value.float() for name, value in given.items() if name in ("pixel_values", "input_boxes")}
        made = self.sam(**{name: value.to(self.device) for name, value in asked.items()}, multimask_output=True)
        [masks] = self.looks.post_process_masks(
            made.pred_masks.cpu(), given["original_sizes"], given["reshaped_input_sizes"]
        )
        best = made.iou_scores[0].argmax(-1).cpu()
        union: NDArray[np.bool_] = masks[torch.arange(len(best)), best].any(0).numpy()
        return union

    def _boxes(self, image: Image, said: str) -> Tensor:
        """(n, 4): left, top, right, bottom in pixels, within the picture."""
        given = self.reads(images=image, text=said, return_tensors="pt").to(self.device)
        found = self.detector(**given)
        [boxes] = self.reads.post_process_grounded_object_detection(
            found, given["input_ids"], threshold=self.box, text_threshold=self.text,
            target_sizes=[(image.height, image.width)],
        )  # fmt: skip
        limits = torch.tensor([image.width, image.height] * 2, dtype=torch.float32)
        within: Tensor = boxes["boxes"].float().cpu().clamp(min=0).minimum(limits)
        return within
