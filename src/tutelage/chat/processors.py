"""What turns pictures and words into a model's numbers, with or without torchvision.

In transformers the video half of a processor needs torchvision, and without it the whole processor does not load: so
for Qwen2-VL and forty other kinds. Judges are shown no videos, so that half is left out then.
"""

from pathlib import Path
from typing import Any, Final

from transformers import AutoConfig, AutoProcessor
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
from transformers.utils.import_utils import is_torchvision_available

VIDEOS: Final = "video_processor"


def read_processor(folder: Path) -> Any:
    """The processor of a folder; where torchvision is absent, for pictures and words alone."""
    kind: Any = PROCESSOR_MAPPING.get(type(AutoConfig.from_pretrained(folder)), None)
    if is_torchvision_available() or kind is None or VIDEOS not in kind.get_attributes():
        return AutoProcessor.from_pretrained(folder)
    return _without_videos(kind).from_pretrained(folder)


def _without_videos(kind: Any) -> Any:
    """The same class with nothing in the place of its video half."""
    parts = kind.get_attributes()
    rest = [part for part in parts if part != VIDEOS]
    fewer: Any = type(kind.__name__, (kind,), {"get_attributes": classmethod(lambda _: list(rest))})

    class Still(kind):  # type: ignore[misc]
        @classmethod
        def _get_arguments_from_pretrained(cls, *told: Any, **more: Any) -> list[Any]:
            read = iter(fewer._get_arguments_from_pretrained(*told, **more))
            return [None if part == VIDEOS else next(read) for part in parts]

        def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
            return None if name == VIDEOS else super().check_argument_for_proper_class(name, argument)

    return Still
