"""`tutelage bench toybox`: subject-driven generation of toys that no training has seen."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from tutelage.benches.subjects.questions import CANDIDATES, FIVE, RENDERS, SubjectsBench
from tutelage.errors import BadInput, did_you_mean
from tutelage.generators.base import Generator
from tutelage.generators.dream import TUNING, DreamSuti
from tutelage.generators.experts import KINDS, TOYBOX, ExpertSettings, expert
from tutelage.generators.given import Copy, Images
from tutelage.generators.networks import GUIDANCE, STEPS, Base, Student
from tutelage.subject import STUDENT
from tutelage.teachers.settings import Training
from tutelage.triplet import SKILLS


@dataclass(frozen=True, kw_only=True)
class ToyboxBench:
    """Who is asked, what, and how answers are drawn."""

    student: str | None = None
    """A student to measure: a shipped name, a folder or a Hub id."""
    beside: tuple[str, ...] = ("base", "copy")
    """Who else answers: expert (SuTI's), dreambooth (rare token, class word, prior preservation), textual-inversion,
    imagic, sdedit, dream-suti (the student, trained on each toy), base (the text alone), copy (the first
    demonstration)."""
    re_imagen: str | None = None
    """A student of the recipe re-imagen to measure: it draws with that paper's interleaved guidance."""
    images: Path | None = None
    """A folder of pictures to measure, each named after its question in questions.jsonl: 0007-view.png."""
    out: Path = Path("bench-toybox")
    """Folder for questions, pictures, rows.json and sheet.png."""
    subjects: int = 100
    """Toys, with five questions each."""
    demonstrations: int = 4
    """Pictures that show a toy, 1 to 5."""
    compositions: bool = False
    """Ask for two things at once as well: six questions a toy."""
    seed: int = 0
    """Of toys, scenes, noise and resamples."""
    steps: int = STEPS
    """Denoising steps of student and base."""
    text_guidance: float = GUIDANCE
    """How strictly student and base follow the prompt."""
    subject_guidance: float = GUIDANCE
    """How strictly the student follows the demonstrations."""
    guidance_interval: tuple[float, float] = (1.0, 0.0)
    """When it does: from this share of the time to that one, noise alone being 1 and a finished picture 0."""
    dtype: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    """Number format the student computes in; auto is bf16 on CUDA and fp32 elsewhere."""
    base: str = "toybox-sd"
    """What experts start from, and who answers as base."""
    experts: ExpertSettings = TOYBOX
    """How experts are made."""
    tuning: Training = TUNING
    """How dream-suti learns a toy."""
    candidates: int = CANDIDATES
    """Toys of its kind that the right one is picked from, itself included."""
    renders: int = RENDERS
    """Real pictures that say what a real picture is like."""
    json: Path | None = None
    """File to write the rows to as well."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, ... or mps."""
    workers: int = 2
    """Processes that render."""

    def questions(self) -> SubjectsBench:
        """Which questions are asked.

        Raises:
            BadInput: a count is out of range.
        """
        return SubjectsBench(
            subjects=self.subjects,
            skills=SKILLS if self.compositions else FIVE,
            demonstrations=self.demonstrations,
            seed=self.seed,
            candidates=self.candidates,
            renders=self.renders,
        )

    def generators(self) -> list[Generator]:
        """Who answers.

        Raises:
            BadInput: `beside` names somebody unknown, or the base is absent.
        """
        made: list[Generator] = [] if self.student is None else [_student(self, self.student)]
        if self.re_imagen is not None:
            made.append(replace(_student(self, self.re_imagen), name="re-imagen", interleaved=True))
        made += [] if self.images is None else [Images(folder=self.images)]
        return [*made, *(BESIDE[name](self) for name in self.beside)]

    def check(self) -> None:
        """Look at what is asked for before minutes of work.

        Raises:
            BadInput: a value is wrong.
        """
        for name in self.beside:
            if name not in BESIDE:
                raise BadInput(f"--beside {name}: nobody.{did_you_mean(name, BESIDE)} There are {', '.join(BESIDE)}")
        if self.workers < 1:
            raise BadInput(f"--workers {self.workers}: give at least 1")
        if self.json is not None and (self.json.is_dir() or not self.json.absolute().parent.is_dir()):
            raise BadInput(f"--json {self.json}: give a file in a folder that exists")


def bench_toybox_command(bench: ToyboxBench) -> None:
    """Measure who draws toys that no training has seen: right toy, right text, a real picture, all three; and copies.

    Real renders of what is asked stand beside every figure: they say how good it can get. The same command resumes; it
    may name more toys and more to answer then.

    Raises:
        BadInput: an argument is wrong, or a model cannot be loaded.
    """
    bench.check()
    asked, generators = bench.questions(), bench.generators()
    from tutelage.benches.base import print_table, write_json
    from tutelage.benches.subjects.tables import in_tables, print_tables
    from tutelage.generators.bench import run_bench, targets
    from tutelage.generators.sheet import SHEET

    started = time.monotonic()
    rows = run_bench(bench.out, generators, asked, device=bench.device, workers=bench.workers)
    goals = targets(generators)
    print_tables(rows)
    print_table([row for row in rows if (row.bench, row.row, row.metric) in goals or not in_tables(row)], goals)
    print(_footer(generators, asked.seed, time.monotonic() - started))
    print(f"pictures: {bench.out / SHEET}")
    if bench.json is not None:
        write_json(rows, bench.json)


def _student(bench: ToyboxBench, model: str) -> Student:
    return Student(
        model=model,
        seed=bench.seed,
        steps=bench.steps,
        text=bench.text_guidance,
        references=bench.subject_guidance,
        interval=bench.guidance_interval,
        dtype=bench.dtype,
        device=bench.device,
    )


def _base(bench: ToyboxBench) -> Generator:
    return Base(model=bench.base, seed=bench.seed, steps=bench.steps, guidance=bench.text_guidance, device=bench.device)


def _dream(bench: ToyboxBench) -> Generator:
    return DreamSuti(
        model=bench.student or STUDENT,
        training=bench.tuning,
        seed=bench.seed,
        steps=bench.steps,
        text=bench.text_guidance,
        references=bench.subject_guidance,
        device=bench.device,
    )


def _expert(name: str) -> Callable[[ToyboxBench], Generator]:
    return lambda bench: expert(name, bench.base, bench.experts, seed=bench.seed, device=bench.device)


BESIDE: Final[Mapping[str, Callable[[ToyboxBench], Generator]]] = {
    **{name: _expert(name) for name in KINDS},
    "dream-suti": _dream,
    "base": _base,
    "copy": lambda _: Copy(),
}
"""Who can stand beside a student, by name."""


def _footer(generators: list[Generator], seed: int, seconds: float) -> str:
    """Hashes of all that figures depend on, and what they took."""
    from tutelage.benches.subjects.examiner import FEATURES, READER
    from tutelage.diffusion.load import weights_hash
    from tutelage.toybox.vision import folder_of

    made = {name: weights_hash(folder_of(name)) for name in (FEATURES, READER)}
    made |= {generator.name: digest for generator in generators if (digest := generator.made_from())}
    return f"{', '.join(f'{name} (sha256 {digest})' for name, digest in made.items())}; seed {seed}; {seconds:.0f} s"
