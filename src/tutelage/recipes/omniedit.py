"""OmniEdit: seven specialists, judges, and a student that edits as told.

Docstrings give the command and the hardware. Students of true pairs, to compare with, are in `recipes.edits`.
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
from tutelage.judges.tags import Tags
from tutelage.mining.edit_orders import PAPER, Ordering
from tutelage.segmentation.masks import Masks
from tutelage.sources.toybox import Toybox
from tutelage.stages.settings import EditBenching, EditLearning
from tutelage.teachers.specialists.attribute import Attribute
from tutelage.teachers.specialists.environment import Environment
from tutelage.teachers.specialists.guild import Specialists, guild
from tutelage.teachers.specialists.settings import Drawing
from tutelage.teachers.specialists.style import Style
from tutelage.training.settings import Schedule

RUNS = Path("runs")
EVEN = dict.fromkeys(PAPER, 1.0)
"""Every task as often as every other."""
TOYBOX = Drawing(steps=12, guidance=3.0)
"""What suits toybox-sd."""
STRICT = PromptToPrompt(cross=0.5, self_attention=0.8, coarse=1.0)
"""Keeps more of a toy's shape than the default: see docs/log.md."""

SIMILARITY, DIRECTION, CAPTIONS = 0.4, 0.65, 0.7
"""Thresholds for the cosines of toybox-clip: see docs/log.md."""
READ = Tags(
    tagger="toybox-tagger", always=("kind", "scene", "view", "accessory", "environment", "style"), threshold=0.8
)
"""Who reads whether the pictures show what their captions say; colours, patterns and moods only where they change. The
threshold was chosen on a crawl's pairs: see docs/log.md. With 0 all pass."""

LEARNING = EditLearning(
    student="editnet",
    base="toybox-dit",
    schedule=Schedule(steps=6_000, batch=16, lr=1e-3, warmup=100, decay=0.5, ema=0.998),
)
"""An EditNet, with what suits toybox-dit."""


def toys(drawing: Drawing) -> Specialists:
    """Specialists for the toybox. Of the pictures that are drawn two at once, the first is the one that was found.

    Toys that toybox-sd draws by itself are blurred; so would be the sources.
    """
    told: dict[str, Any] = {"base": "", "drawing": drawing, "source": "found", "inversion": None}
    return replace(
        guild("", drawing, Masks()),
        branch="toybox-brush-net",
        attribute=Attribute(**told),
        environment=Environment(**told, control=STRICT),
        style=Style(**told),
    )


def omniedit() -> InstructionDriven:
    """OmniEdit (Wei et al. 2024) on the toybox: a crawl, seven specialists, judges, and a student of what they keep.

    `tutelage run omniedit --workers 2`; two cores. Its student is OmniEdit's own, an EditNet; the one that ships,
    toybox-edit, was taught before there was the judge `tags`, by three times as many pairs (`--learning.gate`).
    `--learning.student instruct-pix2pix --learning.base toybox-sd` makes another. toybox-brush-net is made for
    toybox-sd: with another base say `--teacher.branch ""`, or give one that is made for it.
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
        tags=READ,
        safety=Safety(classifier=OFF),
        learning=LEARNING,
        bench=EditBenching(steps=8, text_guidance=2.5),
    )


def omniedit_photos() -> InstructionDriven:
    """The same for photographs and SDXL, tasks as often as in the paper, masks by Grounding DINO and SAM.

    `tutelage run omniedit-photos --pages FOLDER --language-model URL#MODEL --safety.classifier OWNER/NAME`, on a
    machine with an accelerator. Captions are the pages' alt texts unless a captioner is given (--captioner). The
    student is an InstructPix2Pix of SDXL with the numbers of Generative Data Refinement (Boesel & Rombach 2024); for an
    EditNet give `--learning.student editnet --learning.base OWNER/NAME` of a Stable Diffusion 3.
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
        learning=EditLearning(
            held_out=0.02, schedule=Schedule(steps=20_000, batch=160, lr=1e-5, warmup=500, decay=0.1, ema=0.9999)
        ),
        bench=EditBenching(clip=clip, steps=50),
    )


ANY = {"clip-image": (-1.0, 1.0), "clip-direction": (-1.0, 1.0), "clip-captions": (-1.0, 1.0), "tags": (0.0, 1.0)}
"""A gate that what judges said of likeness, direction, captions and tags passes, whatever it is."""


def omniedit_debug() -> InstructionDriven:
    """All of `omniedit`, too short for good pictures or a good student.

    `tutelage run omniedit-debug`; two cores, about a minute.
    """
    short = replace(LEARNING.schedule, steps=4, batch=4)
    return replace(
        omniedit(),
        out=RUNS / "omniedit-debug",
        crawl=Toybox(path=RUNS / "debug-crawl", pages=24),
        pictures=6,
        teacher=toys(Drawing(steps=2, guidance=3.0)),
        learning=replace(LEARNING, schedule=short, gate=ANY),
        bench=EditBenching(items=1, steps=2, curve=(1.0, 2.0), curve_items=1, curve_runs=2),
    )
