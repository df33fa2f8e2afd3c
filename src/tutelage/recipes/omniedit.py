"""OmniEdit: seven specialists, judges, and a corpus of edits by instruction.

Docstrings give the command, the hardware and the time. The student that learns from the corpus is another recipe's.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tutelage.edit_pipeline import InstructionDriven
from tutelage.editing.settings import PromptToPrompt
from tutelage.judges.clip_captions import ClipCaptions
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.judges.outside_mask import OutsideMask
from tutelage.judges.safety import OFF, Safety
from tutelage.mining.edit_orders import PAPER, Ordering
from tutelage.segmentation.masks import Masks
from tutelage.sources.toybox import Toybox
from tutelage.teachers.specialists.attribute import Attribute
from tutelage.teachers.specialists.environment import Environment
from tutelage.teachers.specialists.guild import Specialists, guild
from tutelage.teachers.specialists.settings import Drawing
from tutelage.teachers.specialists.style import Style

RUNS = Path("runs")
EVEN = dict.fromkeys(PAPER, 1.0)
"""Every task as often as every other."""
TOYBOX = Drawing(steps=12, guidance=3.0)
"""What suits toybox-sd."""
STRICT = PromptToPrompt(cross=0.5, self_attention=0.8, coarse=1.0)
"""Keeps more of a toy's shape than the default: see docs/log.md."""

SIMILARITY, DIRECTION, CAPTIONS = 0.4, 0.75, 0.75
"""Thresholds for the cosines of toybox-clip: see docs/log.md."""


def toys(drawing: Drawing) -> Specialists:
    """Specialists for the toybox. Of the pictures that are drawn two at once, the first is the one that was found.

    Toys that toybox-sd draws by itself are blurred; so would be the sources.
    """
    told: dict[str, Any] = {"base": "", "drawing": drawing, "source": "found", "inversion": None}
    return replace(
        guild("", drawing, Masks()),
        attribute=Attribute(**told),
        environment=Environment(**told, control=STRICT),
        style=Style(**told),
    )


def omniedit() -> InstructionDriven:
    """OmniEdit's data (Wei et al. 2024) on the toybox: a crawl, seven specialists, and a panel of judges.

    `tutelage run omniedit --workers 2`; two cores.
    """
    clip = "toybox-clip"
    return InstructionDriven(
        out=RUNS / "omniedit",
        crawl=Toybox(path=RUNS / "crawl", pages=2000),
        pictures=2000,
        ordering=Ordering(tasks=EVEN),
        teacher=toys(TOYBOX),
        clip_image=ClipImage(clip=clip, threshold=SIMILARITY),
        clip_direction=ClipDirection(clip=clip, threshold=DIRECTION),
        clip_captions=ClipCaptions(clip=clip, threshold=CAPTIONS),
        outside_mask=OutsideMask(),
        safety=Safety(classifier=OFF),
    )


def omniedit_photos() -> InstructionDriven:
    """The same for photographs and SDXL, tasks as often as in the paper, masks by Grounding DINO and SAM.

    `tutelage run omniedit-photos --pages FOLDER --language-model URL#MODEL --safety.classifier OWNER/NAME`, on a
    machine with an accelerator. Captions are the pages' alt texts unless a captioner is given (--captioner).
    """
    clip = "openai/clip-vit-large-patch14"
    masks = Masks(segmenter="facebook/sam-vit-large", detector="IDEA-Research/grounding-dino-base")
    return InstructionDriven(
        out=RUNS / "omniedit-photos",
        pages="photos",
        base="stabilityai/stable-diffusion-xl-base-1.0",
        captioner="",
        language_model="",
        ordering=Ordering(tasks=dict(PAPER)),
        teacher=guild("", Drawing(), masks),
        clip_image=ClipImage(clip=clip),
        clip_direction=ClipDirection(clip=clip),
        clip_captions=ClipCaptions(clip=clip),
        outside_mask=OutsideMask(),
        safety=Safety(classifier=""),
    )


def omniedit_debug() -> InstructionDriven:
    """All of `omniedit`, too short for good pictures.

    `tutelage run omniedit-debug`; two cores, under a minute.
    """
    clip = "toybox-clip"
    return InstructionDriven(
        out=RUNS / "omniedit-debug",
        crawl=Toybox(path=RUNS / "debug-crawl", pages=24),
        pictures=6,
        ordering=Ordering(tasks=EVEN),
        teacher=toys(Drawing(steps=2, guidance=3.0)),
        clip_image=ClipImage(clip=clip, threshold=SIMILARITY),
        clip_direction=ClipDirection(clip=clip, threshold=DIRECTION),
        clip_captions=ClipCaptions(clip=clip, threshold=CAPTIONS),
        outside_mask=OutsideMask(),
        safety=Safety(classifier=OFF),
    )
