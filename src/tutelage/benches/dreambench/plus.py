"""DreamBench++'s folder (Peng et al. 2024): 150 pictures, one reference each, with nine prompts.

images/live_subject/animal/00.jpg       the reference
captions/live_subject/animal/00.txt     first line: what it is; then nine prompts, a line each

A subject is called as its authors' tools call it, `live_subject_animal_00_kitten`. Prompts 0 to 3 ask for photos, 4 to
6 for other styles, 7 and 8 for what needs imagination.
"""

import re
from pathlib import Path
from typing import Final

from tutelage.benches.dreambench.items import Collection, Prompt, Subject
from tutelage.benches.dreambench.photographs import IMAGES
from tutelage.errors import BadInput

BENCH: Final = "dreambench_plus"
KINDS: Final = ("photorealistic",) * 4 + ("style",) * 3 + ("imaginative",) * 2
"""Of the nine prompts."""
STYLE: Final = "style"
"""The group of subjects whose reference shows a style, and not somebody."""


def read_plus(folder: Path) -> Collection:
    """Every reference that has its captions.

    Raises:
        BadInput: there are none, or a file of captions does not hold a subject and nine prompts.
    """
    pictures = {_key(path, folder / "images"): path for path in sorted((folder / "images").rglob("*"))}
    captions = {_key(path, folder / "captions"): path for path in sorted((folder / "captions").rglob("*.txt"))}
    pictures = {key: path for key, path in pictures.items() if path.suffix.lower() in IMAGES}
    if not captions:
        raise BadInput(f"{folder} has no captions; give the folder of DreamBench++, with images and captions in it")
    read = {key: _subject(path, key, pictures.get(key)) for key, path in captions.items()}
    subjects = [subject for subject, _ in read.values()]
    if not any(subject.photos for subject in subjects):
        raise BadInput(f"{folder} has no pictures for its captions; give the folder of DreamBench++")
    return Collection(
        bench=BENCH,
        subjects=tuple(subject for subject in subjects if subject.photos),
        prompts={subject.name: prompts for subject, prompts in read.values()},
        kinds={subject.name: subject.kind for subject in subjects},
        absent={subject.name: "no picture in the dataset's folder" for subject in subjects if not subject.photos},
    )


def _key(path: Path, root: Path) -> str:
    """Such as `live_subject/animal/00`."""
    return path.relative_to(root).with_suffix("").as_posix()


def _subject(path: Path, key: str, picture: Path | None) -> tuple[Subject, tuple[Prompt, ...]]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); copy the dataset again") from error
    told = [line for line in lines if line]
    if len(told) != 1 + len(KINDS):
        raise BadInput(f"{path} holds {len(told)} lines; it must hold the subject and {len(KINDS)} prompts")
    kind, *texts = told
    name = re.sub(r"[ /\\]", "_", f"{key}_{kind.lower()}")
    prompts = [Prompt(number=number, text=text, group=KINDS[number]) for number, text in enumerate(texts)]
    group = Path(key).parent.name or "object"
    photos = () if picture is None else (picture,)
    return Subject(name=name, kind=kind, group=group, photos=photos), tuple(prompts)
