"""`tutelage bench pie`, `bench omniedit` and `bench editing`: editors on sets of pictures and instructions.

Beside every editor stand the source as it is, which keeps everything and does nothing, and the set's own edits.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tutelage.benches.base import Row, print_table, write_json
from tutelage.errors import BadInput, did_you_mean
from tutelage.generators.editors import Editor, EditSettings, InstructPix2Pix, StudentEditor

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from tutelage.benches.editing.questions import EditQuestion

IMAGE_GUIDANCE: Final = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2)
"""The points of InstructPix2Pix's curve."""
BESIDE: Final = ("source", "reference")
NAMES: Final = {"pie": "pie_bench", "omniedit": "omniedit_bench", "editing": "editing"}
"""Command → bench, as rows call it."""


@dataclass(frozen=True, kw_only=True)
class EditBench:
    """Who edits, and who looks at it."""

    data: Path
    """The set, as its makers lay it out."""
    out: Path
    """Folder for questions, pictures and rows.json."""
    images: Path | None = None
    """A folder of pictures to measure where they are, each named after its question in questions.jsonl; what is absent
    counts as missing."""
    pipeline: str | None = None
    """A folder or Hub id of diffusers' InstructPix2Pix pipeline, to measure."""
    student: str | None = None
    """A folder or Hub id of an editor that was trained here, of any kind, to measure."""
    beside: tuple[str, ...] = BESIDE
    """What else is measured: source (nothing is done), reference (the set's own edits, where it has them)."""
    items: int | None = None
    """Pictures at most; all by default."""
    seed: int = 0
    """Of wordings, pairs, noise and resamples."""
    steps: int = 50
    """Denoising steps of the pipeline."""
    text_guidance: float = 7.5
    """How strictly the pipeline follows the instruction."""
    clip: str = "openai/clip-vit-large-patch14"
    """CLIP for similarities: a shipped name, a folder or a Hub id."""
    json: Path | None = None
    """File to write the rows to as well."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, ... or mps."""

    def editors(self) -> list[Editor]:
        """Who answers."""
        made: list[Editor] = []
        if self.pipeline is not None:
            made.append(InstructPix2Pix(model=self.pipeline, steps=self.steps, seed=self.seed, device=self.device))
        if self.student is not None:
            made.append(StudentEditor(model=self.student, steps=self.steps, seed=self.seed, device=self.device))
        return made

    def check(self) -> None:
        """Look at what is asked for before minutes of work.

        Raises:
            BadInput: a value is wrong.
        """
        for name in self.beside:
            if name not in BESIDE:
                raise BadInput(f"--beside {name}: nobody.{did_you_mean(name, BESIDE)} There are {', '.join(BESIDE)}")
        if self.images is not None and not self.images.is_dir():
            raise BadInput(f"--images {self.images} is not a folder; give one with a picture for each question")
        if self.items is not None and self.items < 1:
            raise BadInput(f"--items {self.items}: give at least 1")
        if not 0 <= self.seed < 2**63 or self.steps < 1:
            raise BadInput(f"--seed {self.seed} --steps {self.steps}: give a seed from 0 and at least 1 step")
        if self.json is not None and (self.json.is_dir() or not self.json.absolute().parent.is_dir()):
            raise BadInput(f"--json {self.json}: give a file in a folder that exists")


@dataclass(frozen=True, kw_only=True)
class DistanceBench(EditBench):
    """An `EditBench` that also measures how much was kept."""

    image_guidance: float = 1.5
    """How strictly the pipeline keeps to the source."""
    dino: str = "facebook/dino-vitb8"
    """ViT for the structure distance: a shipped name, a folder, a Hub id, or none."""
    lpips: str = "squeeze"
    """LPIPS's network: squeeze, alex, vgg, or none."""
    lpips_weights: Path | None = None
    """Safetensors of its ImageNet weights; by default the file in the cache of torch.hub."""


@dataclass(frozen=True, kw_only=True)
class PieBench(DistanceBench):
    """PIE-Bench."""

    out: Path = Path("bench-pie")
    """Folder for questions, pictures and rows.json."""
    types: tuple[int, ...] = ()
    """Kinds of edit by number, 0 to 9; all by default."""


@dataclass(frozen=True, kw_only=True)
class OmniEditBench(DistanceBench):
    """OmniEdit's columns."""

    out: Path = Path("bench-omniedit")
    """Folder for questions, pictures and rows.json."""


@dataclass(frozen=True, kw_only=True)
class CurveBench(EditBench):
    """InstructPix2Pix's curve."""

    out: Path = Path("bench-editing")
    """Folder for questions, pictures and rows.json."""
    split: Literal["train", "val", "test"] = "test"
    """Part of the pairs."""
    image_guidance: tuple[float, ...] = IMAGE_GUIDANCE
    """The points of the curve."""
    runs: int = 3
    """Times that everything is drawn, with other noise."""

    def points(self) -> list[EditSettings]:
        """Every guidance of every run.

        Raises:
            BadInput: there are none.
        """
        if self.runs < 1 or not self.image_guidance:
            raise BadInput("a curve needs --runs of at least 1 and a value of --image-guidance")
        return [
            EditSettings(
                text=self.text_guidance,
                image=image,
                run=run,
                place=f"text-{self.text_guidance:g}_image-{image:g}_run-{run}",
            )
            for image in self.image_guidance
            for run in range(self.runs)
        ]


def pie_command(bench: PieBench) -> None:
    """Measure editors on PIE-Bench: structure, background as published and masked right, CLIP of whole and region.

    The same command resumes. Pictures made elsewhere (--images) lie as the set's own do: 1_change_object_80/....png

    Raises:
        BadInput: an argument is wrong, the set is not what it should be, or a network cannot be loaded.
    """
    bench.check()
    from tutelage.benches.editing.pie import read_pie

    _measure("pie", bench, read_pie(bench.data, bench.types, bench.items))


def omniedit_command(bench: OmniEditBench) -> None:
    """Measure editors on Parquet files with OmniEdit's columns: likeness and structure by task and aspect ratio.

    The same command resumes. Pictures made elsewhere (--images) are named TASK/OMNI_EDIT_ID.png

    Raises:
        BadInput: an argument is wrong, the set is not what it should be, or a network cannot be loaded.
    """
    bench.check()
    from tutelage.benches.editing.omniedit import read_omniedit

    _measure("omniedit", bench, read_omniedit(bench.data, bench.seed, bench.items))


def editing_command(bench: CurveBench) -> None:
    """Measure editors on InstructPix2Pix's pairs: CLIP image similarity against direction, by image guidance.

    The same command resumes. Pictures made elsewhere (--images) are named text-7.5_image-1.2_run-0/0000123/SEED.png

    Raises:
        BadInput: an argument is wrong, the set is not what it should be, or CLIP cannot be loaded.
    """
    bench.check()
    from tutelage.benches.editing.pairs import read_pairs
    from tutelage.generators.edit_bench import run_curve

    started, points = time.monotonic(), bench.points()
    questions = read_pairs(bench.data, bench.split, bench.seed, bench.items)
    rows, hashes = run_curve(bench.out, bench, questions, points)
    _finish(bench, rows, rows, hashes, time.monotonic() - started)


def _measure(kind: str, bench: DistanceBench, questions: "list[EditQuestion]") -> None:
    from tutelage.generators.edit_bench import run_distances

    if not questions:
        raise BadInput(f"{bench.data} asks nothing of what was chosen; choose more")
    started = time.monotonic()
    rows, hashes = run_distances(bench.out, bench, NAMES[kind], questions)
    groups = {group for question in questions for group in question.groups}
    overall = [row for row in rows if row.metric.rpartition(": ")[2] not in groups]
    _finish(bench, rows, overall, hashes, time.monotonic() - started)


def _finish(
    bench: EditBench, rows: Sequence[Row], printed: Sequence[Row], hashes: dict[str, str], seconds: float
) -> None:
    print_table(printed)
    models = ", ".join(f"{name} (sha256 {digest})" for name, digest in hashes.items())
    print(f"{models}; seed {bench.seed}; {seconds:.0f} s\nall rows, by group too: {bench.out / 'rows.json'}")
    if bench.json is not None:
        write_json(rows, bench.json)
