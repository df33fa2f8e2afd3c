"""Pictures of a subject → the subject drawn anew by a student: what `tutelage generate --subject` reads and shows.

A demonstration is a picture with a caption. Captions are looked for where the source `folder` has them, so that one
folder serves both: in a text file beside the picture, or in a `metadata.jsonl` or `metadata.csv`. The caption of a
picture without one is what the user calls the subject, or else what the prompt calls it.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutelage.errors import BadInput

if TYPE_CHECKING:  # as in `generate`: `--help` needs none of them
    from PIL.Image import Image

    from tutelage.sources.folder import File
    from tutelage.students.suti import Suti
    from tutelage.triplet import Reference

Sampler = Callable[..., "Iterator[list[Image]]"]
"""Something with the arguments and the answer of `diffusion.sample.sample`."""

STUDENT: Final = "toybox-suti"
"""The shipped student."""
MOST: Final = 10
"""Demonstrations that are used: as many as a cluster has in SuTI, §3.1."""
COLUMNS: Final = 5
"""Demonstrations in a row of a sheet."""


def shipped_student() -> str:
    """The name of the shipped student.

    Raises:
        BadInput: this version comes without it.
    """
    from tutelage.toybox.checkpoints import CHECKPOINTS

    if STUDENT not in CHECKPOINTS:
        raise BadInput(f"this version comes without '{STUDENT}'; give a student of your own with --model FOLDER")
    return STUDENT


def load_student(model: str | Path, device: str = "auto", dtype: str = "auto") -> "tuple[Suti, Path]":
    """A student, by shipped name, folder or Hub id, and its folder.

    Raises:
        BadInput: there is no such model or device, or the model is broken or no student.
    """
    from tutelage.students.folder import student_folder
    from tutelage.students.suti import Suti
    from tutelage.toybox.checkpoints import checkpoint

    folder = student_folder(checkpoint(model))
    return Suti.load(folder, device, dtype), folder


def named(prompt: str) -> str:
    """What a prompt calls its subject, without its mood; empty if it names nothing.

    >>> named("a watercolour painting of a sad bear toy wearing a crown on the beach")
    'bear toy'
    """
    from tutelage.mining.describe import by_rule

    return by_rule([("", prompt)])


def demonstrations(paths: Sequence[Path], name: str) -> "tuple[Reference, ...]":
    """Read the pictures at `paths`, at most `MOST` of them, by the names of their files; a line on stderr if more.

    Args:
        paths: pictures, or folders of pictures; of a folder in a folder only what metadata names is read.
        name: caption of those that have none.

    Raises:
        BadInput: there is no picture at a path, one cannot be read, or one has no caption and `name` is empty.
    """
    found = {path: file for given in paths for path, file in _files(given)}
    chosen = sorted(found, key=lambda path: (path.name, path))
    if len(chosen) > MOST:
        print(f"tutelage: {len(chosen)} pictures of the subject; the first {MOST} by name are used", file=sys.stderr)
    return tuple(_reference(path, found[path], name) for path in chosen[:MOST])


def described(reference: "Reference") -> dict[str, str]:
    """What a picture's settings say of a demonstration: its name, the SHA-256 of its file, and its caption."""
    data, name = reference.picture.data, reference.picture.url
    return {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "caption": reference.caption}


def subject_sampler(
    student: "Suti", shown: "tuple[Reference, ...]", weight: float, interval: tuple[float, float]
) -> Sampler:
    """`diffusion.sample.sample` for a subject: the same arguments, and the demonstrations are followed with this
    `weight`, and they and the prompt within this `interval` of time; see `students.guidance.Within`.

    Text guidance up to 1 means none, as it does there. Each picture depends on its own seed alone, so the student is
    asked for no more at once than its device computes at once.
    """
    from tutelage.diffusion.sample import lane_width
    from tutelage.students.base import Request
    from tutelage.students.guidance import TwoWeights, within

    def sample(
        pipeline: Any, prompts: Sequence[str], seeds: Sequence[int], *, guidance: float, batch: int, **options: Any
    ) -> "Iterator[list[Image]]":
        requests = [Request(text=t, references=shown, seed=s) for t, s in zip(prompts, seeds, strict=True)]
        both = within(interval, TwoWeights(text=max(1.0, guidance), references=weight))
        made = student.generate(requests, guidance=both, batch=lane_width(pipeline, batch), **options)
        yield from _watched(made, len(requests))

    return sample


def _watched(made: "Iterator[list[Image]]", total: int) -> "Iterator[list[Image]]":
    """The pictures one by one, with a bar on stderr if that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console, single = Console(stderr=True), ([image] for images in made for image in images)
    yield from track(single, "pictures", total, console=console, transient=True, disable=not console.is_terminal)


def subject_sheet(shown: "Sequence[Reference]", drawn: "Image", size: tuple[int, int], prompt: str) -> "Image":
    """The demonstrations, each as large as fits `size` = (width, height), a line, and the sheet of what was drawn."""
    import numpy as np
    from PIL import ImageOps

    from tutelage.diffusion.pictures import decode
    from tutelage.toybox.sheet import INK, contact_sheet, grid, words

    small = [ImageOps.contain(decode(reference.picture.data), size) for reference in shown]
    above, below = np.asarray(contact_sheet([np.asarray(image) for image in small], COLUMNS)), np.asarray(drawn)
    width = max(above.shape[1], below.shape[1])
    line = np.full((2, width, 3), INK, np.uint8)
    return grid([[words("the subject", width)], [above], [line], [words(prompt, width)], [below]])


def _files(path: Path) -> "list[tuple[Path, File]]":
    """The pictures that a path means, unread, and where they are."""
    from tutelage.sources.folder import FolderPart
    from tutelage.sources.names import IMAGES

    if not path.exists():
        raise BadInput(f"there is no {path}; give pictures of the subject, or a folder of them")
    try:
        root, names = _folder_of(path) if path.is_dir() else (path.parent.resolve(), (path.name,))
        files = list(FolderPart(root=root, names=names, licence="").files())
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); make it readable") from error
    if not files:
        what = "holds no pictures" if path.is_dir() else "is no picture"
        raise BadInput(f"{path} {what} ({', '.join(sorted(IMAGES))}); give pictures of one subject, or their folder")
    if faults := [f"{file.row.url}: {file.row.fault}" for file in files if file.path is None]:
        raise BadInput(f"{faults[0]}; mend that line, or give the pictures themselves")
    return [(file.path, file) for file in files if file.path is not None]


def _folder_of(path: Path) -> tuple[Path, tuple[str, ...]]:
    """A folder and what to read in it: itself, by its metadata (the empty name), or else the files directly in it."""
    from tutelage.sources.folder import METADATA

    root = path.resolve()
    if any((root / name).is_file() for name in METADATA):
        return root, ("",)
    return root, tuple(entry.name for entry in root.iterdir() if not entry.is_dir())


def _reference(path: Path, file: "File", name: str) -> "Reference":
    from tutelage.diffusion.pictures import decode
    from tutelage.triplet import Picture, Reference

    data, beside = _read(path)
    decode(data, str(path))
    about = file.row
    caption = (about.alt_text if file.captioned else beside) or name
    if not caption:
        raise BadInput(f"{path} has no caption, and the prompt names no subject; give --subject-name")
    picture = Picture(data=data, url=about.url, page=about.page_url, alt=about.alt_text, licence=about.licence)
    return Reference(picture=picture, caption=caption)


def _read(path: Path) -> tuple[bytes, str]:
    """The bytes of a picture and the text beside it, if there is one."""
    from tutelage.sources.folder import FolderPart

    part = FolderPart(root=path.parent, names=(path.name,), licence="")
    rows = [row for batch in part.batches({"image", "alt_text", "fault"}) for row in batch.to_pylist()]
    if not rows or rows[0]["image"] is None:
        raise BadInput(f"{path}: {rows[0]['fault'] if rows else 'not a picture'}; give a picture that can be read")
    return rows[0]["image"], rows[0]["alt_text"]
