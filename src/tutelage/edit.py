"""`tutelage edit`: a picture changed as told, by any editor, with the settings inside."""

import hashlib
import sys
import time
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from tutelage.errors import BadInput
from tutelage.generate import counted, make_folder
from tutelage.run import write_atomic
from tutelage.segmentation.masks import Masks
from tutelage.stamp import EditSettings, png

if TYPE_CHECKING:  # as in `generate`
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from tutelage.students.edit_student import EditStudent
    from tutelage.triplet import Reference

EDITOR: Final = "toybox-edit"
"""The shipped editor."""
STEPS: Final = 24
TEXT, IMAGE = 7.5, 1.5
"""InstructPix2Pix's weights."""
TOYS_TEXT: Final = 2.5
"""What suits the shipped editor: see docs/log.md."""
MASKS: Final = Masks()
DILATION: Final = 0.03
"""How far a mask's boundary is moved outwards, as a share of the shorter side: as specialists do."""


def edit(
    image: Path,
    instruction: str,
    /,
    *,
    model: str = EDITOR,
    n: int = 1,
    seed: int = 0,
    out: Path = Path("edited"),
    steps: int = STEPS,
    text_guidance: float | None = None,
    image_guidance: float = IMAGE,
    mask_guidance: float = 0.0,
    mask: str = "",
    masks: Masks = MASKS,
    negative: str = "",
    size: tuple[int, int] | None = None,
    batch: int = 8,
    device: str = "auto",
    dtype: Literal["auto", "fp32", "fp16", "bf16"] = "auto",
) -> None:
    """Change a picture as told: 0000.png, 0001.png, ... with their settings inside, and sheet.png beside the source.

    Args:
        image: The picture to change.
        instruction: What to do, such as "make it night".
        model: An editor: a shipped name, a folder that a recipe wrote or a Hub id, be it InstructPix2Pix of Stable
            Diffusion, SDXL or SD3, a ControlNet that was trained to edit, or an EditNet.
        n: Number of pictures.
        seed: From 0 to 2**63 - 1. The same seed gives the same pictures, and more with a larger n.
        out: Folder to write to; files of the same names are replaced.
        steps: Denoising steps a picture.
        text_guidance: How strictly to follow the instruction; by default 2.5 with the shipped editor, else 7.5.
        image_guidance: How strictly to keep to the picture.
        mask_guidance: How strictly to keep what is outside the mask, from 0 to 1: after each step it is replaced by
            the picture at that step's noise (M * edited + (1 - M) * input, with 1); less mixes; 0 is none.
        mask: Phrase that names what may change, such as "the hat"; by default it is found where the editor says
            something else with the instruction than without.
        masks: Who finds what the phrase names; for photographs give --masks.detector and --masks.segmenter, such as
            IDEA-Research/grounding-dino-base and facebook/sam-vit-large.
        negative: What to steer away from.
        size: Height and width in pixels; by default what suits the model and has the picture's aspect ratio.
        batch: Pictures to make at once; on a CPU it changes nothing.
        device: auto, cpu, cuda, cuda:1, ... or mps.
        dtype: Number format to compute in; auto is bf16 on CUDA and fp32 elsewhere.

    Raises:
        BadInput: a value is out of range, or the picture or the model cannot be loaded.
    """
    _check(n=n, seed=seed, steps=steps, batch=batch)
    _check_mask(mask_guidance, mask)
    source = _source(image)
    make_folder(out)
    editor, origin = load_editor(model, device, dtype)
    from tutelage.diffusion.pictures import decode
    from tutelage.diffusion.words import prompt_warnings
    from tutelage.students.edit_drawing import edited_size

    for line in prompt_warnings(editor.pipeline, instruction):
        print(f"tutelage: {line}", file=sys.stderr)
    before = decode(source.picture.data, str(image))
    height, width = edited_size(editor.pipeline, before, size)
    asked: dict[str, Any] = {"prompt": instruction, "negative": negative, "seed": seed, "steps": steps}
    first = EditSettings(
        **asked, **origin, index=0, height=height, width=width,
        guidance=text_weight(model) if text_guidance is None else text_guidance,
        image_guidance=image_guidance, source=about(source, image.name), mask_guidance=mask_guidance, mask=mask,
    )  # fmt: skip
    find = partial(_masked, masks, mask, device, str(image)) if mask else None
    started, pictures = time.monotonic(), edited(editor, source, first, n, batch, find)
    made = [_written(one, replace(first, index=i), out) for i, one in enumerate(pictures)]
    seconds = time.monotonic() - started
    print(f"{counted(n, 'picture')} in {seconds:.1f} s: {_sheet(before, made, out)}")


def text_weight(model: str | Path) -> float:
    """How strictly an editor follows the instruction unless it is told."""
    return TOYS_TEXT if model == EDITOR else TEXT


def is_editor(folder: Path) -> bool:
    """Whether a pipeline folder is an editor's that was trained here, or one of diffusers' own of that kind.

    Raises:
        BadInput: it is no pipeline folder, or a broken one.
    """
    from tutelage.diffusion.quiet import quiet_libraries
    from tutelage.students import EDITORS, FOLDERS

    with quiet_libraries():
        from tutelage.students.folder import pipeline_class
    return FOLDERS.get(pipeline_class(folder)) in EDITORS


def load_editor(model: str | Path, device: str = "auto", dtype: str = "auto") -> "tuple[EditStudent, dict[str, Any]]":
    """An editor, by shipped name, folder or Hub id, and the fields of `Settings` that it decides.

    Raises:
        BadInput: there is no such model or device, or the model is broken or no editor.
    """
    from tutelage.diffusion.device import dtype_name
    from tutelage.diffusion.load import local_folder, weights_hash
    from tutelage.diffusion.quiet import quiet_libraries
    from tutelage.students import EDITORS, FOLDERS, student
    from tutelage.toybox.checkpoints import checkpoint

    with quiet_libraries():  # importing diffusers' pipelines is not silent
        from tutelage.students.folder import pipeline_class

    folder = local_folder(checkpoint(model))
    name = FOLDERS.get(found := pipeline_class(folder))
    if name not in EDITORS:
        raise BadInput(f"{folder} is a {found}, which does not edit; give what `tutelage run instruct-pix2pix` makes")
    with quiet_libraries():
        kind: Any = student(name)
    editor = kind.load(folder, device, dtype)
    pipeline = editor.pipeline
    origin = {"model": str(model), "model_hash": weights_hash(folder), "scheduler": type(pipeline.scheduler).__name__}
    return editor, origin | {"dtype": dtype_name(pipeline.dtype), "device": pipeline.device.type}


def edited(
    editor: "EditStudent", source: "Reference", first: EditSettings, n: int, batch: int, find: Any = None
) -> "chain[Image]":
    """Pictures 0 to `n - 1` of a run of edits, as they are made; `find` says where a picture may change."""
    from tutelage.diffusion.sample import image_seed
    from tutelage.students.base import Request
    from tutelage.students.guidance import ImageFirst
    from tutelage.students.mask_guidance import MaskGuidance

    asked = [Request(text=first.prompt, references=(source,), seed=image_seed(first.seed, i)) for i in range(n)]
    guidance = ImageFirst(text=first.guidance, image=first.image_guidance)
    size = (first.height, first.width)
    told: dict[str, Any] = {"guidance": guidance, "size": size, "negative": first.negative, "batch": batch}
    if first.mask_guidance:
        told["masked"] = MaskGuidance(weight=first.mask_guidance, find=find)
    return chain.from_iterable(editor.generate(asked, steps=first.steps, **told))


def _masked(masks: Masks, phrase: str, device: str, name: str, picture: "Image") -> "NDArray[np.bool_]":
    """The mask (H, W) of what a phrase names, its boundary dilated.

    Raises:
        BadInput: it is not there, or is nearly all of the picture.
    """
    from tutelage.diffusion.regions import dilated

    found = masks.of(picture, phrase, device)
    if found is None:
        raise BadInput(f"'{phrase}' is not in {name}, or is nearly all of it; give another --mask, or none")
    return dilated(found, DILATION)


def about(source: "Reference", name: str) -> dict[str, str]:
    """What a picture's settings say of its source."""
    return {"name": name, "sha256": hashlib.sha256(source.picture.data).hexdigest()}


def _source(path: Path) -> "Reference":
    from tutelage.diffusion.pictures import frame_of
    from tutelage.triplet import Picture, Reference

    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); give a picture") from error
    frame_of(data, str(path))
    return Reference(picture=Picture(data=data, url=str(path)))


def _written(image: "Image", settings: EditSettings, out: Path) -> "Image":
    write_atomic(out / f"{settings.index:04d}.png", png(image, settings))
    return image


def _sheet(before: "Image", made: "list[Image]", out: Path) -> Path:
    """Write the source and what became of it, side by side."""
    import numpy as np

    from tutelage.toybox.sheet import contact_sheet, save

    path, shown = out / "sheet.png", [before.resize(made[0].size), *made]
    save(contact_sheet([np.asarray(picture.convert("RGB")) for picture in shown], min(len(shown), 8)), path)
    return path


def _check_mask(weight: float, phrase: str) -> None:
    if not 0 <= weight <= 1:
        raise BadInput(f"--mask-guidance {weight}: give a weight from 0 (none) to 1 (nothing else changes)")
    if phrase and not weight:
        raise BadInput(f"--mask '{phrase}' is of no use without --mask-guidance; give --mask-guidance 1")


def _check(*, seed: int, **counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise BadInput(f"{name} is {value}; give at least 1")
    if not 0 <= seed < 2**63:
        raise BadInput(f"seed is {seed}; give a number from 0 to 2**63 - 1")
