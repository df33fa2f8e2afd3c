"""Small folders in the layouts of DreamBench and DreamBench++, with generated pictures."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

CLASSES: Final = {"bear_toy": "toy", "red_boot": "boot", "cat2": "cat", "absent_dog": "dog"}
OBJECTS: Final = ("a {0} {1} in the snow", "a {0} {1} on top of pink fabric")
LIVE: Final = ("a {0} {1} in the snow", "a {0} {1} wearing a red hat", "a cube shaped {0} {1}")


def photograph(subject: int, number: int, size: tuple[int, int] = (40, 32)) -> bytes:
    """A picture of coarse blocks; those of one subject have much in common, and width and height differ."""
    rng, own = (np.random.default_rng([5, subject, n]) for n in (0, number + 1))
    blocks = rng.integers(256, size=(4, 4, 3)) * 0.8 + own.integers(256, size=(4, 4, 3)) * 0.2
    file = io.BytesIO()
    Image.fromarray(blocks.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR).save(file, "JPEG", quality=95)
    return file.getvalue()


def prompts_file(classes: Mapping[str, str] = CLASSES) -> str:
    """What google/dreambooth has in prompts_and_classes.txt."""
    lists = [
        "\n".join(["prompt_list = [", *(f"'{text}'.format(unique_token, class_token)," for text in texts), "]"])
        for texts in (OBJECTS, LIVE)
    ]
    named = "\n".join(f"{name},{kind}" for name, kind in classes.items())
    return f"Classes\n\nsubject_name,class\n{named}\n\nPrompts\n\nObject Prompts\n\n{lists[0]}\n\nLive\n\n{lists[1]}\n"


def write_dreambench(folder: Path, photos: int = 3) -> Path:
    """Three subjects with photos and one without."""
    folder.mkdir()
    (folder / "prompts_and_classes.txt").write_text(prompts_file(), encoding="utf-8")
    for number, name in enumerate(CLASSES):
        if not name.startswith("absent"):
            (folder / name).mkdir()
            for at in range(photos):
                (folder / name / f"{at:02d}.jpg").write_bytes(photograph(number, at))
    return folder


def write_plus(folder: Path) -> Path:
    """An animal, an object without its picture, and a style."""
    for number, (key, kind) in enumerate(
        {"live_subject/animal/00": "kitten", "object/03": "tea pot", "style/01": "ukiyo-e"}.items()
    ):
        caption = folder / "captions" / f"{key}.txt"
        caption.parent.mkdir(parents=True)
        texts = [f"a photo of a {kind}, number {n}" for n in range(9)]
        caption.write_text("\n".join([kind, *texts]) + "\n", encoding="utf-8")
        if kind != "tea pot":
            picture = folder / "images" / f"{key}.jpg"
            picture.parent.mkdir(parents=True)
            picture.write_bytes(photograph(number, 0))
    return folder
