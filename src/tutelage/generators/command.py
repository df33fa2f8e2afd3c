"""`tutelage bench toybox`: subject-driven generation of toys that no training has seen."""

import time
from dataclasses import dataclass
from pathlib import Path

from tutelage.benches.subjects.questions import CANDIDATES, FIVE, RENDERS, SubjectsBench
from tutelage.errors import BadInput
from tutelage.generators.answering import Answering
from tutelage.generators.base import Generator
from tutelage.generators.given import Images
from tutelage.triplet import SKILLS


@dataclass(frozen=True, kw_only=True)
class ToyboxBench(Answering):
    """Who is asked, what, and how answers are drawn."""

    images: Path | None = None
    """A folder of pictures to measure, each named after its question in questions.jsonl: 0007-view.png. Those that are
    not there are counted as missing, and taken in when the same command runs again."""
    out: Path = Path("bench-toybox")
    """Folder for questions, pictures, rows.json and sheet.png."""
    subjects: int = 100
    """Toys, with five questions each."""
    demonstrations: int = 4
    """Pictures that show a toy, 1 to 5."""
    compositions: bool = False
    """Ask for two things at once as well: six questions a toy."""
    candidates: int = CANDIDATES
    """Toys of its kind that the right one is picked from, itself included."""
    renders: int = RENDERS
    """Real pictures that say what a real picture is like."""
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
        given: list[Generator] = [] if self.images is None else [Images(folder=self.images)]
        return [*self.students(), *given, *self.others()]

    def check(self) -> None:
        """Look at what is asked for before minutes of work.

        Raises:
            BadInput: a value is wrong.
        """
        super().check()
        if self.workers < 1:
            raise BadInput(f"--workers {self.workers}: give at least 1")


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


def _footer(generators: list[Generator], seed: int, seconds: float) -> str:
    """Hashes of all that figures depend on, and what they took."""
    from tutelage.benches.subjects.examiner import FEATURES, READER
    from tutelage.diffusion.load import weights_hash
    from tutelage.toybox.vision import folder_of

    made = {name: weights_hash(folder_of(name)) for name in (FEATURES, READER)}
    made |= {generator.name: digest for generator in generators if (digest := generator.made_from())}
    return f"{', '.join(f'{name} (sha256 {digest})' for name, digest in made.items())}; seed {seed}; {seconds:.0f} s"
