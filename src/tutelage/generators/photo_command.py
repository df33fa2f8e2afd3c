"""`tutelage bench dreambench`, `dreambench_v2` and `dreambench_plus`: subject-driven generation on photographs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from tutelage.benches.dreambench.compositions import compositional
from tutelage.benches.dreambench.items import Collection, Fed, chosen, items
from tutelage.benches.dreambench.networks import CLIP, DINO, DINO_PLUS
from tutelage.benches.dreambench.photographs import read_dreambench
from tutelage.benches.dreambench.plus import read_plus
from tutelage.chat.settings import Manners
from tutelage.errors import BadInput
from tutelage.generators.answering import Answering
from tutelage.generators.base import Generator
from tutelage.generators.experts import PHOTOS, ExpertSettings
from tutelage.generators.pipelines import Pipeline

if TYPE_CHECKING:  # `--help` needs no PyTorch
    from tutelage.benches.dreambench.figures import Frame
    from tutelage.benches.dreambench.measures import Comparing
    from tutelage.benches.dreambench.rating import Rater
    from tutelage.generators.photographs import Task


@dataclass(frozen=True, kw_only=True)
class PhotoBench(Answering):
    """Who is asked, what, and what looks at the answers."""

    data: Positional[Path]
    """Folder of the dataset."""
    beside: tuple[str, ...] = ("copy",)
    """Who else answers: expert (SuTI's), dreambooth (rare token, class word, prior preservation), textual-inversion,
    imagic, sdedit, dream-suti (the student, trained on each subject), base (the text alone), copy (a photo as it
    is, which must be flagged)."""
    pipeline: str | None = None
    """A diffusers pipeline that looks at a photo, by folder or Hub id; see --argument."""
    argument: str = "image"
    """What that pipeline calls its picture."""
    several: bool = False
    """Give it a list of all photos that are fed, not one."""
    images: tuple[Path, ...] = ()
    """Folders of pictures that somebody made: DIR/backpack/03-1.png is prompt 3 (from 0), picture 1, of `backpack`.
    They are measured where they are; what is absent counts as missing."""
    out: Path = Path("bench-photographs")
    """Folder for pictures, findings, rows.json and page.html."""
    subjects: tuple[str, ...] = ()
    """Which subjects; none: all."""
    prompts: int | None = None
    """The first so many prompts of each subject; none: all."""
    samples: int = 4
    """Pictures a prompt."""
    fed: Fed = "all"
    """Photos that whoever draws is shown: all of the subject, or one (picture s: photo s modulo their number)."""
    base: str = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    """What experts start from, and who answers as base."""
    experts: ExpertSettings = PHOTOS
    """How experts are made."""
    dino: str = DINO
    """What likeness is measured with, by folder or Hub id."""
    clip: str = CLIP
    """A CLIP, for likeness (CLIP-I) and text (CLIP-T)."""
    also: tuple[str, ...] = ()
    """More networks to measure likeness with."""

    def generators(self) -> list[Generator]:
        """Who draws."""
        made = [*self.students(), *self.others()]
        if self.pipeline is not None:
            told: dict[str, Any] = {"seed": self.seed, "steps": self.steps, "device": self.device}
            told |= {"guidance": self.text_guidance, "several": self.several}
            made.append(Pipeline(model=self.pipeline, argument=self.argument, **told))
        return made

    def folders(self) -> dict[str, Path]:
        """Name → pictures that are there already.

        Raises:
            BadInput: two folders have one name.
        """
        names = [folder.resolve().name for folder in self.images]
        if twice := [name for at, name in enumerate(names) if name in names[:at]]:
            raise BadInput(f"--images: two folders are called '{twice[0]}'; rename one")
        return dict(zip(names, self.images, strict=True))


@dataclass(frozen=True, kw_only=True)
class DreamBench(PhotoBench):
    """DreamBench as google/dreambooth lays it out: 30 subjects, 25 prompts, four pictures each."""

    out: Path = Path("bench-dreambench")
    """Folder for pictures, findings, rows.json and page.html."""


@dataclass(frozen=True, kw_only=True)
class RatedBench(PhotoBench):
    """A bench that can ask a rater."""

    samples: int = 1
    """Pictures a prompt."""
    rater: str | None = None
    """A multimodal model that rates: http://host:port/v1#model, a folder or a Hub id."""
    manners: Manners = Manners()
    """How a served rater is asked, and the budget."""
    ratings: Path | None = None
    """Scores that are there already, in place of a rater, a line of JSON each: id (backpack/03-1), criterion, score;
    repeat (0 if absent) and reason."""

    def check(self) -> None:
        """Look at what is asked for before minutes of work.

        Raises:
            BadInput: a value is wrong.
        """
        super().check()
        if self.rater is not None and self.ratings is not None:
            raise BadInput("--rater and --ratings: give one of them; both would rate")


@dataclass(frozen=True, kw_only=True)
class DreamBenchV2(RatedBench):
    """Compositional prompts of three levels for DreamBench's subjects."""

    out: Path = Path("bench-dreambench_v2")
    """Folder for pictures, findings, rows.json and page.html."""


@dataclass(frozen=True, kw_only=True)
class DreamBenchPlus(RatedBench):
    """DreamBench++: 150 references, nine prompts each."""

    out: Path = Path("bench-dreambench_plus")
    """Folder for pictures, findings, rows.json and page.html."""
    dino: str = DINO_PLUS
    """What likeness is measured with, by folder or Hub id."""
    repeats: int = 3
    """How often each question is asked."""

    def check(self) -> None:
        """Look at what is asked for before minutes of work.

        Raises:
            BadInput: a value is wrong.
        """
        super().check()
        if self.repeats < 1:
            raise BadInput(f"--repeats {self.repeats}: give at least 1")


Tasks = Callable[["Frame", "Sequence[Comparing]"], "Task"]


def bench_dreambench_command(bench: DreamBench) -> None:
    """Measure likeness and text on DreamBench, by three protocols, beside what real photos score.

    DreamBooth's, Kosmos-G's and UNO's figures come from one set of pictures; each names what it is. Whoever is above
    the real photos is flagged: it copies. The same command resumes.

    Raises:
        BadInput: an argument is wrong, or a model cannot be loaded.
    """
    from tutelage.generators.photo_tasks import likeness_task

    _run(bench, read_dreambench(bench.data), lambda frame, networks: likeness_task(frame, bench.fed, networks))


def bench_dreambench_v2_command(bench: DreamBenchV2) -> None:
    """Measure subject, text, photorealism and all three at once, by level, on compositional prompts.

    The prompts are ours, for DreamBench's subjects. Networks judge, or a rater does: a model, or whoever's scores are
    in a file. The same command resumes.

    Raises:
        BadInput: an argument is wrong, or a model cannot be loaded.
    """
    from tutelage.generators.photo_tasks import marks_task

    whole = compositional(read_dreambench(bench.data))
    _run(bench, whole, lambda frame, networks: marks_task(frame, bench.fed, networks, _rater(bench, temperature=0.0)))


def bench_dreambench_plus_command(bench: DreamBenchPlus) -> None:
    """Measure concept preservation and prompt following on DreamBench++, by a rater and by networks.

    The same command resumes.

    Raises:
        BadInput: an argument is wrong, or a model cannot be loaded.
    """
    from tutelage.generators.photo_tasks import scales_task

    def make(frame: "Frame", networks: "Sequence[Comparing]") -> "Task":
        return scales_task(frame, bench.fed, networks, _rater(bench, temperature=1.0), bench.repeats)

    _run(bench, read_plus(bench.data), make)


def _run(bench: PhotoBench, whole: Collection, make: Tasks) -> None:
    """Draw, measure, print, and write what was asked for."""
    bench.check()
    part = chosen(whole, bench.subjects, bench.prompts)
    asked, folders, generators = items(part, bench.samples, bench.fed), bench.folders(), bench.generators()
    from tutelage.benches.base import write_json
    from tutelage.benches.dreambench.figures import Frame
    from tutelage.benches.dreambench.look import looks
    from tutelage.benches.dreambench.measures import Comparing
    from tutelage.benches.dreambench.tables import print_rows
    from tutelage.generators.photo_page import write_page
    from tutelage.generators.photographs import asking, run_photographs, shelf_folders
    from tutelage.toybox.checkpoints import checkpoint

    started = time.monotonic()
    also = [checkpoint(name) for name in bench.also]
    networks = [Comparing(look) for look in looks(checkpoint(bench.dino), checkpoint(bench.clip), also, bench.device)]
    frame = Frame(collection=part, asked=asked, samples=bench.samples, fed=bench.fed, seed=bench.seed)
    task = make(frame, networks)
    rows = run_photographs(bench.out, asking(whole, bench.fed), task, generators, folders)
    print_rows(rows)
    about = _about(networks, generators, bench.seed, time.monotonic() - started)
    page = write_page(bench.out, frame, shelf_folders(bench.out, generators, folders), rows, about)
    print(f"{about}\npictures: {page}")
    if bench.json is not None:
        write_json(rows, bench.json)


def _rater(bench: RatedBench, temperature: float) -> "Rater | None":
    """Whoever rates; what a model answers is kept beside the findings."""
    if bench.ratings is not None:
        from tutelage.benches.dreambench.rated import Rated

        return Rated.read(bench.ratings)
    if bench.rater is None:
        return None
    from tutelage.benches.dreambench.chat_rater import ChatRater
    from tutelage.chat.models import chat_model

    model = chat_model(bench.rater, bench.out / ".asked", bench.device, bench.manners, insist=False)
    return ChatRater(model=model, temperature=temperature)


def _about(networks: "Sequence[Comparing]", generators: Sequence[Generator], seed: int, seconds: float) -> str:
    """Hashes of all that figures depend on, and what they took."""
    made = {one.look.name: one.look.features.weights for one in networks}
    made |= {one.name: digest for one in generators if (digest := one.made_from())}
    return f"{', '.join(f'{name} (sha256 {digest})' for name, digest in made.items())}; seed {seed}; {seconds:.0f} s"
