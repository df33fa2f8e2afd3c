"""DreamBench's folder (DreamBooth, Ruiz et al. 2023), as google/dreambooth lays it out.

prompts_and_classes.txt    `subject_name,class` lines, and two lists of 25 prompts
backpack/00.jpg ...        a folder for each subject

The class is not the folder's name: `poop_emoji` is a toy. The first list of prompts is for objects, the second for live
subjects, which are the cats and dogs. The file holds Python; it is read as text, and no part of it is run.
"""

import re
from pathlib import Path
from typing import Final

from tutelage.benches.dreambench.items import Collection, Prompt, Subject
from tutelage.errors import BadInput

BENCH: Final = "dreambench"
FILE: Final = "prompts_and_classes.txt"
IMAGES: Final = (".jpg", ".jpeg", ".png", ".webp")
LIVE: Final = ("cat", "dog")
"""Classes of live subjects."""
GROUPS: Final = ("object", "live")
"""In the order of the file's lists."""

_CLASS: Final = re.compile(r"^\s*(\w[\w.-]*)\s*,\s*(\S[^,]*?)\s*$")
_PROMPT: Final = re.compile(r"""^\s*(['"])(.*)\1\s*\.format\(\s*unique_token\s*,\s*class_token\s*\)\s*,?\s*$""")
_LIST: Final = re.compile(r"^\s*prompt_list\s*=\s*\[")


def read_dreambench(folder: Path) -> Collection:
    """The subjects that `prompts_and_classes.txt` names, with the photos that are there.

    Raises:
        BadInput: the file is absent or does not hold classes and two lists of prompts, or no subject has photos.
    """
    path = folder / FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); give the folder of google/dreambooth's dataset") from error
    classes, lists = _classes(lines, path), _lists(lines, path)
    subjects = tuple(_subject(folder, name, kind) for name, kind in classes.items())
    absent = {one.name: "no photos in the dataset's folder" for one in subjects if not one.photos}
    if len(absent) == len(subjects):
        raise BadInput(f"{folder} has no photos of any subject that {FILE} names; give the dataset's folder")
    return Collection(
        bench=BENCH,
        subjects=tuple(one for one in subjects if one.photos),
        prompts={one.name: _prompts(lists[one.group], one.kind) for one in subjects},
        kinds=classes,
        absent=absent,
    )


def _classes(lines: list[str], path: Path) -> dict[str, str]:
    """Subject → class word."""
    first = next((at for at, line in enumerate(lines) if _LIST.match(line)), len(lines))
    found = [match.groups() for line in lines[:first] if (match := _CLASS.match(line))]
    classes = {name: kind for name, kind in found if (name, kind) != ("subject_name", "class")}
    if not classes:
        raise BadInput(
            f"{path} names no classes; it must hold lines such as `backpack_dog,backpack` before the prompts"
        )
    return classes


def _lists(lines: list[str], path: Path) -> dict[str, list[str]]:
    """Group → templates."""
    lists: list[list[str]] = []
    for number, line in enumerate(lines, start=1):
        if _LIST.match(line):
            lists.append([])
        elif ".format(" in line:
            match = _PROMPT.match(line)
            if match is None or not lists or "{1}" not in match[2]:
                raise BadInput(f"{path}, line {number}: no prompt; write 'a {{0}} {{1}} ...'.format(...) in a list")
            lists[-1].append(match[2])
    if len(lists) != len(GROUPS) or not all(lists):
        raise BadInput(f"{path} holds {len(lists)} lists of prompts; it must hold one for objects and one for the live")
    return dict(zip(GROUPS, lists, strict=True))


def _prompts(templates: list[str], kind: str) -> tuple[Prompt, ...]:
    """Without the rare word."""
    texts = [template.replace("{0} ", "").replace("{1}", kind) for template in templates]
    return tuple(Prompt(number=number, text=text) for number, text in enumerate(texts))


def _subject(folder: Path, name: str, kind: str) -> Subject:
    where = folder / name
    photos = sorted(path for path in where.iterdir() if path.suffix.lower() in IMAGES) if where.is_dir() else []
    group = "live" if kind in LIVE else "object"
    return Subject(name=name, kind=kind, group=group, photos=tuple(photos))
