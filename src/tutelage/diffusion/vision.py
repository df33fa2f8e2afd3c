"""How networks that look at pictures are loaded and fed: any folder or Hub id in transformers' layout.

Only safetensors are read. A weight that the folder lacks is an error here, not a random number.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from huggingface_hub import snapshot_download
from huggingface_hub.errors import StrictDataclassError
from numpy.typing import NDArray
from PIL import Image

from tutelage.diffusion.device import pick_device
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.errors import BadInput

Picture = NDArray[np.uint8] | Image.Image
"""RGB (H, W, 3) in [0, 255], or a PIL image of any mode."""

FILES = ["*.json", "*.txt", "*.safetensors"]


def network_folder(name_or_path: str | Path) -> Path:
    """The folder of a path, or of a Hub id `owner/name` (downloaded into the Hub's cache).

    Raises:
        BadInput: there is no such folder, or the Hub does not give it.
    """
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return path
    if isinstance(name_or_path, Path) or name_or_path.count("/") != 1 or name_or_path.startswith((".", "/", "~")):
        raise BadInput(f"{path} is not a folder; give that of a network, or a Hub id such as owner/name")
    try:
        return Path(snapshot_download(name_or_path, allow_patterns=FILES))
    except (OSError, ValueError) as error:
        raise BadInput(f"no folder '{name_or_path}', and the Hub does not give it: {first_line(error)}") from error


def load_network(
    kind: Any, name_or_path: str | Path, device: str = "auto", **options: Any
) -> tuple[Any, Any, torch.device]:
    """A network in float32, ready to look, its image processor, and the device it is on.

    `kind` is a class of transformers with `from_pretrained`; `options` go to it.

    Raises:
        BadInput: the device or the folder is absent, or the folder does not hold all of such a network.
    """
    folder, where = network_folder(name_or_path), pick_device(device)
    with quiet_libraries():
        try:
            network, told = kind.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **options
            )
            # one backend, whether or not torchvision is there: its pictures, and so all scores, would differ a little
            processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        except (OSError, ValueError, RuntimeError, KeyError, StrictDataclassError) as error:
            raise BadInput(f"{folder} cannot be loaded as {kind.__name__}: {first_line(error)}") from error
    if absent := sorted(told["missing_keys"]):
        raise BadInput(f"{folder} lacks {len(absent)} weights of {type(network).__name__}, {absent[0]} first")
    return network.eval().to(where), processor, where


def pixels(processor: Any, images: Sequence[Image.Image], device: torch.device) -> torch.Tensor:
    """Pictures → (B, 3, H, W), resized and normalised as the checkpoint's own preprocessing says."""
    batch: torch.Tensor = processor(images=list(images), return_tensors="pt")["pixel_values"]
    return batch.to(device)


def rgb(picture: Picture) -> Image.Image:
    """A picture as PIL RGB.

    Raises:
        BadInput: an array that is not uint8 (H, W, 3).
    """
    if isinstance(picture, Image.Image):
        return picture.convert("RGB")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise BadInput(f"picture {picture.dtype} {picture.shape}: it must be uint8 (height, width, 3); convert it")
    return Image.fromarray(np.ascontiguousarray(picture))


def squared(picture: Picture) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """The picture on a square, its edges drawn out over the new ground, and its box: left, top, right, bottom.

    Nothing is cut off. Bars of one colour would be read as scenery; drawn-out edges look like more of the same.
    """
    image = rgb(picture)
    side = max(image.size)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    box = (left, top, left + image.width, top + image.height)
    if image.width == image.height:
        return image, box
    margins = ((top, side - box[3]), (left, side - box[2]), (0, 0))
    return Image.fromarray(np.pad(np.asarray(image), margins, mode="edge")), box


def first_line(error: BaseException) -> str:
    """What an error says, in one line; a `KeyError` says no more than its key."""
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__} {text}".rstrip() if isinstance(error, KeyError) or not text else text
