"""`tutelage bench judges`: how well every judge and metric tells right targets from wrong ones."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutelage.errors import BadInput

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from tutelage.judging.bench import Measure
    from tutelage.judging.gates import Bands

NOISE: Final = 0.15
"""Share of wrong answers of a rater."""


@dataclass(frozen=True, kw_only=True)
class JudgesBench:
    """What is judged, by whom."""

    toys: int = 40
    """Held-out toys to render with faults, 25 triplets each; 0: none."""
    corpus: Path | None = None
    """A corpus of a toybox crawl, to measure on what teachers made as well."""
    labels: Path | None = None
    """The labels.jsonl of that crawl."""
    clusters: int = 100
    """Clusters of the corpus, drawn by their names; about a second of one core for each triplet."""
    distilled: str | None = None
    """Folder of a judge that `tutelage distill` made; clusters that taught it are left out."""
    viescore: str | None = None
    """A model that is asked for VIEScore, see `tutelage judge --panel viescore --help`; answers are kept in `out`."""
    clip: str = "toybox-clip"
    """What judges read and look with: a shipped name, a folder or a Hub id."""
    network: str = "toybox-dino"
    """What judges tell subjects apart with."""
    precision: float = 0.9
    """Wanted of what a gate keeps."""
    raters: int = 3
    noise: float = NOISE
    """Share of the raters' answers that are wrong."""
    candidates: int = 20
    """Toys of its kind that the right one is picked from."""
    renders: int = 2000
    """Real pictures that say what a real picture is like."""
    out: Path = Path("bench-judges")
    """Folder in which truths about the corpus are kept; the same command goes on where it was."""
    seed: int = 0
    json: Path | None = None
    """File to write all rows to, those by fault too."""
    details: bool = False
    """Print all rows, in place of three tables."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, ... or mps."""
    workers: int = 2
    """Processes that render."""

    def check(self) -> None:
        """Look at what is asked for before minutes of work.

        Raises:
            BadInput: a value is wrong.
        """
        for name, least in {"toys": 0, "clusters": 1, "raters": 2, "seed": 0, "workers": 1}.items():
            if getattr(self, name) < least:
                raise BadInput(f"--{name} {getattr(self, name)}: give at least {least}")
        if not 0 < self.precision < 1:
            raise BadInput(f"--precision {self.precision:g}: choose a share between 0 and 1, such as 0.9")
        if not self.toys and self.corpus is None:
            raise BadInput("--toys 0 and no --corpus: there is nothing to judge; give one of them")
        if self.corpus is not None and self.labels is None:
            raise BadInput("--corpus without --labels: give the labels.jsonl of the crawl, which says who is who")
        if self.json is not None and (self.json.is_dir() or not self.json.absolute().parent.is_dir()):
            raise BadInput(f"--json {self.json}: give a file in a folder that exists")


def bench_judges_command(bench: JudgesBench) -> None:
    """Measure judges and metrics against the truth about toybox triplets and against raters who err.

    Rendered triplets have one fault each, and the truth about them is exact. With a corpus, what teachers made is
    judged too; the truth is then what the toybox's own networks make of it. AUC by truth and by fault, rank correlation
    with raters beside that of raters with each other, and what gates keep.

    Raises:
        BadInput: an argument is wrong, or a network, the corpus or the labels cannot be read.
    """
    bench.check()
    from tutelage.benches.base import print_table, write_json
    from tutelage.judging.bench import Drawn, crawl_truth, measure, rendered, taught
    from tutelage.judging.tables import print_tables

    how = _measure(bench)
    drawn: list[Drawn] = []
    if bench.corpus is not None and bench.labels is not None:
        from tutelage.corpus.reader import Corpus
        from tutelage.judging.distil import learnt_from

        corpus = Corpus(bench.corpus)
        truth = crawl_truth(bench.labels, bench.candidates, bench.renders, bench.seed, bench.device, bench.workers)
        taught_by = learnt_from(Path(bench.distilled)) if bench.distilled else ()
        drawn.append(taught(corpus, bench.clusters, truth, bench.out, bench.seed, taught_by))
    if bench.toys:
        drawn.insert(0, rendered(bench.toys, bench.seed, bench.candidates, bench.workers))
    measured = [measure(one, how) for one in drawn]
    rows = [row for found, _ in measured for row in found]
    if bench.details:
        print_table(rows)
    else:
        print_tables(rows, bench.precision)
    for name, reason in measured[0][1].items():
        print(f"{name} was not measured: it {reason}")
    print(_footer(how.networks.clip, how.networks.network, bench))
    if bench.json is not None:
        write_json(rows, bench.json)


def _measure(bench: JudgesBench) -> "Measure":
    from tutelage.judging.bench import Measure
    from tutelage.judging.seats import Networks
    from tutelage.toybox.oracle import Oracle
    from tutelage.toybox.vision import folder_of

    return Measure(
        networks=Networks(
            clip=folder_of(bench.clip),
            network=folder_of(bench.network),
            device=bench.device,
        ),
        raters=tuple(Oracle(noise=bench.noise, seed=bench.seed + number) for number in range(bench.raters)),
        precision=bench.precision,
        pipeline=_pipeline(),
        settings=_settings(bench, folder_of(bench.network)),
        seed=bench.seed,
    )


def _pipeline() -> "Bands":
    """What the judges of the recipe `suti` let through."""
    from tutelage.recipes.suti import suti

    asked = suti()
    least = -1.0 if asked.likeness.low is None else asked.likeness.low
    return {"delta-clip": (asked.delta_clip.threshold, math.inf), "likeness": (least, asked.likeness.high)}


def _settings(bench: JudgesBench, network: Path) -> dict[str, dict[str, Any]]:
    """Judge → settings of its own; scores are what is asked for, so a threshold need not have been found."""
    settings: dict[str, dict[str, Any]] = {"likeness": {"high": _pipeline()["likeness"][1]}}
    if bench.distilled is not None:
        settings["distilled"] = {"model": bench.distilled, "network": network, "threshold": 0.0}
    if bench.viescore is not None:
        settings["viescore"] = {"model": bench.viescore, "cache": bench.out / "asked"}
    return settings


def _footer(clip: Path, network: Path, bench: JudgesBench) -> str:
    """Hashes of what judges look with, and the seed."""
    from tutelage.diffusion.load import weights_hash

    made = {bench.clip: weights_hash(clip), bench.network: weights_hash(network)}
    return f"{', '.join(f'{name} (sha256 {digest})' for name, digest in made.items())}; seed {bench.seed}"
