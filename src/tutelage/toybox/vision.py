"""Where the toybox's networks that look at pictures are; `diffusion.vision` loads and feeds them."""

from pathlib import Path

from tutelage.diffusion.vision import network_folder
from tutelage.errors import BadInput
from tutelage.toybox.checkpoints import checkpoint


def folder_of(name_or_path: str | Path) -> Path:
    """The folder of a shipped name, of a path, or of a Hub id (downloaded into the Hub's cache).

    Raises:
        BadInput: there is no such folder, or the Hub does not give it.
    """
    found = checkpoint(name_or_path)
    if isinstance(found, Path) and not found.is_dir():
        raise BadInput(f"{found} is not there; train it with `tutelage run {found.name}`, or give another folder")
    return network_folder(found)
