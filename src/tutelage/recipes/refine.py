"""Generative Data Refinement: pairs that there are, drawn anew by a better model.

Docstrings give the command. The numbers of `refine-photos` are the paper's; those of the toybox are ours.
"""

from pathlib import Path

from tutelage.editing.refine import Refinement
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.recipes.omniedit import DIRECTION, SIMILARITY
from tutelage.refine_pipeline import Refining

RUNS = Path("runs")


def refine() -> Refining:
    """The pairs of `omniedit`, drawn anew by toybox-sd from half noise.

    `tutelage run refine --data CORPUS`; two cores.
    """
    clip = "toybox-clip"
    return Refining(
        out=RUNS / "refine",
        data=RUNS / "omniedit" / "corpus",
        refinement=Refinement(base="toybox-sd", log_snr=0.0, guidance=3.0),
        clip_image=ClipImage(clip=clip, threshold=SIMILARITY),
        clip_direction=ClipDirection(clip=clip, threshold=DIRECTION),
    )


def refine_photos() -> Refining:
    """Generative Data Refinement (Boesel & Rombach 2024) with its constants, by SDXL and its refiner.

    `tutelage run refine-photos --data FOLDER`, on a machine with an accelerator; `--refinement.enlarger OWNER/NAME`
    enlarges by a network first (the paper's is HAT, for twice the size), else pictures are interpolated.
    """
    clip = "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k"
    return Refining(
        out=RUNS / "refine-photos",
        data=Path("edits"),
        refinement=Refinement(
            base="stabilityai/stable-diffusion-xl-base-1.0", refiner="stabilityai/stable-diffusion-xl-refiner-1.0"
        ),
        clip_image=ClipImage(clip=clip),
        clip_direction=ClipDirection(clip=clip),
    )
