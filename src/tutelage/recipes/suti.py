"""SuTI and its relatives: subject-driven generation, from pages to a student.

Docstrings give the command, the hardware, the time and the score. A system of the papers is a few lines: other experts,
other targets, another start.
"""

from dataclasses import replace
from pathlib import Path

from tutelage.judges.delta_clip import DeltaClip
from tutelage.judges.likeness import Likeness
from tutelage.judges.safety import OFF, Safety
from tutelage.mining.settings import PAPER, Mining
from tutelage.pipeline import SubjectDriven
from tutelage.sources.toybox import Toybox
from tutelage.stages.settings import Benching, Imagining, Learning
from tutelage.students.settings import SutiShape, SutiTraining
from tutelage.teachers.dreambooth import DreamBooth
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.training.settings import Schedule

RUNS = Path("runs")

EXPERTS = Fleet(
    base="",
    training=Training(steps=80, batch=1, optimiser="adamw", lr=5e-3),
    sampling=Sampling(samples=1, steps=12, guidance=3.0, scheduler="DDIMScheduler"),
    lora=Lora(rank=4, convolutions=True),
    dtype="bf16",
)
"""What suits toybox-sd: see docs/log.md."""

LEARNING = Learning(
    shape=SutiShape(levels=(0, 1)),
    training=SutiTraining(),
    schedule=Schedule(steps=4000, batch=32, lr=4e-4, warmup=100, decay=0.6, ema=0.998),
)
"""What suits toybox-sd."""

ANY = {"delta-clip": (-2.0, 2.0), "likeness": (-1.0, 1.0)}
"""A gate that lets everything through."""


def suti() -> SubjectDriven:
    """SuTI (Chen et al. 2023) on the toybox: a crawl, 1 008 experts, judges, and a student of what they keep.

    `tutelage run suti --workers 2`; two cores of a Xeon, 2 h by the sum of its steps; subject .988, text .938,
    photo .904, overall .740, copy .000 on 100 unseen toys. Its student ships as toybox-suti.
    """
    return SubjectDriven(
        out=RUNS / "suti",
        crawl=Toybox(path=RUNS / "crawl", pages=2000),
        imagining=Imagining(subjects=1008),
        teacher=EXPERTS,
        delta_clip=DeltaClip(clip="toybox-clip", threshold=0.1),
        likeness=Likeness(network="toybox-dino", low=0.6, high=0.98),
        safety=Safety(classifier=OFF),
        learning=LEARNING,
        bench=Benching(),
    )


def suti_photos() -> SubjectDriven:
    """SuTI with the paper's constants, for photographs and Stable Diffusion.

    `tutelage run suti-photos --pages FOLDER --base OWNER/NAME --safety.classifier OWNER/NAME`, on a machine with an
    accelerator; the classifier says what is unsafe (with --safety.unsafe, its labels), and `--safety.classifier off`
    does without one. Give a captioner and a language model (--mining.captioner, --mining.language-model) unless
    pictures have captions and the grammar's prompts, which know a dozen places and six accessories, are enough.
    """
    clip = "openai/clip-vit-large-patch14"
    return SubjectDriven(
        out=RUNS / "suti-photos",
        pages="photos",
        base="stable-diffusion-v1-5/stable-diffusion-v1-5",
        mining=Mining(encoder=clip, duplicates="", rule=PAPER, captioner="", language_model="grammar"),
        teacher=DreamBooth(base=""),
        delta_clip=DeltaClip(clip=clip),
        likeness=Likeness(network="facebook/dino-vits16", high=0.95),
        safety=Safety(classifier=""),
        learning=Learning(
            optimiser="adafactor", schedule=Schedule(steps=150_000, batch=32, lr=1e-4, decay=0.1, ema=0.9999)
        ),
    )


def demo() -> SubjectDriven:
    """All of SuTI in minutes: 16 experts, and a student that has begun to learn beside the shipped one.

    `tutelage demo`, or `tutelage run demo`; two cores.
    """
    return replace(
        suti(),
        out=RUNS / "demo",
        crawl=Toybox(path=RUNS / "demo-crawl", pages=60),
        mining=Mining(parts=4),
        imagining=Imagining(subjects=16),
        teacher=replace(EXPERTS, size=8),
        learning=replace(LEARNING, schedule=replace(LEARNING.schedule, steps=120, batch=16)),
        bench=Benching(subjects=4, renders=300, baselines=("expert", "textual-inversion"), beside=("toybox-suti",)),
        workers=2,
    )


def debug() -> SubjectDriven:
    """All of SuTI, too short to learn anything.

    `tutelage run debug`; two cores, under a minute.
    """
    short = replace(LEARNING.schedule, steps=4, batch=4)
    return replace(
        suti(),
        out=RUNS / "debug",
        crawl=Toybox(path=RUNS / "debug-crawl", pages=24),
        mining=Mining(parts=2),
        imagining=Imagining(subjects=4, prompts=3),
        teacher=replace(
            EXPERTS, size=2, training=replace(EXPERTS.training, steps=2), sampling=replace(EXPERTS.sampling, steps=2)
        ),
        learning=replace(LEARNING, schedule=short, gate=ANY),
        bench=Benching(subjects=2, renders=100, experts=False),
    )


def copy_paste() -> SubjectDriven:
    """SuTI's first version: k − 1 demonstrations, the k-th as the target. It learns to copy and not to read.

    `tutelage run copy-paste`
    """
    return replace(
        suti(),
        out=RUNS / "copy-paste",
        imagining=Imagining(subjects=1008, words="captions"),
        teacher=None,
        learning=replace(LEARNING, gate=ANY),
    )


def re_imagen() -> SubjectDriven:
    """Re-Imagen (Chen et al. 2023): the target is a real picture, two neighbours are its references.

    `tutelage run re-imagen`. It is drawn from with interleaved guidance.
    """
    learning = replace(LEARNING, training=replace(LEARNING.training, demonstrations=2), gate=ANY)
    return replace(copy_paste(), out=RUNS / "re-imagen", learning=learning, bench=Benching(interleaved=True))


def dream_suti() -> SubjectDriven:
    """Dream-SuTI: a finished student, trained 500 steps more on one subject, from one of its pictures to another.

    `tutelage run dream-suti --pages FOLDER`, with a folder that holds one folder of the subject's pictures.
    """
    return replace(
        copy_paste(),
        out=RUNS / "dream-suti",
        pages="subject",
        mining=Mining(parts=1),
        learning=Learning(
            base="toybox-suti",
            training=replace(LEARNING.training, demonstrations=1),
            schedule=Schedule(steps=500, batch=4, lr=1e-4, warmup=20, ema=0.99),
            gate=ANY,
        ),
        bench=None,
    )
