"""Who answers a bench's questions, as a command line asks for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from tutelage.editing.settings import NullText
from tutelage.errors import BadInput, did_you_mean
from tutelage.generators.base import Generator
from tutelage.generators.dream import TUNING, DreamSuti
from tutelage.generators.experts import KINDS, TOYBOX, ExpertSettings, expert
from tutelage.generators.given import Copy
from tutelage.generators.networks import GUIDANCE, STEPS, Base, Student
from tutelage.generators.null_text import NullTextEditor
from tutelage.students.guidance import INTERVAL, within
from tutelage.subject import STUDENT
from tutelage.teachers.settings import Training


@dataclass(frozen=True, kw_only=True)
class Answering:
    """Who is asked, and how answers are drawn."""

    student: str | None = None
    """A student to measure: a shipped name, a folder or a Hub id."""
    beside: tuple[str, ...] = ("base", "copy")
    """Who else answers: expert (SuTI's), dreambooth (rare token, class word, prior preservation), textual-inversion,
    imagic, sdedit, null-text (with Prompt-to-Prompt), dream-suti (the student, trained on each toy), base (the text
    alone), copy (the first demonstration)."""
    re_imagen: str | None = None
    """A student of the recipe re-imagen to measure: it draws with that paper's interleaved guidance."""
    seed: int = 0
    """Of whatever is drawn by chance: subjects, scenes, noise and resamples."""
    steps: int = STEPS
    """Denoising steps of student and base."""
    text_guidance: float = GUIDANCE
    """How strictly student and base follow the prompt."""
    subject_guidance: float = GUIDANCE
    """How strictly the student follows the demonstrations."""
    guidance_interval: tuple[float, float] = INTERVAL
    """When it does: from this share of the time to that one, noise alone being 1 and a finished picture 0."""
    dtype: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    """Number format the student computes in; auto is bf16 on CUDA and fp32 elsewhere."""
    base: str = "toybox-sd"
    """What experts start from, and who answers as base."""
    experts: ExpertSettings = TOYBOX
    """How experts are made."""
    tuning: Training = TUNING
    """How dream-suti learns a subject."""
    json: Path | None = None
    """File to write the rows to as well."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, ... or mps."""

    def students(self) -> list[Generator]:
        """The students that are asked."""
        made: list[Generator] = [] if self.student is None else [_student(self, self.student)]
        if self.re_imagen is not None:
            made.append(replace(_student(self, self.re_imagen), name="re-imagen", interleaved=True))
        return made

    def others(self) -> list[Generator]:
        """Who stands beside them.

        Raises:
            BadInput: the base is absent.
        """
        return [BESIDE[name](self) for name in self.beside]

    def check(self) -> None:
        """Look at what is asked for before minutes of work.

        Raises:
            BadInput: a value is wrong.
        """
        within(self.guidance_interval)
        for name in self.beside:
            if name not in BESIDE:
                raise BadInput(f"--beside {name}: nobody.{did_you_mean(name, BESIDE)} There are {', '.join(BESIDE)}")
        if self.json is not None and (self.json.is_dir() or not self.json.absolute().parent.is_dir()):
            raise BadInput(f"--json {self.json}: give a file in a folder that exists")


def _student(bench: Answering, model: str) -> Student:
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


def _base(bench: Answering) -> Generator:
    return Base(model=bench.base, seed=bench.seed, steps=bench.steps, guidance=bench.text_guidance, device=bench.device)


def _null_text(bench: Answering) -> Generator:
    learnt = NullText(guidance=bench.text_guidance)
    return NullTextEditor(base=bench.base, steps=bench.steps, null_text=learnt, device=bench.device)


def _dream(bench: Answering) -> Generator:
    return DreamSuti(
        model=bench.student or STUDENT,
        training=bench.tuning,
        seed=bench.seed,
        steps=bench.steps,
        text=bench.text_guidance,
        references=bench.subject_guidance,
        interval=bench.guidance_interval,
        device=bench.device,
    )


def _expert(name: str) -> Callable[[Answering], Generator]:
    return lambda bench: expert(name, bench.base, bench.experts, seed=bench.seed, device=bench.device)


BESIDE: Final[Mapping[str, Callable[[Answering], Generator]]] = {
    **{name: _expert(name) for name in KINDS},
    "null-text": _null_text,
    "dream-suti": _dream,
    "base": _base,
    "copy": lambda _: Copy(),
}
"""Who can stand beside a student, by name."""
